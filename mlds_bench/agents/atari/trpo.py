"""Trust region policy optimization: natural gradients of a length that keeps the policy near."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import torch
from torch import Tensor
from torch.nn import functional

from mlds_bench.agents.atari.actor_critic import ActorCriticAgent, ActorCriticHyperparameters
from mlds_bench.agents.atari.networks import SeparatePolicy
from mlds_bench.agents.atari.rollouts import Rollout
from mlds_bench.agents.atari.views import Shape
from mlds_bench.agents.numerics.natural_gradient import (
    conjugate_gradient,
    curvature_product,
    flat,
    move,
    step_length,
)
from mlds_bench.agents.numerics.policy_losses import (
    log_probabilities,
    mean_divergence,
    mean_entropy,
    standardized,
)
from mlds_bench.common.bounds import above, at_least, whole


@dataclass(frozen=True)
class TrpoHyperparameters(ActorCriticHyperparameters):
    """Settings of TRPO, those of `ActorCriticHyperparameters` among them.

    Attributes:
        horizon: steps of each instance for one step of the policy, which wants many.
        learning_rate: of the critic, at the start; it falls to zero along a line over the budget.
        divergence: of the new policy from the old, at most, in nats; it falls likewise.
        damping: added to the diagonal of the Fisher matrix.
        iterations: of the conjugate gradient.
        fisher_share: one step in so many stands for all where the Fisher matrix is estimated.
        backtracks: times that a step is halved, if it is too far or makes things worse, before it
            is given up.
        epochs: times that the critic learns from a rollout.
        minibatches: into which the rollout is parted for it.
    """

    horizon: int = 128
    divergence: float = 0.02
    damping: float = 0.1
    iterations: int = 10
    fisher_share: int = 4
    backtracks: int = 8
    epochs: int = 3
    minibatches: int = 8

    def __post_init__(self) -> None:
        super().__post_init__()
        counts = {"iterations": self.iterations, "fisher_share": self.fisher_share}
        whole(1, **counts, epochs=self.epochs, minibatches=self.minibatches)
        whole(0, backtracks=self.backtracks)
        above(0.0, divergence=self.divergence)
        at_least(0.0, damping=self.damping)


class TrpoAgent(ActorCriticAgent):
    """TRPO (Schulman et al. 2015): conjugate gradient, then a search back along the line."""

    hyper: TrpoHyperparameters
    network: SeparatePolicy
    hyperparameters: ClassVar[type] = TrpoHyperparameters
    name = "trpo"

    def make_network(self, shape: Shape) -> SeparatePolicy:
        """Two networks; Adam, of the critic, starts anew."""
        network = self.make(SeparatePolicy, shape)
        self.optimizer = torch.optim.Adam(network.critic.parameters(), eps=1e-5, fused=True)
        *body, _ = network.actor.layers  # the last judges, which the critic does
        self._steered = [weight for layer in body for weight in layer.parameters()]
        return network

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """One step of the policy, then epochs of the critic."""
        advantages, targets = (values.to(self.device) for values in self.advantages(rollout))
        observations = rollout.observations.flatten(0, 1).to(self.device)
        radius = self.hyper.divergence * learning_rate / self.hyper.learning_rate
        self._step(observations, rollout.actions.flatten().to(self.device), advantages, radius)
        self._judge(observations, targets, learning_rate)

    def _step(
        self, observations: Tensor, actions: Tensor, advantages: Tensor, radius: float
    ) -> None:
        actor, weights = self.network.actor, standardized(advantages)
        old_logits = actor(observations)[0]
        old = log_probabilities(old_logits, actions).detach()

        def gain(logits: Tensor) -> Tensor:
            surrogate = ((log_probabilities(logits, actions) - old).exp() * weights).mean()
            return surrogate + self.hyper.entropy_weight * mean_entropy(logits)

        before = gain(old_logits)
        slope = flat(torch.autograd.grad(before, self._steered))
        part = actor(observations[:: self.hyper.fisher_share])[0]
        fisher = curvature_product(
            mean_divergence(part.detach(), part), self._steered, damping=self.hyper.damping
        )
        direction = conjugate_gradient(fisher, slope, iterations=self.hyper.iterations)
        change = step_length(direction, fisher, divergence=radius) * direction
        start = flat(self._steered).detach()
        for halvings in range(self.hyper.backtracks + 1):
            move(self._steered, start, 0.5**halvings * change)
            with torch.no_grad():
                logits = actor(observations)[0]
                near = mean_divergence(old_logits, logits) <= radius
                if near and gain(logits) > before:
                    return
        move(self._steered, start, torch.zeros_like(start))

    def _judge(self, observations: Tensor, targets: Tensor, learning_rate: float) -> None:
        self.optimizer.param_groups[0]["lr"] = learning_rate
        size = -(-len(targets) // self.hyper.minibatches)
        for _ in range(self.hyper.epochs):
            order = torch.randperm(len(targets), generator=self.generator)
            for chosen in torch.split(order.to(self.device), size):
                values = self.network.critic(observations[chosen])[1]
                self.descend(self.optimizer, functional.mse_loss(values, targets[chosen]))
