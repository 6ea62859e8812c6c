"""Curves: what is read from records."""

from __future__ import annotations

import numpy as np
import pytest

from mlds_bench.leaderboard.curves import episodes_of, read_curve, trailing_mean
from mlds_bench.leaderboard.record import Record
from tests.leaderboard.factory import GAME, content, game_record


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


def test_stretches_without_an_end_are_passed_over() -> None:
    """Steps and minutes are those of the stretches that know a return."""
    curve = read_curve(game_record([None, 2.0, None, 4.0]))
    assert curve is not None
    assert curve.steps.tolist() == [200.0, 400.0]
    assert curve.minutes.tolist() == [2.0, 4.0]
    assert curve.value.tolist() == [2.0, 3.0]


def test_returns_are_averaged_over_episodes_where_they_are_counted() -> None:
    """Thirty or more, as in the course's plots, to whole stretches."""
    curve = read_curve(game_record([0.0, 4.0, 1.0], [10, 20, 15]), by_episodes=True)
    assert curve is not None
    assert curve.value.tolist() == [0.0, 80.0 / 30.0, 95.0 / 35.0]


def test_episodes_follow_from_rewards_in_games_that_only_give_points() -> None:
    """What a record does not count; where a return may be zero or less, they stay unknown."""
    points = [
        {"env_steps": 100, "seconds": 1.0, "reward": 0.5, "episode_return": 2.5},
        {"env_steps": 150, "seconds": 2.0, "reward": 0.1, "episode_return": None},
        {"env_steps": 250, "seconds": 3.0, "reward": 1.0, "episode_return": 4.0},
    ]
    giving = Record.model_validate(content(**{**GAME, "curve": points}))
    assert episodes_of(giving) == pytest.approx([20.0, 25.0])
    curve = read_curve(giving, by_episodes=True)
    assert curve is not None
    assert curve.value.tolist() == pytest.approx([2.5, 150.0 / 45.0])
    assert episodes_of(game_record([2.0, 2.0])) is None
    assert episodes_of(game_record([2.0, 2.0], [3, 4])) == [3.0, 4.0]


def test_without_any_end_the_reward_is_shown() -> None:
    curve = read_curve(game_record([None, None]))
    assert curve is not None
    assert curve.value.tolist() == [-0.5, -0.5]


def test_one_point_is_no_curve() -> None:
    assert read_curve(game_record([1.0])) is None
