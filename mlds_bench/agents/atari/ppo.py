"""Proximal policy optimization, tuned to reach the pass mark on two cores as soon as possible.

The next rollout is played while the last one is learned from, by a policy that is then one update
old. The clip range is nevertheless around the current policy, and every step is weighted by how
much more probable that policy makes its action (Hilton et al. 2022, "Batch size-invariance for
policy optimization"): around the policy that played, updates would leave the clip range before they
teach anything.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from mlds_bench.agents.atari.actor_critic import JointLossAgent, JointLossHyperparameters
from mlds_bench.agents.atari.rollouts import Player, Rollout, played, played_ahead
from mlds_bench.agents.numerics.descent import descend
from mlds_bench.agents.numerics.policy_losses import (
    clipped_surrogate_loss,
    log_probabilities,
    mean_entropy,
    standardized,
)
from mlds_bench.common.bounds import above, whole

MAX_IMPORTANCE_WEIGHT = 2.0
"""Upper bound on the importance ratio of the current policy to the one that played."""


@dataclass(frozen=True)
class PpoHyperparameters(JointLossHyperparameters):
    """Hyper-parameters of PPO, on top of `JointLossHyperparameters`.

    Attributes:
        update_epochs: passes over each rollout.
        num_minibatches: minibatches per pass, drawn anew in each.
        clip_range: bound on how far the probability ratio may move from 1 and still gain.
        max_grad_norm: upper bound on the gradient's norm.
        ahead: whether the next rollout is played while the last one is learned from, each on half
            of the processors; the policy that plays is then one update old.
    """

    update_epochs: int = 4
    num_minibatches: int = 8
    clip_range: float = 0.1
    max_grad_norm: float = 0.5
    ahead: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(1, update_epochs=self.update_epochs, num_minibatches=self.num_minibatches)
        above(0.0, clip_range=self.clip_range, max_grad_norm=self.max_grad_norm)
        if self.num_minibatches > self.num_envs * self.num_steps:
            raise ValueError(
                f"num_minibatches must be at most num_envs * num_steps = "
                f"{self.num_envs * self.num_steps}, got {self.num_minibatches}"
            )


class Batch(NamedTuple):
    """B steps: observations (B, C, H, W), actions (B,) int64, the rest (B,) float32.

    ``weights`` are importance ratios: the probability of each action under the policy before the
    update, over that under the policy that played.
    """

    observations: Tensor
    actions: Tensor
    old_log_probabilities: Tensor
    weights: Tensor
    advantages: Tensor
    targets: Tensor


class PpoAgent(JointLossAgent):
    """Proximal policy optimization (Schulman et al. 2017) with the clipped surrogate objective."""

    hyper: PpoHyperparameters
    hyperparameters: ClassVar[type] = PpoHyperparameters
    name = "ppo"

    def prepare(self) -> None:
        """Draw the initial weights and make a fresh optimizer."""
        super().prepare()
        self.optimizer = torch.optim.Adam(self.network.parameters(), eps=1e-5, fused=True)

    def rollouts(self, player: Player) -> Iterator[Rollout]:
        """Rollouts, played ahead or on demand."""
        return played_ahead(player, self.network) if self.hyper.ahead else played(player)

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """Make several passes over the rollout, in minibatches."""
        self.optimizer.param_groups[0]["lr"] = learning_rate
        advantages, targets = self.advantages(rollout)
        actions = rollout.actions.flatten()
        observations = rollout.observations.flatten(0, 1)
        size = -(-len(actions) // self.hyper.num_minibatches)
        drawn = log_probabilities(rollout.logits.flatten(0, 1), actions)
        old = self._log_probabilities(observations, actions, size) if self.hyper.ahead else drawn
        weights = (old - drawn).exp().clamp_max(MAX_IMPORTANCE_WEIGHT)
        batch = Batch(observations, actions, old, weights, advantages, targets)
        for _ in range(self.hyper.update_epochs):
            order = torch.randperm(len(actions), generator=self.generator)
            for chosen in torch.split(order, size):
                part = Batch(*(values[chosen].to(self.device) for values in batch))
                loss, parameters = self._loss(part), self.network.parameters()
                descend(self.optimizer, loss, parameters, max_grad_norm=self.hyper.max_grad_norm)

    @torch.no_grad()
    def _log_probabilities(self, observations: Tensor, actions: Tensor, size: int) -> Tensor:
        """Log-probabilities (B,) of actions (B,) under the current policy, ``size`` at a time."""
        parts = torch.split(observations, size)
        logits = torch.cat([self.network(part.to(self.device))[0].cpu() for part in parts])
        return log_probabilities(logits, actions)

    def _loss(self, batch: Batch) -> Tensor:
        logits, values = self.network(batch.observations)
        policy = clipped_surrogate_loss(
            log_probabilities(logits, batch.actions),
            batch.old_log_probabilities,
            standardized(batch.advantages) * batch.weights,
            clip_range=self.hyper.clip_range,
        )
        return (
            policy
            + self.hyper.vf_coef * functional.mse_loss(values, batch.targets)
            - self.hyper.ent_coef * mean_entropy(logits)
        )
