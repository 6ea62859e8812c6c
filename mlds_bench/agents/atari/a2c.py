"""Advantage actor-critic: one step down the gradient after every few steps of play."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from mlds_bench.agents.atari.actor_critic import ActorCriticAgent, ActorCriticHyperparameters
from mlds_bench.agents.atari.rollouts import Rollout
from mlds_bench.agents.numerics.policy_losses import (
    log_probabilities,
    mean_entropy,
    policy_gradient_loss,
    standardized,
)


@dataclass(frozen=True)
class A2cHyperparameters(ActorCriticHyperparameters):
    """Settings of A2C, as they are in `ActorCriticHyperparameters` but for these.

    Attributes:
        instances: many, for the sake of short rollouts.
        horizon: short, for every rollout is learnt from but once.
        calibration: rollouts played at first, without learning, to scale the pixels by.
    """

    horizon: int = 8
    calibration: int = 24


class A2cAgent(ActorCriticAgent):
    """Advantage actor-critic, the synchronous form of A3C (Mnih et al. 2016), with Adam."""

    hyper: A2cHyperparameters
    hyperparameters: ClassVar[type] = A2cHyperparameters
    name = "a2c"

    def prepare(self) -> None:
        """Draw the initial weights; Adam starts anew."""
        super().prepare()
        self.optimizer = torch.optim.Adam(self.network.parameters(), eps=1e-5, fused=True)

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """One step with the whole rollout."""
        self.optimizer.param_groups[0]["lr"] = learning_rate
        advantages, targets = (values.to(self.device) for values in self.advantages(rollout))
        logits, values = self.network(rollout.observations.flatten(0, 1).to(self.device))
        chosen = log_probabilities(logits, rollout.actions.flatten().to(self.device))
        loss = (
            policy_gradient_loss(chosen, standardized(advantages))
            + self.hyper.value_weight * (values - targets).square().mean()
            - self.hyper.entropy_weight * mean_entropy(logits)
        )
        self.descend(self.optimizer, loss)
