"""Playing the test split: which episodes count, and who is told what."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mlds_bench.benchmarks.run.evaluation import evaluate
from tests.envs.toys import LongWalk, NarrowingWalk, Walk

INSTANCES = 6


class Player:
    """Steps at random, and writes down what it is told."""

    def __init__(self) -> None:
        self.generator = np.random.default_rng(0)
        self.seen: list[npt.NDArray[np.float64]] = []
        self.told: list[tuple[int, npt.NDArray[np.bool_]]] = []

    def act(self, observation: Any) -> Any:
        self.seen.append(observation)
        return self.generator.integers(0, 3, INSTANCES)

    def reset(self, done: npt.NDArray[np.bool_]) -> None:
        self.told.append((len(self.seen), done.copy()))


def play(episodes: int, seed: int = 0) -> tuple[Player, dict[str, Any]]:
    player = Player()
    env = Walk(num_envs=INSTANCES, split="test")
    recording = evaluate(env, player.act, player.reset, seed=seed, episodes=episodes)
    return player, recording.arrays()


@pytest.mark.parametrize("episodes", [1, 2, 5])
def test_every_instance_ends_the_episodes_asked_for(episodes: int) -> None:
    """Neither more nor fewer, and the test stops with the step in which the last of them ends."""
    player, arrays = play(episodes)
    ended = arrays["terminated"] | arrays["truncated"]
    assert np.bincount(arrays["instance"], ended).tolist() == [episodes] * INSTANCES
    assert arrays["episode"].max() == episodes - 1
    assert ended[-1]
    assert np.bincount(arrays["instance"]).max() == len(player.seen)


def test_instances_end_at_different_times() -> None:
    """Else this file would show nothing: some play on while others have done enough."""
    _, arrays = play(2)
    assert len(set(np.bincount(arrays["instance"]))) > 1


def test_the_agent_is_told_which_instances_begin_anew() -> None:
    """All of them before its first action; then those that ended, not at the end of the test."""
    player, arrays = play(2)
    (first, everyone), *later = player.told
    assert first == 0
    assert everyone.all()
    time = np.zeros(INSTANCES, np.int64)
    expected: dict[int, set[int]] = {}
    ended = arrays["terminated"] | arrays["truncated"]
    for instance, done in zip(arrays["instance"], ended, strict=True):
        time[instance] += 1
        if done:
            expected.setdefault(int(time[instance]), set()).add(int(instance))
    assert {step: set(np.flatnonzero(row)) for step, row in later} == {
        step: rows for step, rows in expected.items() if step < len(player.seen)
    }


def test_the_recording_holds_what_the_agent_saw_and_did() -> None:
    """Observation and action of a step stand in one row."""
    player, arrays = play(1)
    again = np.random.default_rng(0)
    actions = [again.integers(0, 3, INSTANCES) for _ in player.seen]
    for instance in range(INSTANCES):
        mine = arrays["instance"] == instance
        steps = range(mine.sum())
        seen = [player.seen[step][instance] for step in steps]
        assert np.array_equal(arrays["observation"][mine], seen)
        assert arrays["action"][mine].tolist() == [actions[step][instance] for step in steps]


def test_the_seed_decides_the_test() -> None:
    """The same seed is the same test, another seed is not."""
    one, same, other = play(1, seed=3)[1], play(1, seed=3)[1], play(1, seed=4)[1]
    assert np.array_equal(one["observation"], same["observation"])
    assert not np.array_equal(one["observation"][:6], other["observation"][:6])


def ends(env: LongWalk) -> dict[str, Any]:
    """How the episodes of agents that walk upwards ended."""
    act = lambda observation: np.full(len(observation), 2)  # noqa: E731
    return evaluate(env, act, lambda done: None, seed=5, episodes=2).arrays()


def test_instances_that_are_done_cost_little_and_change_nothing() -> None:
    """The room goes on without them; the agent still sees the whole batch."""
    whole = ends(LongWalk(num_envs=40, horizon=9, split="test"))
    room = NarrowingWalk(num_envs=40, horizon=9, split="test")
    np.testing.assert_equal(ends(room), whole)
    assert len(whole["instance"]) == 80
    assert len(room.instances) < 20
