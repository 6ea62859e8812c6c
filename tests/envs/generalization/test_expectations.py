"""Closed forms of chance against the lecture's figures and against drawing."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest

from mlds_bench.envs.generalization.expectations import (
    expected_maximum,
    expected_search_regret,
    expected_selection_regret,
    hit_probability,
    tries_needed,
)


def test_the_lectures_count() -> None:
    """N = 1000 and 90 %: 230 tries meet the top 10, 22 the top 100."""
    assert tries_needed(10, 1000, 0.9) == 230
    assert tries_needed(100, 1000, 0.9) == 22
    for top, tries in ((10, 230), (100, 22)):
        assert hit_probability(tries, top, 1000) >= 0.9 > hit_probability(tries - 1, top, 1000)


def test_the_count_holds_when_tries_are_drawn() -> None:
    """Share of 20,000 searches that meet the top 10 of 1000 within 230 tries."""
    drawn = np.random.default_rng(0).integers(1000, size=(20_000, 230))
    share = (drawn < 10).any(1).mean()
    assert share == pytest.approx(hit_probability(230, 10, 1000), abs=0.01)


def test_the_expected_maximum_is_the_mean_over_all_draws() -> None:
    """Every set of three of seven values, ties included."""
    values = np.array([0.3, 0.9, 0.1, 0.9, 0.5, 0.2, 0.7])
    sets = [max(some) for some in combinations(values, 3)]
    assert expected_maximum(values, 3) == pytest.approx(np.mean(sets))
    assert expected_maximum(values, 7) == 0.9


def test_the_expected_regret_of_a_selection_is_that_of_drawing() -> None:
    """Two data sets; an episode in ten has no choice and counts as the worst."""
    accuracies = (np.linspace(0.5, 0.9, 30), np.linspace(0.2, 0.4, 20) ** 2)
    generator = np.random.default_rng(0)
    regrets = []
    for _ in range(20_000):
        values = accuracies[generator.integers(2)]
        some = generator.choice(values, 4, replace=False)
        regrets.append(some.max() - (some[0] if generator.random() < 0.9 else some.min()))
    expected = expected_selection_regret(accuracies, 4, no_choice=0.1)
    assert np.mean(regrets) == pytest.approx(expected, abs=0.003)


def test_the_expected_regret_of_a_search_is_that_of_drawing() -> None:
    """With ties in validation accuracy, of which the first told is taken."""
    generator = np.random.default_rng(0)
    test = generator.random(40)
    validation = np.round(test + 0.3 * generator.standard_normal(40), 1)
    tries = generator.integers(40, size=(40_000, 5))
    chosen = np.take_along_axis(tries, validation[tries].argmax(1)[:, None], 1)[:, 0]
    drawn = (test.max() - test[chosen]).mean()
    assert expected_search_regret(validation, test, 5) == pytest.approx(drawn, abs=0.005)


def test_one_try_is_a_random_setting() -> None:
    """And very many tries are the best on validation."""
    validation, test = np.array([1.0, 3.0, 2.0]), np.array([0.5, 0.8, 0.9])
    assert expected_search_regret(validation, test, 1) == pytest.approx(0.9 - 2.2 / 3)
    assert expected_search_regret(validation, test, 1000) == pytest.approx(0.1)
