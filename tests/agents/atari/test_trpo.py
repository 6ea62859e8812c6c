"""What is TRPO's own: a step that gains, stays near, and leaves the critic be."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mlds_bench.agents.atari.rollouts import Rollout
from mlds_bench.agents.atari.trpo import TrpoAgent
from mlds_bench.agents.numerics.policy_losses import mean_kl
from tests.agents.atari.catch import make_agent, make_player

SMALL: dict[str, Any] = {"num_envs": 20, "convolutions": ((8, 4, 4),), "hidden": 32}


def played(agent: TrpoAgent) -> Rollout:
    return make_player(agent, num_envs=20, steps=16).play()


def divergence(agent: TrpoAgent, rollout: Rollout) -> float:
    """From the policy that played to the agent as it stands."""
    with torch.no_grad():
        now = agent.network(rollout.observations.flatten(0, 1))[0]
    return mean_kl(rollout.logits.flatten(0, 1), now).item()


@pytest.mark.parametrize("radius", [0.001, 0.05])
def test_a_step_goes_as_far_as_it_may(radius: float) -> None:
    """Not beyond the radius, and not a tenth of it."""
    agent = make_agent(TrpoAgent, target_kl=radius, cg_damping=1e-3, **SMALL)
    rollout = played(agent)
    agent.improve(rollout, agent.hyper.learning_rate)
    assert 0.2 * radius < divergence(agent, rollout) <= radius


def test_a_step_makes_likelier_what_paid() -> None:
    """The mean advantage weighed by the ratio of probabilities rises."""
    agent = make_agent(TrpoAgent, ent_coef=0.0, **SMALL)
    rollout = played(agent)
    advantages = agent.advantages(rollout)[0].numpy()
    agent.improve(rollout, agent.hyper.learning_rate)
    rows = np.arange(len(advantages)), rollout.actions.flatten().numpy()
    with torch.no_grad():
        new = agent.network(rollout.observations.flatten(0, 1))[0].softmax(1).numpy()[rows]
    ratio = new / rollout.logits.flatten(0, 1).softmax(1).numpy()[rows]
    assert float(np.mean((ratio - 1.0) * (advantages - advantages.mean()))) > 0.0


def test_the_end_of_the_budget_moves_nothing() -> None:
    """Radius and learning rate are 0 there."""
    agent = make_agent(TrpoAgent, **SMALL)
    before = [weight.clone() for weight in agent.network.parameters()]
    agent.improve(played(agent), 0.0)
    assert all(map(torch.equal, before, agent.network.parameters()))


def test_the_critic_learns_the_targets_and_the_actor_is_left_alone() -> None:
    """Its error falls over its epochs; not a weight is shared."""
    agent = make_agent(TrpoAgent, update_epochs=20, **SMALL)
    rollout = played(agent)
    targets = agent.advantages(rollout)[1]
    before = [weight.clone() for weight in agent.network.actor.parameters()]
    errors = []
    for _ in range(2):
        with torch.no_grad():
            values = agent.network(rollout.observations.flatten(0, 1))[1]
        errors.append((values - targets).square().mean().item())
        agent._judge(rollout.observations.flatten(0, 1), targets, 3e-3)
    assert errors[1] < 0.8 * errors[0]
    assert all(map(torch.equal, before, agent.network.actor.parameters()))
