"""Scores against literals, a second implementation, and in their directions."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import kendalltau

from mlds_bench.envs.generalization.scoring import (
    kendall_tau,
    regret,
    search_scores,
    selection_scores,
)

ACCURACY = np.array([[0.9, 0.7, 0.8, 0.6]])


@pytest.mark.parametrize(
    ("place", "expected"),
    [([1, 3, 2, 4], 0.0), ([0, 1, 0, 0], 0.2), ([0, 0, 2, 1], 0.3), ([0, 0, 0, 0], 0.3)],
)
def test_regret_is_what_the_first_choice_lacks(place: list[int], expected: float) -> None:
    """Best minus chosen; no choice counts as the worst."""
    assert regret(np.array([place]), ACCURACY) == pytest.approx([expected])


@pytest.mark.parametrize(
    ("place", "expected"),
    [
        ([1, 3, 2, 4], 1.0),
        ([4, 2, 3, 1], -1.0),
        ([1, 2, 3, 4], 4 / 6),
        ([1, 0, 0, 0], 1.0),
        ([0, 1, 0, 0], -1 / 3),
        ([0, 0, 0, 0], 0.0),
    ],
)
def test_tau_counts_pairs(place: list[int], expected: float) -> None:
    """By hand: of [1, 2, 3, 4] one pair of six is discordant."""
    assert kendall_tau(np.array([place]), ACCURACY) == pytest.approx([expected])


def test_tau_of_a_whole_order_is_scipys() -> None:
    """Over random orders of eight; without ties all three taus agree."""
    generator = np.random.default_rng(0)
    accuracy = generator.random((50, 8))
    place = np.stack([generator.permutation(8) + 1 for _ in range(50)])
    expected = [kendalltau(-p, a).statistic for p, a in zip(place, accuracy, strict=True)]
    assert kendall_tau(place, accuracy) == pytest.approx(expected)


def test_pairs_of_equal_accuracy_do_not_count() -> None:
    """Two networks alike: their order is neither right nor wrong."""
    accuracy = np.array([[0.9, 0.8, 0.8]])
    assert kendall_tau(np.array([[1, 2, 3]]), accuracy) == pytest.approx([1.0])
    assert kendall_tau(np.array([[1, 3, 2]]), accuracy) == pytest.approx([1.0])


def test_selection_scores_are_means_over_episodes() -> None:
    """Two episodes, one perfect and one without a choice."""
    ends = {
        "place": np.array([[1, 3, 2, 4], [0, 0, 0, 0]]),
        "accuracy": np.repeat(ACCURACY, 2, axis=0),
        "cost": np.array([0.01, 0.03]),
    }
    scores = selection_scores(ends)
    assert scores == pytest.approx({"regret": 0.15, "kendall_tau": 0.5, "cost": 0.02})


def test_search_scores_are_means_over_episodes() -> None:
    """Rank 10 of 100 is among the best tenth, rank 11 is not."""
    ends = {
        "regret": np.array([0.0, 0.1, 0.2]),
        "rank": np.array([1, 10, 11]),
        "settings": np.array([100, 100, 100]),
        "tries": np.array([2, 4, 6]),
    }
    expected = {"regret": 0.1, "top_tenth": 2 / 3, "tries": 4.0}
    assert search_scores(ends) == pytest.approx(expected)
