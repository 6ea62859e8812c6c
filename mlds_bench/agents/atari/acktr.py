"""Actor-critic by Kronecker-factored trust regions: A2C with natural gradients of all layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mlds_bench.agents.atari.actor_critic import ActorCriticAgent, ActorCriticHyperparameters
from mlds_bench.agents.atari.networks import ConvolutionalPolicy
from mlds_bench.agents.atari.rollouts import Rollout, sampled
from mlds_bench.agents.atari.views import Shape
from mlds_bench.agents.numerics.kronecker import KroneckerCurvature
from mlds_bench.agents.numerics.policy_losses import (
    log_probabilities,
    mean_entropy,
    policy_gradient_loss,
    standardized,
)
from mlds_bench.common.bounds import above, between, whole


@dataclass(frozen=True)
class AcktrHyperparameters(ActorCriticHyperparameters):
    """Settings of ACKTR, those of `ActorCriticHyperparameters` among them.

    Attributes:
        learning_rate: of the natural gradient, at most, at the start; it falls to zero along a line
            over the budget.
        divergence: of the new policy from the old, at most, in nats, by the quadratic model; it
            falls likewise.
        momentum: of the steps, which it averages: none is longer than the longest of them.
        decay: of the averages of the Kronecker factors.
        damping: of their inverses.
        inversion_interval: rollouts between two inversions.
        fisher_share: one step in so many stands for all where the curvature is estimated.
        gradient_norm: of no use here, for the divergence bounds a step.
    """

    learning_rate: float = 0.25
    divergence: float = 0.01
    momentum: float = 0.9
    decay: float = 0.95
    damping: float = 0.01
    inversion_interval: int = 3
    fisher_share: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(1, inversion_interval=self.inversion_interval, fisher_share=self.fisher_share)
        above(0.0, divergence=self.divergence, damping=self.damping)
        between(0.0, 1.0, momentum=self.momentum, decay=self.decay)


class AcktrAgent(ActorCriticAgent):
    """ACKTR (Wu et al. 2017)."""

    hyper: AcktrHyperparameters
    network: ConvolutionalPolicy
    hyperparameters: ClassVar[type] = AcktrHyperparameters
    name = "acktr"

    def make_network(self, shape: Shape) -> ConvolutionalPolicy:
        """Convolutions, a hidden layer, two heads; nothing is known of the curvature."""
        network = self.make(ConvolutionalPolicy, shape)
        self._curvature = KroneckerCurvature(
            network.layers, decay=self.hyper.decay, damping=self.hyper.damping
        )
        self._updates = 0
        self.optimizer = torch.optim.SGD(network.parameters(), momentum=self.hyper.momentum, lr=1.0)
        return network

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """Look at the curvature, then one natural step with the whole rollout."""
        observations = rollout.observations.flatten(0, 1).to(self.device)
        self._look(observations[:: self.hyper.fisher_share])
        advantages, targets = (values.to(self.device) for values in self.advantages(rollout))
        logits, values = self.network(observations)
        chosen = log_probabilities(logits, rollout.actions.flatten().to(self.device))
        loss = (
            policy_gradient_loss(chosen, standardized(advantages))
            + self.hyper.value_weight * (values - targets).square().mean()
            - self.hyper.entropy_weight * mean_entropy(logits)
        )
        self.optimizer.zero_grad()
        loss.backward()
        rise = max(self._curvature.precondition(), 1e-30)
        radius = self.hyper.divergence * learning_rate / self.hyper.learning_rate
        length = min(learning_rate, math.sqrt(2.0 * radius / rise))
        for weight in self.network.parameters():
            if weight.grad is not None:
                weight.grad *= length * (1.0 - self.hyper.momentum)
        self.optimizer.step()

    def _look(self, observations: Tensor) -> None:
        """Curvature of what the network itself holds likely: drawn actions, values off by noise."""
        with self._curvature.watching():
            logits, values = self.network(observations)
        drawn = sampled(logits.detach().cpu(), self.generator).to(self.device)
        noise = torch.randn(len(values), generator=self.generator).to(self.device)
        loss = log_probabilities(logits, drawn).sum() + (values * noise).sum()
        self.network.zero_grad()
        loss.backward()
        self._curvature.update()
        if self._updates % self.hyper.inversion_interval == 0:
            self._curvature.invert()
        self._updates += 1
