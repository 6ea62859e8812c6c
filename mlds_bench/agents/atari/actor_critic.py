"""What PPO, A2C and the like share: a convolutional network that acts and estimates values."""

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
from mlds_bench.agents.numerics.policy_losses import (
    log_probabilities,
    mean_entropy,
    policy_gradient_loss,
    standardized,
)
from mlds_bench.agents.numerics.returns import generalized_advantages
from mlds_bench.common.bounds import at_least, between, layers, whole

P = TypeVar("P", ConvolutionalPolicy, SeparatePolicy)


@dataclass(frozen=True)
class ActorCriticHyperparameters(PolicyHyperparameters):
    """Hyper-parameters of every actor-critic agent, on top of `PolicyHyperparameters`.

    Attributes:
        gae_lambda: lambda of generalized advantage estimation.
        points_end: whether a point ends the credit of the steps before it, as in the course, in
            games that can also take points away (Pong, where play restarts after each point). In
            games that only give points it makes no difference.
        calibration: rollouts played before learning starts, to estimate the scale of the pixels.
        convolutions: (channels, kernel, stride) of each convolution.
        hidden: units of the hidden layer that the heads share.
    """

    gae_lambda: float = 0.95
    points_end: bool = True
    calibration: int = 3
    convolutions: Layers = ((8, 4, 2), (32, 4, 2))
    hidden: int = 128

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(1, calibration=self.calibration)
        layers(convolutions=self.convolutions)
        between(0.0, 1.0, gae_lambda=self.gae_lambda)


@dataclass(frozen=True)
class JointLossHyperparameters(ActorCriticHyperparameters):
    """Hyper-parameters of agents whose policy and values share a network and a loss.

    Attributes:
        vf_coef: weight of the squared error of the values in the loss.
    """

    vf_coef: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(0.0, vf_coef=self.vf_coef)


class ActorCriticAgent(PolicyAgent):
    """Calibrates its pixels, then plays rollouts and estimates advantages."""

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
        """One body with two heads, unless a subclass wants another network."""
        return self.make(ConvolutionalPolicy, shape)

    def make(self, network: type[P], shape: Shape) -> P:
        """A network of the given class and these hyper-parameters."""
        self._takes_points = False
        return network(
            shape,
            self.actions,
            convolutions=self.hyper.convolutions,
            hidden=self.hyper.hidden,
            generator=self.generator,
        )

    def start(self, player: Player) -> None:
        """Fit the scale of the pixels, unless it is known already."""
        if not self.network.scaling.is_fitted:
            rollouts = (player.play() for _ in range(self.hyper.calibration))
            self.network.scaling.fit(rollout.observations.flatten(0, 1) for rollout in rollouts)

    def advantages(self, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """Advantages and value targets, (T N,) float32 each, on the CPU."""
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
            gamma=self.hyper.gamma,
            gae_lambda=self.hyper.gae_lambda,
        )
        return (
            torch.from_numpy(advantages.ravel()),
            torch.from_numpy((advantages + rollout.values).ravel()),
        )


class JointLossAgent(ActorCriticAgent):
    """An actor-critic that learns policy and values by one loss."""

    hyper: JointLossHyperparameters

    def rollout_loss(self, rollout: Rollout, observations: Tensor) -> Tensor:
        """The loss of A2C over a whole rollout, scalar.

        ``observations`` (T N, C, H, W) are those of the rollout, on the agent's device.
        """
        advantages, targets = (values.to(self.device) for values in self.advantages(rollout))
        logits, values = self.network(observations)
        chosen = log_probabilities(logits, rollout.actions.flatten().to(self.device))
        loss: Tensor = (
            policy_gradient_loss(chosen, standardized(advantages))
            + self.hyper.vf_coef * (values - targets).square().mean()
            - self.hyper.ent_coef * mean_entropy(logits)
        )
        return loss
