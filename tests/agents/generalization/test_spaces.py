"""The spaces are read, and others are refused in one line."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium import spaces

from mlds_bench.agents.base import Unsupported
from mlds_bench.agents.generalization.spaces import search, selection
from mlds_bench.envs.generalization.env import HyperparameterSearch, ModelSelection
from mlds_bench.envs.generalization.specs import PROBES
from tests.agents.generalization.makers import history


def test_a_selection_is_read_from_its_spaces() -> None:
    """Names of the probes in the order of the actions."""
    env = ModelSelection()
    games = selection("X", env.single_observation_space, env.single_action_space)
    assert games.probes == tuple(PROBES)
    assert games.networks == 8
    assert games.revealing(2, games.index("margin")) == 2 * 13 + 6
    assert games.choosing(3) == 104 + 3


def test_a_search_is_read_from_its_spaces() -> None:
    """Levels of the axes, rungs, and the tries that the budget pays."""
    env = HyperparameterSearch(trainings=4)
    read = search("X", env.single_observation_space, env.single_action_space)
    assert read.levels == (2, 2, 2, 2, 3, 3, 3)
    assert (read.rungs, read.most_tries) == (3, 36)


def test_tries_are_read_from_the_observation() -> None:
    """Levels as they were, and how many."""
    env = HyperparameterSearch()
    read = search("X", env.single_observation_space, env.single_action_space)
    tries = [[1, 0, 1, 0, 2, 1, 0], [0, 0, 0, 1, 1, 2, 2]]
    seen = history(tries, [2, 0], [0.7, 0.6])
    assert read.tries(seen).tolist() == [2]
    assert read.tried(seen)[0, :2].tolist() == tries
    assert read.action(np.array(tries), 2).tolist() == [[*levels, 2] for levels in tries]


def test_other_spaces_are_refused() -> None:
    """Each names the variant that it is for."""
    box = spaces.Box(0.0, 1.0, (3,))
    with pytest.raises(Unsupported, match=r"X selects .* hw1-3/model-selection"):
        selection("X", box, spaces.Discrete(3))
    with pytest.raises(Unsupported, match=r"X tries .* hw1-3/hyperparameter-search"):
        search("X", box, box)
    other = HyperparameterSearch()
    with pytest.raises(Unsupported, match="model-selection"):
        selection("X", other.single_observation_space, other.single_action_space)
