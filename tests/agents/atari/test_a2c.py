"""What is A2C's own: one step a rollout, against the formula written anew."""

from __future__ import annotations

import torch
from torch.nn import functional

from mlds_bench.agents.atari.a2c import A2cAgent
from tests.agents.atari.catch import make_agent, make_player


def test_a_rollout_is_one_step_of_the_plain_formula() -> None:
    """The gradient, and the step of Adam that it makes."""
    agent = make_agent(
        A2cAgent, num_envs=10, max_grad_norm=1e9, convolutions=((8, 4, 4),), hidden=32
    )
    rollout = make_player(agent, num_envs=10, steps=8).play()
    advantages, targets = agent.advantages(rollout)
    logits, values = agent.network(rollout.observations.flatten(0, 1))
    chances = logits.softmax(1)
    chosen = chances[torch.arange(80), rollout.actions.flatten()]
    loss = (
        -((advantages - advantages.mean()) / advantages.std() * chosen.log()).mean()
        + 0.5 * functional.mse_loss(values, targets)
        + 0.01 * (chances * chances.log()).sum(1).mean()
    )
    parameters = [*agent.network.parameters()]
    gradients = torch.autograd.grad(loss, parameters)
    before = [parameter.detach().clone() for parameter in parameters]
    agent.improve(rollout, 1e-3)
    for parameter, gradient, old in zip(parameters, gradients, before, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5)
        step = 1e-3 * gradient / (gradient.abs() + 1e-5)  # Adam's first
        torch.testing.assert_close(parameter.detach(), old - step, rtol=1e-3, atol=2e-5)
