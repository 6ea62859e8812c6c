"""The single view walks the path of instance 0."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.error import ResetNeeded

from mlds_bench.envs import single
from mlds_bench.envs.contract import Factory, leaves, sample_actions
from mlds_bench.envs.core import InvalidAction
from mlds_bench.envs.single import SingleEnv
from tests.envs.toys import Coached, Composite, Walk


def assert_row(alone: Any, batch: Any, row: int = 0) -> None:
    """The single structure equals a row of the batched one; flags of infos are left out."""
    told = {place: array for place, array in leaves(batch) if "['_" not in place}
    got = dict(leaves(alone))
    assert got.keys() == told.keys()
    for place, array in told.items():
        np.testing.assert_array_equal(got[place], array[row])


def row_of(actions: Any) -> Any:
    """The action of instance 0."""
    if isinstance(actions, dict):
        return {key: row_of(value) for key, value in actions.items()}
    return actions[0]


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("toy", [Walk, Composite])
def test_it_equals_instance_0_of_a_batch(toy: Factory, split: Any) -> None:
    """Observations, rewards, ends, infos and the record agree through several episodes."""
    view, batch = SingleEnv(toy(split=split)), toy(num_envs=3, split=split)
    generators = [np.random.default_rng(i) for i in range(3)]
    alone, together = view.reset(seed=7), batch.reset(seed=7)
    episodes = 0
    for _ in range(40):
        assert_row(alone[0], together[0])
        assert_row(alone[1], {k: v for k, v in together[1].items() if "final" not in k})
        actions = sample_actions(batch.single_action_space, generators)
        observation, reward, terminated, truncated, info = view.step(row_of(actions))
        step = batch.step(actions)
        together = step[0], step[4]
        assert [reward, terminated, truncated] == [float(step[1][0]), step[2][0], step[3][0]]
        if terminated or truncated:
            episodes += 1
            assert_row(observation, step[4]["final_obs"])
            assert_row(info, step[4]["final_info"])
            alone = view.reset()
        else:
            alone = observation, info
    assert episodes > 3
    if split == "test":
        for place, array in leaves(view.recording.arrays()):
            whole = dict(leaves(batch.recording.arrays()))[place]
            mine = batch.recording.arrays()["instance"] == 0
            np.testing.assert_array_equal(array, whole[mine])


def test_feedback_of_the_last_step_is_told_with_it() -> None:
    """At an episode's end the info is the old episode's, and the feedback the last action's."""
    view = SingleEnv(Coached(seed=0, horizon=2))
    assert "feedback" not in view.reset()[1]
    for _ in range(3):
        for step in range(2):
            _, reward, _, truncated, info = view.step(1)
            assert info["feedback"]["away"] == -reward
            assert "_feedback" not in info
            assert truncated is (step == 1)
        assert "feedback" not in view.reset()[1]


@pytest.mark.parametrize("after_an_end", [False, True])
def test_there_are_no_reset_options(after_an_end: bool) -> None:
    """An option is refused, also where the next episode is ready."""
    view = SingleEnv(Walk(seed=0, horizon=1))
    view.reset(options={})
    if after_an_end:
        view.step(1)
    with pytest.raises(ValueError, match="unknown reset option 'reset_mask': there is no reset"):
        view.reset(options={"reset_mask": np.array([True])})


def test_values_are_plain() -> None:
    """Gymnasium's users get float and bool, not arrays."""
    view = SingleEnv(Walk(seed=0))
    view.reset()
    _, reward, terminated, truncated, info = view.step(1)
    assert [type(value) for value in (reward, terminated, truncated)] == [float, bool, bool]
    assert "_oracle" not in info


def test_a_reset_in_the_middle_starts_another_episode() -> None:
    """A plain reset leaves the running episode, a seeded one after an end starts from the seed."""
    view = SingleEnv(Walk(horizon=2))
    first, _ = view.reset(seed=1)
    view.step(1)
    second, _ = view.reset()
    assert second[1] == 0.0
    assert second[0] != first[0]
    view.step(1)
    view.step(1)
    np.testing.assert_array_equal(view.reset(seed=1)[0], first)
    view.step(1)
    view.step(1)
    assert view.reset()[0][0] != view.reset()[0][0]


def test_a_step_outside_an_episode_is_refused() -> None:
    """Before the first reset and after an end, the message says where it stands."""
    view = SingleEnv(Walk(seed=0, horizon=1))
    with pytest.raises(ResetNeeded, match=r"the episode is new: call reset\(\)"):
        view.step(1)
    view.reset()
    view.step(1)
    with pytest.raises(ResetNeeded, match=r"the episode is ended: call reset\(\)"):
        view.step(1)


def test_invalid_actions_are_refused() -> None:
    """The single view refuses what the batch refuses."""
    view = SingleEnv(Composite(seed=0))
    view.reset()
    with pytest.raises(InvalidAction, match=r"action\['go'\]\[0\] is 5, outside 1\.\.2"):
        view.step({"go": 5, "v": np.zeros(2)})


def test_closing_closes_the_batch() -> None:
    """What a room holds open is released."""
    batch = Walk(seed=0)
    SingleEnv(batch).close()
    assert batch.closed


def test_an_unknown_name_is_an_attribute_error() -> None:
    """The module that makes names on demand makes only registered ones."""
    with pytest.raises(AttributeError, match="has no environment 'Function'"):
        _ = single.Function


def test_gymnasium_makes_a_toy_in_both_forms(monkeypatch: pytest.MonkeyPatch) -> None:
    """make and make_vec pass keyword arguments through Gymnasium's own checks and wrappers."""
    monkeypatch.setattr(gymnasium.envs.registration, "registry", dict(gymnasium.registry))
    gymnasium.register(
        "toys/Walk-v0",
        entry_point=lambda **kwargs: single.make(Walk, **kwargs),
        vector_entry_point=Walk,
    )
    alone = gymnasium.make("toys/Walk-v0", horizon=2, seed=3)
    batch = gymnasium.make_vec("toys/Walk-v0", num_envs=4, horizon=2, seed=3)
    np.testing.assert_array_equal(alone.reset()[0], batch.reset()[0][0])
    for _ in range(2):
        _, _, _, truncated, _ = alone.step(1)
        step = batch.step(np.ones(4, np.int64))
    assert truncated
    assert step[3][0]
