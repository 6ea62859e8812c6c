"""What the actor-critic agents share: the scale of the pixels, and the advantages."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlds_bench.agents.atari.a2c import A2cAgent
from mlds_bench.agents.atari.actor_critic import ActorCriticAgent
from mlds_bench.agents.atari.ppo import PpoAgent
from mlds_bench.agents.atari.rollouts import Rollout
from tests.agents.atari.catch import learn, make_agent

SMALL: dict[str, Any] = {
    "num_envs": 16,
    "num_steps": 16,
    "calibration": 2,
    "convolutions": ((8, 4, 4),),
    "hidden": 32,
}
ROLLOUT = 16 * 16


def test_the_scale_of_the_pixels_is_fitted_once(tmp_path: Path) -> None:
    """Whoever learns again, or learns on from a file, keeps the scale that the weights know."""
    agent, other = (make_agent(PpoAgent, **SMALL) for _ in range(2))
    learn(agent, 2 * ROLLOUT)
    mean = agent.network.scaling.mean.clone()
    assert mean.abs().sum() > 0.0
    agent.save(tmp_path)
    other.load(tmp_path)
    for again in (agent, other):
        learn(again, ROLLOUT)
        assert torch.equal(again.network.scaling.mean, mean)


@pytest.mark.parametrize("cls", [PpoAgent, A2cAgent])
def test_calibration_learns_nothing(cls: type[ActorCriticAgent]) -> None:
    """The weights move with the first rollout after it."""
    agent = make_agent(cls, **SMALL)
    before = [weight.clone() for weight in agent.network.parameters()]
    learn(agent, 3 * ROLLOUT - 1)
    assert all(map(torch.equal, before, agent.network.parameters()))
    assert agent.network.scaling.is_fitted
    learn(agent, 2 * ROLLOUT)
    assert not any(map(torch.equal, before[:2], agent.network.parameters()))


def rollout(*rewards: float) -> Rollout:
    """One instance; every value is 0.5; the last step ends the episode."""
    steps = len(rewards)
    halves, done = np.full((steps, 1), 0.5, np.float32), np.zeros((steps, 1), np.bool_)
    following = halves.copy()
    done[-1], following[-1] = True, 0.0
    nothing = torch.zeros(steps, 1, 1)
    paid = np.array(rewards, np.float32)[:, None]
    return Rollout(nothing, nothing, nothing[..., 0], halves, following, paid, done)


@pytest.mark.parametrize(
    ("rewards", "points_end", "advantages"),
    [
        ((0.0, -1.0, 0.0, 1.0), True, (-1.5, -1.5, 0.5, 0.5)),
        ((0.0, -1.0, 0.0, 1.0), False, (-0.5, -0.5, 0.5, 0.5)),
        ((0.0, 1.0, 0.0, 1.0), True, (1.5, 1.5, 0.5, 0.5)),  # Breakout: there are no points to lose
    ],
)
def test_points_end_what_steps_are_credited_with(
    rewards: tuple[float, ...], points_end: bool, advantages: tuple[float, ...]
) -> None:
    """By hand, with gamma and lambda 1: rewards to the end of credit, less the value."""
    agent = make_agent(PpoAgent, points_end=points_end, gamma=1.0, gae_lambda=1.0, **SMALL)
    found, targets = agent.advantages(rollout(*rewards))
    assert found.tolist() == pytest.approx(list(advantages))
    assert targets.tolist() == pytest.approx([value + 0.5 for value in advantages])


def test_a_game_that_took_points_once_takes_them() -> None:
    """A rollout without a lost point comes later in every game of Pong."""
    agent = make_agent(PpoAgent, gamma=1.0, gae_lambda=1.0, **SMALL)
    agent.advantages(rollout(-1.0, 0.0))
    assert agent.advantages(rollout(1.0, 1.0))[0].tolist() == pytest.approx([0.5, 0.5])
