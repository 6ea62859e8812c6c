"""Advantage actor-critic: one gradient step after every few steps of play."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch

from mlds_bench.agents.atari.actor_critic import JointLossAgent, JointLossHyperparameters
from mlds_bench.agents.atari.rollouts import Rollout
from mlds_bench.agents.numerics.descent import descend
from mlds_bench.common.bounds import above


@dataclass(frozen=True)
class A2cHyperparameters(JointLossHyperparameters):
    """Hyper-parameters of A2C, on top of `JointLossHyperparameters`.

    Attributes:
        num_steps: steps per environment in a rollout; few, because each rollout is used only once.
        calibration: rollouts played before learning starts, to estimate the scale of the pixels.
        max_grad_norm: upper bound on the gradient's norm.
    """

    num_steps: int = 8
    calibration: int = 24
    max_grad_norm: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        above(0.0, max_grad_norm=self.max_grad_norm)


class A2cAgent(JointLossAgent):
    """Advantage actor-critic, the synchronous form of A3C (Mnih et al. 2016), with Adam."""

    hyper: A2cHyperparameters
    hyperparameters: ClassVar[type] = A2cHyperparameters
    name = "a2c"

    def prepare(self) -> None:
        """Draw the initial weights and make a fresh optimizer."""
        super().prepare()
        self.optimizer = torch.optim.Adam(self.network.parameters(), eps=1e-5, fused=True)

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """Take one step on the whole rollout."""
        self.optimizer.param_groups[0]["lr"] = learning_rate
        loss = self.rollout_loss(rollout, rollout.observations.flatten(0, 1).to(self.device))
        parameters = self.network.parameters()
        descend(self.optimizer, loss, parameters, max_grad_norm=self.hyper.max_grad_norm)
