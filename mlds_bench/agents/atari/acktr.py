"""Actor-critic by Kronecker-factored trust regions: A2C with natural gradients of all layers."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor

from mlds_bench.agents.atari.actor_critic import JointLossAgent, JointLossHyperparameters
from mlds_bench.agents.atari.networks import ConvolutionalPolicy
from mlds_bench.agents.atari.rollouts import Rollout, sampled
from mlds_bench.agents.atari.views import Shape
from mlds_bench.agents.numerics.kronecker import KroneckerCurvature
from mlds_bench.agents.numerics.policy_losses import log_probabilities
from mlds_bench.common.bounds import above, between, whole


@dataclass(frozen=True)
class AcktrHyperparameters(JointLossHyperparameters):
    """Hyper-parameters of ACKTR, on top of `JointLossHyperparameters`.

    Attributes:
        learning_rate: upper bound on the step along the natural gradient; it falls linearly to zero
            over the budget.
        target_kl: upper bound on the divergence of the new policy from the old one (nats), by the
            quadratic model; it falls with the learning rate.
        momentum: of the steps; they are averaged, so that momentum makes none longer.
        stat_decay: decay rate of the running averages of the Kronecker factors.
        damping: of the inverses of the factors.
        inversion_interval: rollouts between two inversions.
        sub_sampling_factor: the curvature is estimated from one in so many steps.
    """

    learning_rate: float = 0.25
    target_kl: float = 0.01
    momentum: float = 0.9
    stat_decay: float = 0.95
    damping: float = 0.01
    inversion_interval: int = 3
    sub_sampling_factor: int = 4

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(
            1,
            inversion_interval=self.inversion_interval,
            sub_sampling_factor=self.sub_sampling_factor,
        )
        above(0.0, target_kl=self.target_kl, damping=self.damping)
        between(0.0, 1.0, momentum=self.momentum, stat_decay=self.stat_decay)


class AcktrAgent(JointLossAgent):
    """ACKTR (Wu et al. 2017)."""

    hyper: AcktrHyperparameters
    network: ConvolutionalPolicy
    hyperparameters: ClassVar[type] = AcktrHyperparameters
    name = "acktr"

    def make_network(self, shape: Shape) -> ConvolutionalPolicy:
        """Convolutions, a hidden layer and two heads, with no curvature estimated yet."""
        network = self.make(ConvolutionalPolicy, shape)
        self._curvature = KroneckerCurvature(
            network.layers, stat_decay=self.hyper.stat_decay, damping=self.hyper.damping
        )
        self._updates = 0
        self.optimizer = torch.optim.SGD(network.parameters(), momentum=self.hyper.momentum, lr=1.0)
        return network

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """Estimate the curvature, then take one natural step on the whole rollout."""
        observations = rollout.observations.flatten(0, 1).to(self.device)
        self._look(observations[:: self.hyper.sub_sampling_factor])
        loss = self.rollout_loss(rollout, observations)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        rise = max(self._curvature.precondition(), 1e-30)
        radius = self.hyper.target_kl * learning_rate / self.hyper.learning_rate
        length = min(learning_rate, math.sqrt(2.0 * radius / rise))
        for weight in self.network.parameters():
            if weight.grad is not None:
                weight.grad *= length * (1.0 - self.hyper.momentum)
        self.optimizer.step()

    def _look(self, observations: Tensor) -> None:
        """Estimate the curvature from the network's own predictions: sampled actions, noisy values.

        The actions and returns of the rollout would give the empirical Fisher matrix instead.
        """
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
