"""The course's policy gradient for Pong: difference frames, one hidden layer, returns per point.

Homework 4-1: 80x80 gray differences of frames, a dense layer of 256 units, and discounted returns
that start anew at each point and are normalized before they weight the log-probabilities.
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
from mlds_bench.agents.numerics.descent import descend
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
    """Hyper-parameters of REINFORCE, on top of `PolicyHyperparameters`.

    Attributes:
        num_steps: steps per environment in a rollout. Of a point that lasts longer than two
            rollouts, only a part is learned from.
        learning_rate: initial value; it falls linearly to zero over the budget. It is large because
            only a few pixels of a difference frame are not zero: a tenth of it takes more than
            twice as many decisions to win as many points (one seed).
        baseline: whether a learned value is subtracted from the returns.
        vf_coef: weight of the squared error of that value in the loss.
        max_grad_norm: upper bound on the gradient's norm.
    """

    num_envs: int = 16
    num_steps: int = 256
    learning_rate: float = 1e-2
    ent_coef: float = 0.0
    baseline: bool = False
    vf_coef: float = 0.5
    max_grad_norm: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        above(0.0, vf_coef=self.vf_coef, max_grad_norm=self.max_grad_norm)


class ReinforceAgent(PolicyAgent):
    """REINFORCE (Williams 1992) on finished points.

    A point is the stretch of steps up to the next reward, or up to the end of the episode; credit
    does not reach across it. A point that is unfinished when a rollout stops is learned from after
    the next rollout.
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
        """A network of one hidden layer, and a fresh optimizer."""
        network = DensePolicy(
            shape, self.actions, hidden=self.hyper.hidden, generator=self.generator
        )
        self.optimizer = torch.optim.Adam(network.parameters(), eps=1e-5, fused=True)
        return network

    def start(self, player: Player) -> None:
        """Make room for two rollouts; no point is unfinished yet."""
        rollout = player.rollout
        shape = (2 * self.hyper.num_steps, self.num_envs)
        self._observations = rollout.observations.new_zeros(
            (*shape, *rollout.observations.shape[2:])
        )
        self._actions = torch.zeros(shape, dtype=torch.int64)
        self._rewards = np.zeros(shape, np.float32)
        self._ends = np.zeros(shape, np.bool_)
        self._waits = np.zeros(shape, np.bool_)

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """Take one step on all finished points that have not been learned from yet."""
        self._append(rollout)
        chosen = self._waits & (steps_to_end(self._ends) >= 0)
        self._waits &= ~chosen
        if not chosen.any():
            return
        returns = discounted_returns(self._rewards, self._ends, gamma=self.hyper.gamma)
        self.optimizer.param_groups[0]["lr"] = learning_rate
        there = torch.from_numpy(chosen)
        loss = self._loss(
            self._observations[there].to(self.device),
            self._actions[there].to(self.device),
            torch.from_numpy(returns[chosen]).to(self.device),
        )
        parameters = self.network.parameters()
        descend(self.optimizer, loss, parameters, max_grad_norm=self.hyper.max_grad_norm)

    def _loss(self, observations: Tensor, actions: Tensor, returns: Tensor) -> Tensor:
        logits, values = self.network(observations)
        baseline = values.detach() if self.hyper.baseline else 0.0
        policy = policy_gradient_loss(
            log_probabilities(logits, actions), standardized(returns - baseline)
        )
        error = functional.mse_loss(values, returns) if self.hyper.baseline else 0.0
        return policy + self.hyper.vf_coef * error - self.hyper.ent_coef * mean_entropy(logits)

    def _append(self, rollout: Rollout) -> None:
        """Move the previous rollout to the first half, and store this one in the second."""
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
