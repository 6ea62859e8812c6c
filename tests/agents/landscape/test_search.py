"""Searches without a gradient: what they probe, what they keep, what they solve."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from mlds_bench.agents.landscape.optimizer import LandscapeAgent
from mlds_bench.agents.landscape.search import EsAgent, RandomSearchAgent
from mlds_bench.envs.landscape.env import LossLandscape
from tests.agents.landscape.makers import make_agent, run

BOTH = [RandomSearchAgent, EsAgent]


def test_random_search_never_climbs() -> None:
    """Every move is one whose probe went down; the point stays where it did not."""
    result = run(RandomSearchAgent, 100, problem="quadratic", gradient=False, solved=0.0)
    loss = (result.theta**2 * [1.0, 3.0]).sum(axis=2)
    assert (loss[1:][result.moved] < loss[:-1][result.moved]).all()
    assert (result.theta[1:][~result.moved] == result.theta[:-1][~result.moved]).all()
    assert 0.1 < result.moved.mean() < 0.3  # one probe in five, and the move itself


def test_the_evolution_strategy_estimates_the_gradient() -> None:
    """Antithetic pairs are exact along their noise on a quadratic: the mean of (g.e) e."""
    env = LossLandscape(problem="quadratic", num_envs=3, gradient=False)
    agent = make_agent(EsAgent, env, pairs=2, sigma=0.1)
    observation, infos = env.reset(seed=0)
    gradient = 2.0 * infos["oracle"]["theta"] * [1.0, 3.0]
    noise = []
    for probe in range(4):
        actions = agent.act(observation)
        if probe % 2 == 0:
            noise.append(actions[:, :2] / 0.1)
        else:
            assert actions[:, :2] == pytest.approx(-0.1 * noise[-1])
        observation = env.step(actions)[0]
    expected = sum(np.einsum("nd,nd->n", gradient, e)[:, None] * e for e in noise) / 2.0
    assert isinstance(agent, EsAgent)
    agent._learn(observation["loss"][:, 0])
    assert agent._gradient == pytest.approx(expected)


@pytest.mark.parametrize("cls", BOTH)
def test_the_quadratic_is_solved_without_a_gradient(cls: type[LandscapeAgent]) -> None:
    """Nearly all, given 1000 queries and 1e-3."""
    kwargs: dict[str, Any] = {"query_budget": 1000, "solved": 1e-3, "gradient": False}
    assert run(cls, 1000, problem="quadratic", **kwargs).solved.mean() > 0.9


@pytest.mark.parametrize("cls", BOTH)
def test_the_same_with_and_without_a_gradient_and_in_any_batch(cls: type[LandscapeAgent]) -> None:
    """The gradient is not looked at, and instance 0 does not know of the others."""
    seen = run(cls, 30, count=4, problem="quadratic").theta
    hidden = run(cls, 30, count=4, problem="quadratic", gradient=False).theta
    alone = run(cls, 30, count=1, problem="quadratic").theta
    assert np.array_equal(seen, hidden)
    assert seen[:, :1] == pytest.approx(alone, rel=1e-12)


@pytest.mark.parametrize("cls", BOTH)
def test_the_seed_decides(cls: type[LandscapeAgent]) -> None:
    """Another seed, other steps; a reset agent begins with a probe again."""
    env = LossLandscape(problem="quadratic", num_envs=2)
    observation, _ = env.reset(seed=0)
    first, same, other = (make_agent(cls, env, seed=seed).act(observation) for seed in (0, 0, 1))
    assert np.array_equal(first, same)
    assert not np.array_equal(first, other)
    agent = make_agent(cls, env, **({"pairs": 1} if cls is EsAgent else {}))
    for _ in range(2):
        observation = env.step(agent.act(observation))[0]
    agent.reset(np.ones(2, np.bool_))
    assert (agent.act(observation)[:, -1] == -1.0).all()


@pytest.mark.parametrize(
    ("cls", "hyper", "line"),
    [
        (RandomSearchAgent, {"sigma": 0.0}, "sigma must be a finite number above 0, got 0.0"),
        (RandomSearchAgent, {"adaptation": -1.0}, "adaptation must be from 0 to 10, got -1.0"),
        (EsAgent, {"pairs": 0}, "pairs must be in 1..10000, got 0"),
    ],
)
def test_bad_settings_are_named(
    cls: type[LandscapeAgent], hyper: dict[str, Any], line: str
) -> None:
    """One line with the value and the bound."""
    with pytest.raises(UnknownHyperparameter, match=line):
        make_agent(cls, LossLandscape(problem="quadratic"), **hyper)


def test_more_pairs_than_queries_are_unsupported() -> None:
    """One line with both numbers."""
    with pytest.raises(Unsupported, match=r"es needs 201 queries .* the budget is 200"):
        make_agent(EsAgent, LossLandscape(problem="quadratic"), pairs=100)
