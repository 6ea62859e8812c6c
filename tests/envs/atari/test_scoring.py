"""Scores against literals, their direction, and what may not move them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlds_bench.envs.atari.env import Breakout
from mlds_bench.envs.recorders import EndRecorder
from mlds_bench.envs.registry import ENVIRONMENTS
from tests.envs.recorded import ends_of

Game = tuple[int, int, list[float], int]
score = ENVIRONMENTS["mlds/Breakout-v0"].score


def recording(*games: Game) -> EndRecorder:
    """Games of (instance, episode, returns of the lives, length), in the order they ended."""
    instances, episodes, lives, lengths = zip(*games, strict=True)
    ends = {
        "length": np.array(lengths),
        "lives": np.array([len(returns) for returns in lives]),
        "return": np.array([sum(returns) for returns in lives]),
    }
    return ends_of(instances, ends, episodes)


def test_literals() -> None:
    """Two games, five lives and three; the third game is one more of an instance than all have."""
    scores = score(
        recording(
            (1, 0, [4.0, 0.0, 0.0], 30),
            (1, 1, [900.0, 0.0], 10),
            (0, 0, [1.0, 2.0, 3.0, 0.0, 0.0], 50),
        )
    )
    assert scores == {
        "mean_return": 5.0,
        "mean_life_return": 10.0 / 8.0,
        "mean_length": 40.0,
        "games": 2.0,
        "lives": 8.0,
    }


def test_short_games_are_not_heard_more_often() -> None:
    """An instance that ends ten bad games while another plays one good one counts once."""
    short: list[Game] = [(0, k, [0.0], 5) for k in range(10)]
    assert score(recording(*short, (1, 0, [8.0], 100)))["mean_return"] == 4.0


def test_every_instance_must_have_ended_a_game() -> None:
    """Else there is nothing to say of it."""
    with pytest.raises(ValueError, match="instance 0 has ended no episode: play on"):
        score(recording((1, 0, [1.0], 5)))


@pytest.mark.parametrize("name", ["mean_return", "mean_life_return"])
def test_more_points_score_higher(name: str) -> None:
    """Perfect over good over collapsed play; shifting points from life to life changes nothing."""
    perfect, good, moved, collapsed = (
        score(recording((0, 0, lives, 9), (1, 0, lives, 9)))[name]
        for lives in ([432.0] * 2, [7.0, 1.0], [0.0, 8.0], [0.0, 0.0])
    )
    assert perfect > good == moved > collapsed == 0.0


def test_a_life_and_a_game_are_not_confused() -> None:
    """A game of five lives returns five times a life."""
    scores = score(recording((0, 0, [3.0] * 5, 9)))
    assert scores["mean_return"] == 5.0 * scores["mean_life_return"]


def test_training_settings_do_not_enter_the_scores() -> None:
    """Clipped rewards and ends at a life, asked for by an agent, leave the scores as they are."""
    results = []
    for options in ({}, {"clip_rewards": True, "life_ends": True}):
        made: dict[str, Any] = options
        env = Breakout(num_envs=2, split="test", size=16, stack=1, **made)
        env.reset(seed=0)
        generator = np.random.default_rng(0)
        while not env.recording.ended.all():
            env.step(generator.integers(4, size=2))
        results.append(score(env.recording, **made))
    assert results[0] == results[1]
    assert results[0]["lives"] == 10.0
