"""What the test split leaves behind."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import pytest

from mlds_bench.envs.recording import Recorded, Recording
from tests.envs.toys import Composite, LongWalk, Walk


def test_steps_are_stacked_in_order() -> None:
    """Arrays get a leading time axis, dictionaries of arrays stay dictionaries."""
    recording = Recording()
    for k in range(3):
        recording.append(reward=np.full(2, k), action={"go": np.full((2, 1), 10 * k)})
    arrays = recording.arrays()
    assert len(recording) == 3
    assert arrays["reward"].tolist() == [[0, 0], [1, 1], [2, 2]]
    assert arrays["action"]["go"].shape == (3, 2, 1)
    assert arrays["action"]["go"][2, 0, 0] == 20


def test_an_empty_recording_says_what_to_do() -> None:
    """Scoring before playing is refused with the way out."""
    with pytest.raises(ValueError, match="step an environment of the test split first"):
        Recording().arrays()


def test_a_step_holds_what_its_action_answered() -> None:
    """Observation and oracle at an index belong to the action at this index, over episode ends."""
    env = Walk(num_envs=3, split="test", seed=0, horizon=2)
    observation, _ = env.reset()
    seen, rewards, ends = [], [], []
    for _ in range(7):
        seen.append(observation)
        observation, reward, terminated, truncated, _ = env.step(np.ones(3, np.int64))
        rewards.append(reward)
        ends.append(terminated | truncated)
    arrays = env.recording.arrays()
    np.testing.assert_array_equal(arrays["observation"], seen)
    np.testing.assert_array_equal(arrays["oracle"], np.array(seen)[..., 0] < 0.5)
    np.testing.assert_array_equal(arrays["reward"], rewards)
    np.testing.assert_array_equal(arrays["terminated"] | arrays["truncated"], ends)
    np.testing.assert_array_equal(arrays["episode"][1:], np.cumsum(ends, axis=0)[:-1])
    assert arrays["episode"].dtype == np.int64


def test_what_is_recorded_is_nobody_elses() -> None:
    """Overwriting an action, a reward or an observation afterwards leaves the record alone."""
    env = Composite(num_envs=2, split="test", seed=0)
    observation, _ = env.reset()
    first = observation["x"].copy()
    action = {"go": np.array([1, 2]), "v": np.full((2, 2), 0.25, np.float32)}
    _, reward, terminated, _, _ = env.step(action)
    told, ended = reward.copy(), terminated.copy()
    for array in (observation["x"], action["go"], action["v"], reward, terminated):
        array[...] = 0
    arrays = env.recording.arrays()
    np.testing.assert_array_equal(arrays["observation"]["x"][0], first)
    assert arrays["action"]["go"].tolist() == [[1, 2]]
    assert arrays["action"]["v"].tolist() == [[[0.25, 0.25], [0.25, 0.25]]]
    np.testing.assert_array_equal(arrays["reward"][0], told)
    np.testing.assert_array_equal(arrays["terminated"][0], ended)
    assert set(arrays["oracle"]) == {"v", "go"}


def test_a_seed_starts_a_new_recording() -> None:
    """A seeded reset forgets what was recorded, a plain one goes on."""
    env = Walk(num_envs=2, split="test", seed=0)
    env.reset()
    env.step([1, 1])
    env.reset()
    env.step([1, 1])
    assert env.recording.arrays()["episode"].tolist() == [[0, 0], [1, 1]]
    env.reset(seed=1)
    assert len(env.recording) == 0


def test_train_records_nothing() -> None:
    """The train split keeps no step, however long it is played."""
    env = Walk(num_envs=2, split="train", seed=0)
    env.reset()
    env.step([1, 1])
    assert len(env.recording) == 0


class LongComposite(Composite):
    """Dictionaries, of which the ends alone are recorded."""

    recorded: ClassVar[Recorded] = "ends"


class Silent(LongWalk):
    """Has no oracle."""

    def oracle(self) -> Any:
        return None


def test_ends_are_what_the_final_observations_told() -> None:
    """One row an episode that ended, in order: last observation, its oracle, return, length."""
    env = LongWalk(num_envs=6, split="test", seed=0, horizon=3)
    env.reset()
    rows: list[Any] = []
    totals, lengths, episodes = np.zeros(6), np.zeros(6, int), np.zeros(6, int)
    for step in range(11):
        result = env.step(np.full(6, 2 if step % 2 else 1))
        _, reward, terminated, truncated, infos = result
        totals, lengths = totals + reward, lengths + 1
        for i in np.flatnonzero(terminated | truncated):
            last = infos["final_obs"][i]
            ended = (terminated[i], truncated[i])
            rows.append((i, episodes[i], lengths[i], totals[i], *ended, *last, last[0] < 0.5))
            totals[i], lengths[i] = 0.0, 0
            episodes[i] += 1
    arrays = env.recording.arrays()
    names = ("instance", "episode", "length", "return", "terminated", "truncated")
    told = [arrays[name] for name in names] + [*arrays["observation"].T, arrays["oracle"]]
    assert len(env.recording) == len(rows) > 12
    np.testing.assert_array_equal(np.column_stack(told), np.array(rows, float))
    assert set(arrays) == {*names, "observation", "oracle"}
    assert [arrays[name].dtype.str[1:] for name in names] == ["i8", "i8", "i8", "f8", "b1", "b1"]
    assert len(set(arrays["terminated"])) == 2


def test_ends_keep_dictionaries_and_leave_out_a_missing_oracle() -> None:
    """A Dict observation becomes a dictionary of (E, ...) arrays; no oracle, no entry."""
    env = LongComposite(num_envs=4, split="test", seed=0)
    env.reset()
    for _ in range(9):
        env.step({"go": np.ones(4, np.int64), "v": np.zeros((4, 2), np.float32)})
    arrays = env.recording.arrays()
    assert arrays["observation"]["x"].shape == (len(env.recording), 3)
    assert arrays["oracle"]["v"].shape == (len(env.recording), 2)
    silent = Silent(num_envs=2, split="test", seed=0, horizon=1)
    silent.reset()
    silent.step([1, 1])
    assert "oracle" not in silent.recording.arrays()


def test_an_episode_that_a_reset_cuts_off_is_no_end() -> None:
    """Its steps and rewards belong to nobody; its ordinal is used up."""
    env = LongWalk(num_envs=2, split="test", seed=0, horizon=3)
    env.reset()
    env.step([1, 1])
    env.reset(options={"reset_mask": np.array([True, False])})
    for _ in range(3):
        env.step([1, 1])
    arrays = env.recording.arrays()
    assert arrays["instance"].tolist() == [1, 0]
    assert arrays["episode"].tolist() == [0, 1]
    assert arrays["length"].tolist() == [3, 3]


def test_ends_follow_the_seed_and_the_split() -> None:
    """A seeded reset forgets the ends; train has none; none at all is refused with the way out."""
    env = LongWalk(num_envs=2, split="test", seed=0, horizon=1)
    env.reset()
    env.step([1, 1])
    assert len(env.recording) == 2
    env.reset(seed=1)
    assert len(env.recording) == 0
    with pytest.raises(ValueError, match="end an episode of an environment of the test split"):
        env.recording.arrays()
    train = LongWalk(num_envs=2, split="train", seed=0, horizon=1)
    train.reset()
    train.step([1, 1])
    assert len(train.recording) == 0
