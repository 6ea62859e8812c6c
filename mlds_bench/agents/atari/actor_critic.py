"""What PPO, A2C and their like share: a convolutional network that acts and judges."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar

import numpy as np
import torch
from torch import Tensor

from mlds_bench.agents.atari.networks import (
    ConvolutionalPolicy,
    Layers,
    ScaledPolicy,
    SeparatePolicy,
)
from mlds_bench.agents.atari.policy_agent import PolicyAgent, PolicyHyperparameters
from mlds_bench.agents.atari.rollouts import Player, Rollout
from mlds_bench.agents.atari.views import Shape
from mlds_bench.agents.numerics.returns import generalized_advantages
from mlds_bench.common.bounds import at_least, between, layers, whole

P = TypeVar("P", ConvolutionalPolicy, SeparatePolicy)


@dataclass(frozen=True)
class ActorCriticHyperparameters(PolicyHyperparameters):
    """Settings that all actor-critic agents have, beside those of `PolicyHyperparameters`.

    Attributes:
        trace: lambda of the advantages.
        value_weight: of the squared error of the values in the loss.
        points_end: whether, in a game that takes points as well as it gives them, a point ends what
            earlier steps are credited with, as in the course (Pong, where each point starts the
            game anew). In a game that only gives points it makes no difference.
        calibration: rollouts played at first, without learning, to scale the pixels by.
        convolutions: (channels, kernel, stride) of each.
        hidden: units of the layer that policy and value stand on.
    """

    trace: float = 0.95
    value_weight: float = 0.5
    points_end: bool = True
    calibration: int = 3
    convolutions: Layers = ((8, 4, 2), (32, 4, 2))
    hidden: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(1, calibration=self.calibration)
        layers(convolutions=self.convolutions)
        between(0.0, 1.0, trace=self.trace)
        at_least(0.0, value_weight=self.value_weight)


class ActorCriticAgent(PolicyAgent):
    """Scales its pixels, then plays rollouts and estimates advantages."""

    hyper: ActorCriticHyperparameters
    network: ScaledPolicy
    env_options: ClassVar[Mapping[str, Any]] = {
        "size": 42,
        "stack": 2,
        "actions": "reduced",
        "clip_rewards": True,
        "life_ends": True,
    }

    def make_network(self, shape: Shape) -> ScaledPolicy:
        """One body and two heads, unless a subclass has another."""
        return self.make(ConvolutionalPolicy, shape)

    def make(self, network: type[P], shape: Shape) -> P:
        """A network of some kind, by the settings; whether the game takes points is not known."""
        self._takes_points = False
        return network(
            shape,
            self.actions,
            convolutions=self.hyper.convolutions,
            hidden=self.hyper.hidden,
            generator=self.generator,
        )

    def start(self, player: Player) -> None:
        """Fit the scale of the pixels, unless it is known."""
        if not self.network.scaling.is_fitted:
            rollouts = (player.play() for _ in range(self.hyper.calibration))
            self.network.scaling.fit(rollout.observations.flatten(0, 1) for rollout in rollouts)

    def advantages(self, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """Advantages and targets of the values, (T N,) float32 each, on the CPU."""
        ends, next_values = rollout.done, rollout.next_values
        self._takes_points |= bool((rollout.rewards < 0.0).any())
        if self.hyper.points_end and self._takes_points:
            point = rollout.rewards != 0.0
            ends, next_values = ends | point, np.where(point, 0.0, next_values)
        advantages = generalized_advantages(
            rollout.rewards,
            rollout.values,
            next_values,
            ends,
            discount=self.hyper.discount,
            trace=self.hyper.trace,
        )
        return (
            torch.from_numpy(advantages.ravel()),
            torch.from_numpy((advantages + rollout.values).ravel()),
        )
