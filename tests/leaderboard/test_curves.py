"""Curves: what is read from records, and how it is smoothed."""

from __future__ import annotations

import numpy as np
import pytest

from mlds_bench.leaderboard.curves import (
    Curve,
    episodes_of,
    read_claims,
    read_curve,
    seconds_to_reach,
    trailing_mean,
)
from mlds_bench.leaderboard.results import Result
from tests.leaderboard.factory import game_result, make_result


def test_a_trailing_mean_by_hand() -> None:
    """Of fewer values at the start."""
    values, ones = np.array([1.0, 3.0, 5.0, 1.0]), np.ones(4)
    assert trailing_mean(values, ones, 2).tolist() == [1.0, 2.0, 4.0, 3.0]
    assert trailing_mean(values, ones, 1).tolist() == values.tolist()


def test_a_trailing_mean_of_weighted_values_by_hand() -> None:
    """As few of the last as weigh enough; one alone, where it outweighs the window."""
    values, weights = np.array([1.0, 3.0, 5.0, 1.0]), np.array([1.0, 3.0, 1.0, 7.0])
    assert trailing_mean(values, weights, 4).tolist() == [1.0, 2.5, 3.5, 1.0]
    assert trailing_mean(values, weights, 8).tolist() == [1.0, 2.5, 3.0, 1.5]


def curve_of(result: Result) -> Curve:
    curve = read_curve(result.record, result.task)
    assert curve is not None
    return curve


def test_stretches_without_an_end_are_passed_over() -> None:
    """Steps and seconds are those of the stretches that know a return."""
    curve = curve_of(game_result([None, -2.0, None, 4.0]))
    assert curve.steps.tolist() == [200.0, 400.0]
    assert curve.seconds.tolist() == [120.0, 240.0]
    assert curve.value.tolist() == [-2.0, 1.0]


def test_returns_are_averaged_over_episodes_where_they_are_counted() -> None:
    """Thirty or more, as in the course's plots, to whole stretches."""
    curve = curve_of(game_result([0.0, 4.0, 1.0], [10, 20, 15]))
    assert curve.value.tolist() == [0.0, 80.0 / 30.0, 95.0 / 35.0]


def test_episodes_follow_from_rewards_in_games_that_only_give_points() -> None:
    """What a record does not count; where a return may be zero or less, they stay unknown."""
    points = [
        {"env_steps": 100, "seconds": 1.0, "reward": 0.5, "episode_return": 2.5},
        {"env_steps": 150, "seconds": 2.0, "reward": 0.1, "episode_return": None},
        {"env_steps": 250, "seconds": 3.0, "reward": 1.0, "episode_return": 4.0},
    ]
    giving = game_result([], curve=points)
    assert episodes_of(giving.record) == pytest.approx([20.0, 25.0])
    assert curve_of(giving).value.tolist() == pytest.approx([2.5, 150.0 / 45.0])
    assert episodes_of(game_result([2.0, 2.0]).record) is None
    assert episodes_of(game_result([2.0, 2.0], [3, 4]).record) == [3.0, 4.0]


def test_without_any_end_the_reward_is_shown() -> None:
    assert curve_of(game_result([None, None])).value.tolist() == [-0.5, -0.5]


def test_errors_are_not_averaged() -> None:
    """They fall by powers of ten: a mean would show where they were, not where they are."""
    points = [
        {"env_steps": i, "seconds": 1.0 * i, "reward": -(0.1**i), "episode_return": -(0.1**i)}
        for i in (1, 2, 3)
    ]
    assert curve_of(make_result(curve=points)).value == pytest.approx([-0.1, -0.01, -0.001])


def test_one_point_is_a_curve_and_none_is_not() -> None:
    """An agent that reports once has learned, too."""
    assert curve_of(game_result([1.0])).value.tolist() == [1.0]
    none = game_result([])
    assert read_curve(none.record, none.task) is None


def test_claims_are_read_as_they_are() -> None:
    """Only the points at which the agent reported a score."""
    scores = (None, 0.5, 0.7)
    points = [
        {"env_steps": i, "seconds": 60.0 * i, "reward": 0.0, "episode_return": None, "score": score}
        for i, score in enumerate(scores)
    ]
    claims = read_claims(game_result([], curve=points).record)
    assert claims is not None
    assert (claims.steps.tolist(), claims.value.tolist()) == ([1.0, 2.0], [0.5, 0.7])
    assert read_claims(game_result([], curve=points[:1]).record) is None


def test_a_mark_is_reached_where_the_drawn_curve_reaches_it() -> None:
    """One rule of smoothing: the figure and the seconds to pass say the same."""
    result = game_result([-3.0, 1.0, 2.0, 5.0, 6.0], [40, 40, 10, 30, 30])
    curve = curve_of(result)
    for mark in (-3.0, 0.9, 1.25, 5.0, 6.0):
        reached = curve.seconds[curve.value >= mark][0]
        assert seconds_to_reach(result.record, mark) == reached
    assert seconds_to_reach(result.record, 6.1) is None
