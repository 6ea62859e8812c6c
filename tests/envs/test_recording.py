"""What the test split leaves behind."""

from __future__ import annotations

import numpy as np
import pytest

from mlds_bench.envs.recording import Recording
from tests.envs.toys import Composite, Walk


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
