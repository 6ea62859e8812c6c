"""Anchors of homework 1-3 against closed forms over the table of the zoo."""

from __future__ import annotations

from itertools import combinations
from math import comb

import numpy as np
import pytest

from mlds_bench.agents.baselines.players import middle
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.envs.generalization import data
from mlds_bench.envs.generalization.env import HyperparameterSearch, ModelSelection
from mlds_bench.envs.generalization.expectations import (
    expected_search_regret,
    expected_selection_regret,
)
from mlds_bench.envs.generalization.specs import ModelSelectionSettings
from mlds_bench.envs.generalization.zoo.grid import FOLDS

SELECTION = VARIANTS["hw1-3/model-selection"]
SEARCH = VARIANTS["hw1-3/hyperparameter-search"]
ACCURACIES = tuple(zoo.accuracy for zoo in data.candidates("test"))


def folded(tries: int) -> float:
    """Expected regret of random search, mean over blocks and over all draws of eight folds.

    There are 12,870 draws: every hundredth stands for all.
    """
    draws = list(combinations(range(FOLDS), 8))[::100]
    assert len(draws) == comb(FOLDS, 8) // 100 + 1
    regrets = [
        expected_search_regret(block.right[:, -1][:, list(draw)].sum(1), block.accuracy, tries)
        for block in data.blocks("test")
        for draw in draws
    ]
    return float(np.mean(regrets))


def test_random_decisions_have_their_expected_regret() -> None:
    """A choice has 8 of 112 actions; who makes none in 120 decisions has the worst."""
    decisions = ModelSelectionSettings(**SELECTION.env_kwargs).decisions
    no_choice = (104 / 112) ** decisions
    expected = expected_selection_regret(ACCURACIES, 8, no_choice)
    assert SELECTION.anchors.random.value == pytest.approx(expected, abs=5e-5)
    assert SELECTION.anchors.pass_mark.value == pytest.approx(expected / 2, abs=5e-5)


def test_a_blind_choice_has_the_regret_of_chance() -> None:
    """The trivial anchor: one network, unseen."""
    expected = expected_selection_regret(ACCURACIES, 8)
    assert SELECTION.anchors.trivial.value == pytest.approx(expected, abs=5e-6)


def test_the_mark_of_the_search_is_random_search_with_four_times_the_budget() -> None:
    """64 whole trainings instead of 16: with 32 the middle of all axes would nearly pass."""
    assert SEARCH.anchors.pass_mark.value == pytest.approx(folded(64), abs=1e-4)


def test_the_trivial_search_is_the_middle_of_all_axes() -> None:
    """What `constant` plays, a third of a training, over and over."""
    env = HyperparameterSearch()
    *levels, rung = middle(env.single_action_space)
    assert rung == 1
    regrets = []
    for block in data.blocks("test"):
        setting = np.ravel_multi_index(tuple(levels), block.shape)
        regrets.append(block.accuracy.max() - block.accuracy[setting])
    assert SEARCH.anchors.trivial.value == pytest.approx(np.mean(regrets), abs=5e-5)


def test_random_actions_have_the_regret_that_was_simulated() -> None:
    """Fewer episodes than the anchor stands for, within their error."""
    env = HyperparameterSearch(num_envs=2000, split="test", seed=11)
    env.record(1)
    env.reset(seed=11)
    generator = np.random.default_rng(0)
    while not env.recording.is_complete:
        env.step(generator.integers([2, 2, 2, 2, 3, 3, 3, 3], size=(2000, 8)))
    regret = env.recording.arrays()["regret"]
    error = regret.std() / len(regret) ** 0.5
    assert SEARCH.anchors.random.value == pytest.approx(regret.mean(), abs=4 * error)


def test_the_actions_are_those_that_the_anchors_count() -> None:
    """8 choices, 104 reveals."""
    space = ModelSelection().single_action_space
    assert space.n == 112  # type: ignore[attr-defined]
