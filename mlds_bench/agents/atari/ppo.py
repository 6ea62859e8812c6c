"""Proximal policy optimization, tuned for the shortest time to the pass mark on two cores.

The next rollout is played while the last one is learnt from, by a policy that is then one
improvement old. The clip is nevertheless around the policy as it stands, and what was played is
weighted by how likely it makes the actions (Hilton et al. 2022, "Batch size-invariance for policy
optimization"): around the policy that played, steps would be past the clip before they teach.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from mlds_bench.agents.atari.actor_critic import ActorCriticAgent, ActorCriticHyperparameters
from mlds_bench.agents.atari.rollouts import Player, Rollout, played, played_ahead
from mlds_bench.agents.numerics.policy_losses import (
    clipped_surrogate_loss,
    log_probabilities,
    mean_entropy,
    standardized,
)
from mlds_bench.common.bounds import above, whole

LARGEST_WEIGHT = 2.0
"""Of an action that has become more likely since it was played."""


@dataclass(frozen=True)
class PpoHyperparameters(ActorCriticHyperparameters):
    """Settings of PPO; the others are those of `ActorCriticHyperparameters`.

    Attributes:
        epochs: times that each rollout is learnt from.
        minibatches: into which a rollout is parted, anew in each epoch.
        clip: the ratio of the new probability to the old gains nothing beyond 1 -+ clip.
        ahead: whether the next rollout is played while the last one is learnt from, each on half of
            the processors; its policy is then one improvement old.
    """

    epochs: int = 4
    minibatches: int = 8
    clip: float = 0.1
    ahead: bool = True

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(1, epochs=self.epochs, minibatches=self.minibatches)
        above(0.0, clip=self.clip)
        if self.minibatches > self.instances * self.horizon:
            raise ValueError(
                f"minibatches must be at most instances * horizon = "
                f"{self.instances * self.horizon}, got {self.minibatches}"
            )


class Batch(NamedTuple):
    """B steps: observations (B, C, H, W), actions (B,) int64, the rest (B,) float32.

    ``weights`` are the probabilities of the actions before the improvement, over those with which
    they were drawn.
    """

    observations: Tensor
    actions: Tensor
    old_log_probabilities: Tensor
    weights: Tensor
    advantages: Tensor
    targets: Tensor


class PpoAgent(ActorCriticAgent):
    """Proximal policy optimization (Schulman et al. 2017) with a clipped surrogate."""

    hyper: PpoHyperparameters
    hyperparameters: ClassVar[type] = PpoHyperparameters
    name = "ppo"

    def prepare(self) -> None:
        """Draw the initial weights; Adam starts anew."""
        super().prepare()
        self.optimizer = torch.optim.Adam(self.network.parameters(), eps=1e-5, fused=True)

    def rollouts(self, player: Player) -> Iterator[Rollout]:
        """Played ahead, or one at a time."""
        return played_ahead(player, self.network) if self.hyper.ahead else played(player)

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """Several epochs of minibatches over the rollout."""
        self.optimizer.param_groups[0]["lr"] = learning_rate
        advantages, targets = self.advantages(rollout)
        actions = rollout.actions.flatten()
        observations = rollout.observations.flatten(0, 1)
        size = -(-len(actions) // self.hyper.minibatches)
        drawn = log_probabilities(rollout.logits.flatten(0, 1), actions)
        old = self._log_probabilities(observations, actions, size) if self.hyper.ahead else drawn
        weights = (old - drawn).exp().clamp_max(LARGEST_WEIGHT)
        batch = Batch(observations, actions, old, weights, advantages, targets)
        for _ in range(self.hyper.epochs):
            order = torch.randperm(len(actions), generator=self.generator)
            for chosen in torch.split(order, size):
                part = Batch(*(values[chosen].to(self.device) for values in batch))
                self.descend(self.optimizer, self._loss(part))

    @torch.no_grad()
    def _log_probabilities(self, observations: Tensor, actions: Tensor, size: int) -> Tensor:
        """Of actions (B,) by the policy as it stands, (B,) on the CPU, ``size`` at a time."""
        parts = torch.split(observations, size)
        logits = torch.cat([self.network(part.to(self.device))[0].cpu() for part in parts])
        return log_probabilities(logits, actions)

    def _loss(self, batch: Batch) -> Tensor:
        logits, values = self.network(batch.observations)
        policy = clipped_surrogate_loss(
            log_probabilities(logits, batch.actions),
            batch.old_log_probabilities,
            standardized(batch.advantages) * batch.weights,
            clip=self.hyper.clip,
        )
        return (
            policy
            + self.hyper.value_weight * functional.mse_loss(values, batch.targets)
            - self.hyper.entropy_weight * mean_entropy(logits)
        )
