"""Trust region policy optimization: natural steps that keep the new policy close to the old."""

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
from mlds_bench.agents.numerics.descent import descend
from mlds_bench.agents.numerics.natural_gradient import (
    conjugate_gradient,
    curvature_product,
    flat,
    move,
    step_length,
)
from mlds_bench.agents.numerics.policy_losses import (
    log_probabilities,
    mean_entropy,
    mean_kl,
    standardized,
)
from mlds_bench.common.bounds import above, at_least, whole


@dataclass(frozen=True)
class TrpoHyperparameters(ActorCriticHyperparameters):
    """Hyper-parameters of TRPO, on top of `ActorCriticHyperparameters`.

    Attributes:
        num_steps: steps per environment in a rollout; a single policy update needs many.
        learning_rate: of the critic, initially; it falls linearly to zero over the budget.
        target_kl: upper bound on the divergence of the new policy from the old one (nats); it
            falls with the learning rate.
        cg_damping: added to the diagonal of the Fisher matrix.
        cg_max_steps: iterations of the conjugate gradient method.
        sub_sampling_factor: the Fisher matrix is estimated from one in so many steps.
        max_backtracks: how often a step that goes too far, or gains nothing, is halved before it
            is given up.
        update_epochs: passes of the critic over each rollout.
        num_minibatches: minibatches per pass.
        max_grad_norm: upper bound on the norm of the critic's gradient.
    """

    num_steps: int = 128
    target_kl: float = 0.02
    cg_damping: float = 0.1
    cg_max_steps: int = 10
    sub_sampling_factor: int = 4
    max_backtracks: int = 8
    update_epochs: int = 3
    num_minibatches: int = 8
    max_grad_norm: float = 0.5

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(1, cg_max_steps=self.cg_max_steps, sub_sampling_factor=self.sub_sampling_factor)
        whole(1, update_epochs=self.update_epochs, num_minibatches=self.num_minibatches)
        whole(0, max_backtracks=self.max_backtracks)
        above(0.0, target_kl=self.target_kl, max_grad_norm=self.max_grad_norm)
        at_least(0.0, cg_damping=self.cg_damping)


class TrpoAgent(ActorCriticAgent):
    """TRPO (Schulman et al. 2015): conjugate gradient, then a backtracking line search."""

    hyper: TrpoHyperparameters
    network: SeparatePolicy
    hyperparameters: ClassVar[type] = TrpoHyperparameters
    name = "trpo"

    def make_network(self, shape: Shape) -> SeparatePolicy:
        """Separate actor and critic, and a fresh optimizer for the critic."""
        network = self.make(SeparatePolicy, shape)
        self.optimizer = torch.optim.Adam(network.critic.parameters(), eps=1e-5, fused=True)
        *body, _ = network.actor.layers  # the last is the value head, which the critic has
        self._steered = [weight for layer in body for weight in layer.parameters()]
        return network

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """Take one step of the policy, then several passes of the critic."""
        advantages, targets = (values.to(self.device) for values in self.advantages(rollout))
        observations = rollout.observations.flatten(0, 1).to(self.device)
        radius = self.hyper.target_kl * learning_rate / self.hyper.learning_rate
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
            return surrogate + self.hyper.ent_coef * mean_entropy(logits)

        before = gain(old_logits)
        slope = flat(torch.autograd.grad(before, self._steered))
        part = actor(observations[:: self.hyper.sub_sampling_factor])[0]
        fisher = curvature_product(
            mean_kl(part.detach(), part), self._steered, damping=self.hyper.cg_damping
        )
        direction = conjugate_gradient(fisher, slope, max_steps=self.hyper.cg_max_steps)
        change = step_length(direction, fisher, target_kl=radius) * direction
        start = flat(self._steered).detach()
        for halvings in range(self.hyper.max_backtracks + 1):
            move(self._steered, start, 0.5**halvings * change)
            with torch.no_grad():
                logits = actor(observations)[0]
                near = mean_kl(old_logits, logits) <= radius
                if near and gain(logits) > before:
                    return
        move(self._steered, start, torch.zeros_like(start))

    def _judge(self, observations: Tensor, targets: Tensor, learning_rate: float) -> None:
        self.optimizer.param_groups[0]["lr"] = learning_rate
        size = -(-len(targets) // self.hyper.num_minibatches)
        for _ in range(self.hyper.update_epochs):
            order = torch.randperm(len(targets), generator=self.generator)
            for chosen in torch.split(order.to(self.device), size):
                values = self.network.critic(observations[chosen])[1]
                parameters = self.network.critic.parameters()
                loss = functional.mse_loss(values, targets[chosen])
                descend(self.optimizer, loss, parameters, max_grad_norm=self.hyper.max_grad_norm)
