"""Playing the test split: which episodes count, and who is told what."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mlds_bench.benchmarks.run.evaluation import evaluate
from tests.envs.toys import LongWalk, ShrinkingWalk, Walk

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
    """And the test stops with the step in which the last of them ends."""
    _, arrays = play(episodes)
    ended = (arrays["terminated"] | arrays["truncated"]).cumsum(axis=0)
    assert ended[-1].min() == episodes
    assert ended[-2].min() == episodes - 1
    assert arrays["episode"][-1].max() >= episodes - 1


def test_instances_end_at_different_times() -> None:
    """Else this file would show nothing: some play on while others have done enough."""
    _, arrays = play(2)
    assert len(set((arrays["terminated"] | arrays["truncated"]).sum(axis=0))) > 1


def test_the_agent_is_told_which_instances_begin_anew() -> None:
    """Before it acts on their first observation, and not at the end of the test."""
    player, arrays = play(2)
    done = arrays["terminated"] | arrays["truncated"]
    expected = {step + 1: row for step, row in enumerate(done[:-1]) if row.any()}
    assert [step for step, _ in player.told] == list(expected)
    for step, row in player.told:
        assert np.array_equal(row, expected[step])
        assert (player.seen[step][row, 1] == 0).all()  # their age
        assert (player.seen[step][~row, 1] > 0).all()


def test_the_recording_holds_what_the_agent_saw_and_did() -> None:
    """Observation and action of a step stand at one index."""
    player, arrays = play(1)
    assert np.array_equal(arrays["observation"], np.stack(player.seen))
    again = np.random.default_rng(0)
    actions = [again.integers(0, 3, INSTANCES) for _ in player.seen]
    assert np.array_equal(arrays["action"], np.stack(actions))


def test_the_seed_decides_the_test() -> None:
    """The same seed is the same test, another seed is not."""
    one, same, other = play(1, seed=3)[1], play(1, seed=3)[1], play(1, seed=4)[1]
    assert np.array_equal(one["observation"], same["observation"])
    assert not np.array_equal(one["observation"][0], other["observation"][0])


def ends(env: LongWalk, *, shrinks: bool) -> tuple[list[int], dict[tuple[int, int], Any]]:
    """Sizes of the batch, and how each counted episode ended, of agents that walk upwards."""
    sizes: list[int] = []

    def act(observation: Any) -> Any:
        sizes.append(len(observation))
        return np.full(len(observation), 2)

    keep = (lambda mask: None) if shrinks else None
    recording = evaluate(env, act, lambda done: None, keep, seed=5, episodes=2)
    rows = {
        (int(instance), int(episode)): (float(total), int(length), observation.tolist())
        for entry in recording.entries
        for instance, episode, total, length, observation in zip(
            entry["instance"],
            entry["episode"],
            entry["return"],
            entry["length"],
            entry["observation"],
            strict=True,
        )
        if episode < 2
    }
    return sizes, rows


def test_a_batch_that_shrinks_gives_the_same_episodes() -> None:
    """Under their old numbers; the finished instances take no part any more."""
    whole, expected = ends(LongWalk(num_envs=40, horizon=9, split="test"), shrinks=False)
    sizes, rows = ends(ShrinkingWalk(num_envs=40, horizon=9, split="test"), shrinks=True)
    assert set(whole) == {40}
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[-1] <= 0.75 * 40
    assert rows == expected
    assert len(rows) == 80


def test_a_room_that_cannot_shrink_does_not() -> None:
    """Nor an agent: then everybody plays until the last has finished."""
    sizes, _ = ends(LongWalk(num_envs=40, horizon=9, split="test"), shrinks=True)
    assert set(sizes) == {40}
    with pytest.raises(ValueError, match="LongWalk cannot go on with a part of its batch"):
        LongWalk(num_envs=2).keep(np.array([True, False]))


def test_a_batch_cut_down_is_not_seeded_anew() -> None:
    """Its missing instances would be missing in the new test."""
    env = ShrinkingWalk(num_envs=3, split="test")
    env.reset(seed=0)
    env.keep(np.array([True, False, True]))
    assert env.action_space.shape == (2,)
    with pytest.raises(ValueError, match="cannot be seeded anew"):
        env.reset(seed=0)
