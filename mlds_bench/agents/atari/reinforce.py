"""The course's policy gradient for Pong: difference frames, one hidden layer, returns of points.

Homework 4-1: 80x80 gray differences of frames, a dense layer of 256 units, returns that are
discounted, start anew at each point, and are normalized before they weigh the log-probabilities.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from mlds_bench.agents.atari.networks import DensePolicy
from mlds_bench.agents.atari.policy_agent import PolicyAgent, PolicyHyperparameters
from mlds_bench.agents.atari.rollouts import Player, Rollout
from mlds_bench.agents.atari.views import Shape
from mlds_bench.agents.numerics.policy_losses import (
    log_probabilities,
    mean_entropy,
    policy_gradient_loss,
    standardized,
)
from mlds_bench.agents.numerics.returns import discounted_returns, steps_to_end
from mlds_bench.common.bounds import above


@dataclass(frozen=True)
class ReinforceHyperparameters(PolicyHyperparameters):
    """Settings of REINFORCE, those of `PolicyHyperparameters` among them.

    Attributes:
        horizon: steps of each instance between two improvements. A point that lasts longer than two
            of them is learnt from in part.
        learning_rate: large, for what moves is a few pixels, and small among the differences of
            frames: at a tenth of it as many points are won after more than twice the decisions
            (one seed).
        baseline: whether a value, learnt beside the policy, is taken off the returns.
        value_weight: of the squared error of that value in the loss.
    """

    instances: int = 16
    horizon: int = 256
    learning_rate: float = 1e-2
    entropy_weight: float = 0.0
    baseline: bool = False
    value_weight: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        above(0.0, value_weight=self.value_weight)


class ReinforceAgent(PolicyAgent):
    """REINFORCE (Williams 1992) on the points that were played to their end.

    A point is an end of credit: the steps to the next reward, or to the end of the episode. What
    has not come to its end when a rollout stops is learnt from after the next one.
    """

    hyper: ReinforceHyperparameters
    network: DensePolicy
    hyperparameters: ClassVar[type] = ReinforceHyperparameters
    env_options: ClassVar[Mapping[str, Any]] = {
        "size": 80,
        "stack": 1,
        "difference": True,
        "actions": "reduced",
        "clip_rewards": True,
        "life_ends": True,
    }
    name = "reinforce"

    def make_network(self, shape: Shape) -> DensePolicy:
        """One hidden layer; Adam starts anew."""
        network = DensePolicy(
            shape, self.actions, hidden=self.hyper.hidden, generator=self.generator
        )
        self.optimizer = torch.optim.Adam(network.parameters(), eps=1e-5, fused=True)
        return network

    def start(self, player: Player) -> None:
        """Nothing has been played yet, so nothing is unfinished."""
        rollout = player.rollout
        shape = (2 * self.hyper.horizon, self.num_envs)
        self._observations = rollout.observations.new_zeros(
            (*shape, *rollout.observations.shape[2:])
        )
        self._actions = torch.zeros(shape, dtype=torch.int64)
        self._rewards = np.zeros(shape, np.float32)
        self._ends = np.zeros(shape, np.bool_)
        self._waits = np.zeros(shape, np.bool_)

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """One step with every finished point that has not been learnt from."""
        self._append(rollout)
        chosen = self._waits & (steps_to_end(self._ends) >= 0)
        self._waits &= ~chosen
        if not chosen.any():
            return
        returns = discounted_returns(self._rewards, self._ends, discount=self.hyper.discount)
        self.optimizer.param_groups[0]["lr"] = learning_rate
        there = torch.from_numpy(chosen)
        loss = self._loss(
            self._observations[there].to(self.device),
            self._actions[there].to(self.device),
            torch.from_numpy(returns[chosen]).to(self.device),
        )
        self.descend(self.optimizer, loss)

    def _loss(self, observations: Tensor, actions: Tensor, returns: Tensor) -> Tensor:
        logits, values = self.network(observations)
        baseline = values.detach() if self.hyper.baseline else 0.0
        policy = policy_gradient_loss(
            log_probabilities(logits, actions), standardized(returns - baseline)
        )
        error = functional.mse_loss(values, returns) if self.hyper.baseline else 0.0
        return (
            policy
            + self.hyper.value_weight * error
            - self.hyper.entropy_weight * mean_entropy(logits)
        )

    def _append(self, rollout: Rollout) -> None:
        """Move the rollout before to the first half, and put this one into the second."""
        ends = rollout.done | (rollout.rewards != 0.0)
        pairs: tuple[tuple[Any, Any], ...] = (
            (self._observations, rollout.observations),
            (self._actions, rollout.actions),
            (self._rewards, rollout.rewards),
            (self._ends, ends),
            (self._waits, np.ones(ends.shape, np.bool_)),
        )
        for store, new in pairs:
            store[: len(ends)] = store[len(ends) :]
            store[len(ends) :] = new
