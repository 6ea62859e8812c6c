"""Searches without a model."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest

from mlds_bench.agents.generalization.search import (
    GridSearch,
    RandomSettings,
    SuccessiveHalving,
    coarse_grid,
)
from mlds_bench.envs.generalization.env import HyperparameterSearch
from tests.agents.generalization.makers import history, make_agent, scores


def test_a_coarse_grid_has_the_ends_of_the_first_axes() -> None:
    """Four axes of 16 settings; the others stay at their middle."""
    grid = coarse_grid((2, 2, 2, 2, 3, 3, 3), 16)
    assert grid.tolist() == [[*ends, 1, 1, 1] for ends in product((0, 1), repeat=4)]
    assert coarse_grid((3, 3), 4).tolist() == [[0, 0], [0, 2], [2, 0], [2, 2]]
    assert coarse_grid((3, 2), 1).tolist() == [[1, 1]]


def test_the_grid_is_walked_once() -> None:
    """The settings in order, all of them to the end."""
    agent = make_agent(GridSearch, HyperparameterSearch)
    env = HyperparameterSearch(num_envs=3, seed=0)
    seen, _ = env.reset()
    walked = []
    for _ in range(16):
        action = agent.act(seen)
        walked.append(action)
        seen, *_ = env.step(action)
    path = np.stack(walked)
    assert (path == path[:, :1]).all()
    assert path[:, 0, :-1].tolist() == agent.grid.tolist()
    assert (path[:, :, -1] == 2).all()


def test_random_settings_are_uniform() -> None:
    """Each level of each axis equally often."""
    agent = make_agent(RandomSettings, HyperparameterSearch)
    seen = {name: np.repeat(value, 9000, 0) for name, value in history([], [], []).items()}
    actions = agent.act(seen)
    assert (actions[:, -1] == 2).all()
    for axis, levels in enumerate((2, 2, 2, 2, 3, 3, 3)):
        share = np.bincount(actions[:, axis], minlength=levels) / 9000
        assert share == pytest.approx(np.full(levels, 1 / levels), abs=0.02)


def test_halving_goes_on_with_the_best_third() -> None:
    """48 tries of a ninth, the best 16 for a third, the best five of those to the end."""
    agent = make_agent(SuccessiveHalving, HyperparameterSearch)
    generator = np.random.default_rng(0)
    grid = list(product(*(range(levels) for levels in (2, 2, 2, 2, 3, 3, 3))))
    settings = [list(grid[row]) for row in generator.permutation(432)[:48]]
    accuracy = generator.permutation(48) / 100
    order = np.argsort(-accuracy)
    tries, rungs, told = [*settings], [0] * 48, [*accuracy.tolist()]
    for place in range(16):
        (action,) = agent.act(history(tries, rungs, told))
        assert action.tolist() == [*settings[order[place]], 1]
        tries, rungs, told = [*tries, action[:-1].tolist()], [*rungs, 1], [*told, place / 100]
    for place in range(5):
        (action,) = agent.act(history(tries, rungs, told))
        assert action.tolist() == [*settings[order[15 - place]], 2]
        tries, rungs, told = [*tries, action[:-1].tolist()], [*rungs, 2], [*told, 0.5]
    (action,) = agent.act(history(tries[:7], rungs[:7], told[:7]))
    assert action[-1] == 0


def test_budgets_are_spent_on_as_many_tries() -> None:
    """16 whole trainings; halving has 48 + 16 + 5 tries, and one for what is left."""
    for cls, tries in ((RandomSettings, 16.0), (GridSearch, 16.0), (SuccessiveHalving, 70.0)):
        got = scores(make_agent(cls, HyperparameterSearch), HyperparameterSearch, num_envs=5)
        assert got["tries"] == tries
