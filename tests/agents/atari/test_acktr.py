"""What is ACKTR's own: natural steps of a length that keeps the policy near."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from mlds_bench.agents.atari.acktr import AcktrAgent
from mlds_bench.agents.atari.rollouts import Rollout
from mlds_bench.agents.numerics.policy_losses import mean_kl
from tests.agents.atari.catch import make_agent, make_player

SMALL: dict[str, Any] = {"num_envs": 40, "convolutions": ((8, 4, 4),), "hidden": 32}


def played(agent: AcktrAgent) -> Rollout:
    return make_player(agent, num_envs=40, steps=16).play()


def divergence_of_a_step(**settings: Any) -> float:
    """From the policy that played to the one after the first step."""
    return divergence_of_steps(1, momentum=0.0, **settings)[0]


def divergence_of_steps(count: int, left: float = 1.0, **settings: Any) -> list[float]:
    """Of each from the one before, all with the same rollout and that share of the budget left."""
    agent = make_agent(AcktrAgent, **SMALL, **settings)
    rollout = played(agent)
    observations, before, far = rollout.observations.flatten(0, 1), rollout.logits.flatten(0, 1), []
    for _ in range(count):
        agent.improve(rollout, left * agent.hyper.learning_rate)
        with torch.no_grad():
            now = agent.network(observations)[0]
        far.append(mean_kl(before, now).item())
        before = now
    return far


@pytest.mark.parametrize("radius", [1e-4, 1e-3])
def test_steps_go_as_far_as_they_may(radius: float) -> None:
    """Without values, which take their part of the radius, the policy goes that far, about."""
    far = divergence_of_a_step(target_kl=radius, learning_rate=1e9, vf_coef=0.0, damping=1e-4)
    assert 0.3 * radius < far < 2.0 * radius


def test_the_radius_falls_with_the_learning_rate() -> None:
    """When a quarter of the budget is left, to a quarter."""
    free = {"learning_rate": 1e9, "target_kl": 1e-3}
    first, late = (divergence_of_a_step(left=left, **free) for left in (1.0, 0.25))
    assert late == pytest.approx(first / 4.0, rel=0.2)


def test_the_curvature_is_that_of_a_share_of_the_steps() -> None:
    """One in eight of 16 steps of 40 instances; the factors have no more to see."""
    agent = make_agent(AcktrAgent, sub_sampling_factor=8, **SMALL)
    agent.improve(played(agent), 0.01)
    assert {len(inputs) for inputs in agent._curvature._inputs} == {80}


def test_momentum_averages_steps() -> None:
    """Where gradient after gradient points the same way, they add up to no more than one step."""
    bound = {"learning_rate": 1e9, "vf_coef": 0.0, "stat_decay": 0.5, "inversion_interval": 1}
    far = divergence_of_steps(20, target_kl=1e-3, momentum=0.9, **bound)
    assert 0.3e-3 < max(far) < 4e-3


def test_a_small_learning_rate_binds_before_the_radius() -> None:
    """However far the policy may go."""
    assert abs(divergence_of_a_step(target_kl=1.0, learning_rate=1e-5)) < 1e-6


def test_the_curvature_is_inverted_now_and_then() -> None:
    """In the first rollout and every third after; in between the inverses stay."""
    agent = make_agent(AcktrAgent, inversion_interval=3, **SMALL)
    seen = []
    for _ in range(4):
        agent.improve(played(agent), 0.01)
        seen.append(agent._curvature._inverses)
    assert seen[0] is seen[1] is seen[2]
    assert seen[3] is not seen[0]
