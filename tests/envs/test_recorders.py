"""What the test split leaves behind, and which episodes count."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from mlds_bench.envs.core import BatchedEnv
from mlds_bench.envs.recorders import EndRecorder, Recorder, StepRecorder
from tests.envs.recorded import ends_of, step_of
from tests.envs.toys import Composite, LongWalk, NarrowingWalk, Walk


def test_steps_are_joined_in_order() -> None:
    """Rows of single instances, in order of time; dictionaries of arrays stay dictionaries."""
    recorder = StepRecorder(("reward", "action", "instance"))
    recorder.start(2)
    for k in range(3):
        action = {"go": np.full((2, 1), 10 * k)}
        recorder.step(step_of([0, 1], reward=np.full(2, float(k)), action=action))
    arrays = recorder.arrays()
    assert len(recorder) == 6
    assert set(arrays) == {"reward", "action", "instance"}
    assert arrays["reward"].tolist() == [0, 0, 1, 1, 2, 2]
    assert arrays["instance"].tolist() == [0, 1] * 3
    assert arrays["action"]["go"].tolist() == [[0], [0], [10], [10], [20], [20]]


def test_an_empty_recording_says_what_to_do() -> None:
    """Scoring before playing is refused with the way out."""
    with pytest.raises(ValueError, match="step an environment of the test split first"):
        StepRecorder().arrays()
    with pytest.raises(ValueError, match="end an episode of an environment of the test split"):
        EndRecorder().arrays()


def test_a_field_that_there_is_not_is_named() -> None:
    """With the nearest right one."""
    with pytest.raises(ValueError, match="unknown field to record 'rewards': did you mean 'rewa"):
        StepRecorder(("rewards",))
    with pytest.raises(ValueError, match="unknown field to record 'action'"):
        EndRecorder(("action",))


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
    np.testing.assert_array_equal(arrays["observation"], np.concatenate(seen))
    np.testing.assert_array_equal(arrays["oracle"], np.concatenate(seen)[:, 0] < 0.5)
    np.testing.assert_array_equal(arrays["reward"], np.concatenate(rewards))
    ended = arrays["terminated"] | arrays["truncated"]
    np.testing.assert_array_equal(ended, np.concatenate(ends))
    np.testing.assert_array_equal(arrays["instance"], np.tile(np.arange(3), 7))
    episode = arrays["episode"].reshape(7, 3)
    np.testing.assert_array_equal(episode[1:], np.cumsum(ends, axis=0)[:-1])
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
    np.testing.assert_array_equal(arrays["observation"]["x"], first)
    assert arrays["action"]["go"].tolist() == [1, 2]
    assert arrays["action"]["v"].tolist() == [[0.25, 0.25], [0.25, 0.25]]
    np.testing.assert_array_equal(arrays["reward"], told)
    np.testing.assert_array_equal(arrays["terminated"], ended)
    assert set(arrays["oracle"]) == {"v", "go"}


def test_a_seed_starts_a_new_recording() -> None:
    """A seeded reset forgets what was recorded, a plain one goes on."""
    env = Walk(num_envs=2, split="test", seed=0)
    env.reset()
    env.step([1, 1])
    env.reset()
    env.step([1, 1])
    assert env.recording.arrays()["episode"].tolist() == [0, 0, 1, 1]
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

    def make_recorder(self) -> EndRecorder:
        return EndRecorder()


class Silent(LongWalk):
    """Has no oracle."""

    def oracle(self) -> Any:
        return None


def test_ends_are_what_the_final_observations_told() -> None:
    """One row per episode: last observation, its oracle, return, length."""
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
            rows.append((episodes[i], i, lengths[i], totals[i], *ended, *last, last[0] < 0.5))
            totals[i], lengths[i] = 0.0, 0
            episodes[i] += 1
    arrays = env.recording.arrays()
    names = ("episode", "instance", "length", "return", "terminated", "truncated")
    told = [arrays[name] for name in names] + [*arrays["observation"].T, arrays["oracle"]]
    assert len(env.recording) == len(rows) > 12
    counted = [row for row in sorted(rows, key=lambda row: row[:2]) if row[0] < episodes.min()]
    np.testing.assert_array_equal(np.column_stack(told), np.array(counted, float))
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
    counted = 4 * env.recording.ended.min()
    assert len(env.recording) >= counted > 0
    assert arrays["observation"]["x"].shape == (counted, 3)
    assert arrays["oracle"]["v"].shape == (counted, 2)
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
    assert arrays["instance"].tolist() == [0, 1]
    assert arrays["episode"].tolist() == [1, 0]
    assert arrays["length"].tolist() == [3, 3]


def test_ends_follow_the_seed_and_the_split() -> None:
    """A seeded reset forgets the ends; train has none; none at all is refused with the way out."""
    env = LongWalk(num_envs=2, split="test", seed=0, horizon=1)
    env.reset()
    env.step([1, 1])
    assert len(env.recording) == 2
    env.reset(seed=1)
    assert len(env.recording) == 0
    train = LongWalk(num_envs=2, split="train", seed=0, horizon=1)
    train.reset()
    train.step([1, 1])
    assert len(train.recording) == 0


def test_all_instances_are_heard_equally_often() -> None:
    """Instance 0 ended three episodes, instance 1 one: the first of each counts, in order."""
    x = {"x": np.arange(4)}
    first = ends_of([0, 0, 1, 0], x, [0, 1, 0, 2])
    assert first.arrays()["x"].tolist() == [0, 2]
    later = ends_of([1, 0, 0, 1], x, [0, 0, 1, 1]).arrays()
    assert later["x"].tolist() == [1, 0, 2, 3]
    assert later["instance"].tolist() == [0, 1, 0, 1]
    assert later["episode"].tolist() == [0, 0, 1, 1]


def test_an_instance_that_ended_nothing_is_named() -> None:
    """Scores of a test that was broken off do not exist."""
    with pytest.raises(ValueError, match="instance 1 has ended no episode: play on until every"):
        ends_of([0, 2], {"x": np.arange(2)}).arrays()


def walk(env: BatchedEnv, steps: int = 40) -> list[Any]:
    """Steps with fixed actions, the same in each instance and at each time."""
    actions = np.random.default_rng(3).integers(0, 3, (steps, 1000))
    return [env.step(actions[step, : env.num_envs]) for step in range(steps)]


@pytest.mark.parametrize("episodes", [1, 3])
def test_only_the_episodes_that_count_are_recorded(episodes: int) -> None:
    """Of every instance as many; of a whole recording just these steps and ends."""
    for toy, key in ((Walk, "reward"), (LongWalk, "return")):
        recorders: list[Recorder] = []
        for count in (None, episodes):
            env = toy(num_envs=5, split="test", seed=1)
            if count:
                env.record(episodes=count)
            env.reset()
            assert not env.recording.is_complete
            walk(env)
            recorders.append(env.recording)
        whole, few = (one.arrays() for one in recorders)
        assert recorders[1].ended.tolist() == [episodes] * 5
        assert [one.is_complete for one in recorders] == [False, True]
        counted = whole["episode"] < episodes
        np.testing.assert_array_equal(few[key], whole[key][counted])
        np.testing.assert_array_equal(few["instance"], whole["instance"][counted])


@pytest.mark.parametrize("toy", [Walk, LongWalk, NarrowingWalk, Composite])
def test_a_retired_instance_rests(toy: Any) -> None:
    """Its last observation stays, it is paid nothing, never ends, and may act as it likes."""
    env, free = (toy(num_envs=6, split="test", seed=2) for _ in range(2))
    env.record(episodes=1)
    env.reset()
    free.reset()
    env.action_space.seed(0)
    ended, last = np.zeros(6, np.bool_), [None] * 6
    for _ in range(12):
        action = env.action_space.sample()
        observation, reward, terminated, truncated, infos = env.step(action)
        step = free.step(action)
        done = terminated | truncated
        rows = zip(*(_rows(one) for one in (observation, step[0])), strict=True)
        for i, (seen, other) in enumerate(rows):
            if ended[i]:
                np.testing.assert_equal(seen, last[i])
                assert (reward[i], done[i]) == (0.0, False)
            elif done[i]:
                last[i] = _rows(infos["final_obs"])[i]
                np.testing.assert_equal(seen, last[i])
                np.testing.assert_equal(last[i], _rows(step[4]["final_obs"])[i])
            else:
                np.testing.assert_equal(seen, other)
        playing = ~ended
        np.testing.assert_array_equal(reward[playing], step[1][playing])
        assert ("final_obs" in infos) == done.any()
        ended |= done
        for array in (reward, terminated, truncated):
            array[...] = 1
    assert ended.all()
    assert env.recording.is_complete


def _rows(batch: Any) -> list[Any]:
    if isinstance(batch, dict):
        return [{key: array[i].copy() for key, array in batch.items()} for i in range(6)]
    return [row.copy() for row in batch]


def test_the_actions_of_a_retired_instance_are_not_looked_at() -> None:
    """Nonsense is ignored there, and refused elsewhere by the instance's own number."""
    env = NarrowingWalk(num_envs=2, split="test", seed=0, horizon=9)
    env.record(episodes=1)
    env.reset()
    while not env.recording.ended[0]:
        observation, _, *_ = env.step([2, 0])
    assert not env.recording.is_complete
    env.step([99, 1])
    with pytest.raises(ValueError, match=r"action\[1\] is 99, outside"):
        env.step([1, 99])
    with pytest.raises(ValueError, match="action has shape"):
        env.step([1])
    assert observation.shape == (2, 2)


def test_a_room_that_narrows_walks_fewer_rows_along_the_same_paths() -> None:
    """Where most are done, most of the work is saved."""
    paths = []
    for toy in (LongWalk, NarrowingWalk):
        env = toy(num_envs=200, split="test", seed=4, horizon=30)
        env.record(episodes=1)
        env.reset()
        paths.append((walk(env, 30), env.recording.arrays()))
    assert env.walked < 0.8 * 30 * 200  # type: ignore[attr-defined]
    (steps, arrays), (others, narrow) = paths
    for one, other in zip(steps, others, strict=True):
        np.testing.assert_equal(one, other)
    np.testing.assert_equal(arrays, narrow)


class DrawnWalk(NarrowingWalk):
    """A walk with pictures."""

    metadata = {**NarrowingWalk.metadata, "render_modes": ["rgb_array"]}  # noqa: RUF012

    def frames(self) -> Any:
        return tuple(np.full((1, 1, 3), age, np.uint8) for age in self.age)


def test_a_batch_that_is_rendered_shows_all_its_instances() -> None:
    """So it is not narrowed."""
    for mode, rows in ((None, 1), ("rgb_array", 4)):
        env = DrawnWalk(num_envs=4, split="test", seed=0, horizon=9, render_mode=mode)
        env.record(episodes=1)
        env.reset()
        while np.count_nonzero(env.recording.ended) < 3:
            env.step([1, 2, 2, 2])
        assert len(env.instances) == rows
    assert len(env.render()) == 4


def test_rows_are_not_dropped_one_by_one() -> None:
    """A copy of all others would cost more than the one."""
    env = NarrowingWalk(num_envs=100, split="test", seed=0, horizon=1_000)
    env.record(episodes=1)
    env.reset()
    sizes = []
    while not env.recording.is_complete:
        env.step(np.where(np.arange(100) * 5 > env.walked / 100, 1, 2))
        sizes.append(len(env.place))
    kept = sorted(set(sizes), reverse=True)
    assert len(kept) > 5
    assert all(fewer <= 0.95 * more for more, fewer in pairwise(kept))


def test_counting_episodes_needs_a_test_and_a_seeded_reset() -> None:
    """What cannot be recorded is refused with the way out."""
    with pytest.raises(ValueError, match="only the test split records"):
        Walk().record(episodes=1)
    for wrong in (0, 1.5, True):
        with pytest.raises(ValueError, match="episodes must be a whole number of at least 1"):
            Walk(split="test").record(episodes=wrong)  # type: ignore[arg-type]
    env = NarrowingWalk(num_envs=3, split="test", seed=0, horizon=2)
    env.reset()
    env.record(episodes=1)
    with pytest.raises(ValueError, match=r"counted from a seeded reset: call reset\(seed=...\)"):
        env.reset()
    env.reset(seed=1)
    walk(env, 4)
    assert env.recording.is_complete
    with pytest.raises(ValueError, match="counted from a seeded reset"):
        env.reset()
    env.reset(seed=1)
    assert not env.recording.is_complete


def test_a_batch_that_dropped_rows_does_not_start_anew() -> None:
    """Its missing instances would be missing in the new test."""
    env = NarrowingWalk(num_envs=2, split="test", seed=0, horizon=4)
    env.record(episodes=1)
    env.reset()
    while not env.recording.ended.any():
        env.step([2, 0])
    with pytest.raises(ValueError, match="instances that are done were dropped: make a new env"):
        env.reset(seed=0)
