"""A traced game is played again, picture by picture."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlds_bench.envs.atari import env as atari
from mlds_bench.envs.atari.env import Atari, AtariGame, Breakout, Pong
from mlds_bench.envs.atari.playback import SCREEN, read_game


def play(env: AtariGame, decisions: int, seed: int) -> list[Any]:
    """What instance 0 saw, at the start and after each decision."""
    choose = np.random.default_rng(seed)
    seen = [env.reset(seed=seed)[0][0]]
    for _ in range(decisions):
        actions = choose.integers(env.single_action_space.n, size=env.num_envs)  # type: ignore[attr-defined]
        seen.append(env.step(actions)[0][0])
    return seen


@pytest.mark.parametrize(
    ("make", "view"),
    [
        (Pong, {"size": 42, "stack": 2, "actions": "reduced"}),
        (Breakout, {"size": 30, "stack": 3, "difference": True, "actions": "reduced"}),
        (Breakout, {"size": 30, "stack": 2, "color": True}),
    ],
)
def test_the_agent_saw_what_the_replay_shows(make: Any, view: dict[str, Any]) -> None:
    """Sticky actions, no-ops before the start, a serve by itself: all of it comes again."""
    env = make(num_envs=2, split="test", **view)
    seen = play(env, 100, seed=11)
    again = list(read_game(env.recording).observations(env.view))
    assert len(again) == len(seen)
    assert all(np.array_equal(a, b) for a, b in zip(again, seen, strict=True))


def test_the_screen_is_in_color_as_the_game_draws_it() -> None:
    """In Pong our paddle is green, on brown ground."""
    env = Pong(split="test")
    play(env, 60, seed=1)
    screen = list(read_game(env.recording).screens())[-1]
    assert screen.shape == (*SCREEN, 3)
    assert (screen[100, 80] == (144, 72, 17)).all()
    assert (screen == (92, 186, 92)).all(-1).any()


def test_only_the_first_game_is_traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """And of it no more than pictures show."""
    monkeypatch.setattr("mlds_bench.envs.atari.emulator.MOST_FRAMES", 40)
    env = Atari(game="pong", split="test", num_envs=2)
    play(env, 25, seed=3)
    assert len(read_game(env.recording).buttons) == 10
    monkeypatch.undo()
    monkeypatch.setattr(atari, "TRACED_DECISIONS", 5)
    env = Atari(game="pong", split="test", num_envs=2)
    play(env, 25, seed=3)
    assert len(read_game(env.recording).buttons) == 5


def test_a_new_seed_begins_a_new_trace() -> None:
    env = Pong(split="test")
    play(env, 3, seed=1)
    first = read_game(env.recording)
    play(env, 3, seed=2)
    second = read_game(env.recording)
    assert first.seed != second.seed
    assert len(second.buttons) == 3


def test_the_train_split_traces_nothing() -> None:
    env = Pong()
    play(env, 3, seed=1)
    assert env.recording.trace == []
