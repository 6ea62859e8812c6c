"""The batched base: autoreset, the split rule, seeds, partial resets, spaces, rendering."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.wrappers.vector import DictInfoToList, RecordEpisodeStatistics

from mlds_bench.envs.contract import Factory, leaves, rollout, sample_actions
from mlds_bench.envs.core import BatchedEnv, InvalidAction
from tests.envs.toys import Coached, Composite, Telling, Walk

STAY = 1


def play(env: BatchedEnv, steps: int, action: int = STAY) -> list[Any]:
    """Plays a walk with one action and returns what every step returned."""
    return [env.step(np.full(env.num_envs, action)) for _ in range(steps)]


def test_an_end_hands_out_the_last_and_the_first_observation() -> None:
    """SAME_STEP: the observation is the new episode's, final_obs the old one's, where it ended."""
    env = Walk(num_envs=4, seed=0, horizon=3)
    assert env.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    env.reset()
    *before, last = play(env, 3)
    observation, _, terminated, truncated, infos = last
    assert all("final_obs" not in step[4] for step in before)
    assert truncated.all()
    assert not terminated.any()
    np.testing.assert_array_equal(observation[:, 1], 0.0)
    np.testing.assert_array_equal(infos["final_obs"][:, 1], 1.0)
    assert infos["_final_obs"].all()
    assert infos["_final_info"].all()
    np.testing.assert_allclose(infos["final_obs"][:, 0], before[-1][0][:, 0], atol=0.1)


def test_only_the_ended_instances_start_anew() -> None:
    """The others go on: their final_obs row is not marked and their clock runs."""
    env = Walk(num_envs=50, seed=0, horizon=9)
    env.reset()
    observation, reward, terminated, truncated, infos = play(env, 1, action=2)[0]
    assert terminated.any()
    assert not terminated.all()
    assert not truncated.any()
    np.testing.assert_array_equal(infos["_final_obs"], terminated)
    np.testing.assert_array_equal(infos["final_obs"][:, 0] > 1.0, terminated)
    np.testing.assert_array_equal(observation[:, 1] > 0, ~terminated)
    np.testing.assert_array_equal(infos["final_obs"][~terminated], observation[~terminated])
    np.testing.assert_allclose(reward, -np.abs(infos["final_obs"][:, 0]))


def test_train_tells_the_oracle_of_both_observations() -> None:
    """At an end, infos hold the new observation's oracle and final_info the last one's."""
    env = Walk(num_envs=6, seed=0, horizon=2)
    observation, infos = env.reset()
    np.testing.assert_array_equal(infos["oracle"], observation[:, 0] < 0.5)
    steps = play(env, 2)
    for observation, _, _, _, infos in steps:
        np.testing.assert_array_equal(infos["oracle"], observation[:, 0] < 0.5)
        assert infos["_oracle"].all()
    truncated, infos = steps[-1][3:]
    assert truncated.all()
    final = infos["final_info"]
    np.testing.assert_array_equal(final["oracle"], infos["final_obs"][:, 0] < 0.5)
    np.testing.assert_array_equal(final["_oracle"], truncated)


@pytest.mark.parametrize("toy", [Walk, Composite])
def test_test_hides_the_oracle_and_records_it(toy: Factory) -> None:
    """No info of the test split speaks of the oracle, final_info included; the record does."""
    hidden = toy(num_envs=3, split="test", seed=0)
    told = toy(num_envs=3, split="train", seed=0)
    hidden_path, told_path = rollout(hidden, 0, 3), rollout(told, 0, 3)
    assert any("final_info" in step["infos"] for step in hidden_path)
    assert not [place for place, _ in leaves(hidden_path) if "oracle" in place]
    recorded = dict(leaves(hidden.recording.arrays()["oracle"]))
    for place, array in recorded.items():
        said = [dict(leaves(step["infos"]["oracle"]))[place] for step in told_path[:-1]]
        np.testing.assert_array_equal(array, np.concatenate(said))


def test_both_splits_walk_the_same_path() -> None:
    """The split changes what is told, never what happens."""
    for train, test in zip(
        rollout(Walk(num_envs=3, seed=0), 5, 3),
        rollout(Walk(num_envs=3, seed=0, split="test"), 5, 3),
        strict=True,
    ):
        np.testing.assert_array_equal(train["observation"], test["observation"])


def test_feedback_is_told_of_every_step_and_of_no_reset() -> None:
    """About the action just judged: before the instances that ended are drawn anew."""
    env = Coached(num_envs=4, seed=0, horizon=2)
    assert "feedback" not in env.reset()[1]
    ends = 0
    for step in play(env, 6):
        observation, reward, terminated, truncated, infos = step
        np.testing.assert_array_equal(infos["feedback"]["away"], -reward)
        assert infos["_feedback"].tolist() == [True] * 4
        done = terminated | truncated
        ends += done.sum()
        told = infos["feedback"]["place"][:, 0]
        np.testing.assert_array_equal(told[~done], observation[~done, 0])
        if done.any():
            np.testing.assert_array_equal(told[done], infos["final_obs"][done, 0])
            assert "feedback" not in infos["final_info"]
    assert ends == 12
    assert "feedback" not in env.reset()[1]


def test_the_test_split_tells_no_feedback() -> None:
    """It would be the judge's own hint."""
    path = rollout(Coached(num_envs=2, split="test", seed=0), 0, 2)
    assert not [place for place, _ in leaves(path) if "feedback" in place]


def test_a_refused_action_changes_nothing() -> None:
    """After InvalidAction the batch goes on as if nothing had been said."""
    disturbed, calm = Walk(num_envs=2, split="test", seed=0), Walk(num_envs=2, split="test", seed=0)
    disturbed.reset()
    calm.reset()
    with pytest.raises(InvalidAction):
        disturbed.step([0, 7])
    np.testing.assert_array_equal(play(disturbed, 1)[0][0], play(calm, 1)[0][0])
    assert len(disturbed.recording) == 2  # one step of two instances


def test_a_step_needs_a_reset() -> None:
    """Stepping first is refused by name."""
    with pytest.raises(ResetNeeded, match=r"call reset\(\) before the first step"):
        Walk(num_envs=1).step([1])


def test_the_seed_of_the_constructor_is_that_of_the_first_reset() -> None:
    """seed= at construction and reset(seed=) start the same path; the latter wins."""
    first = Walk(num_envs=2, seed=3).reset()[0]
    np.testing.assert_array_equal(first, Walk(num_envs=2).reset(seed=3)[0])
    np.testing.assert_array_equal(first, Walk(num_envs=2, seed=8).reset(seed=3)[0])


def test_without_a_seed_the_streams_go_on() -> None:
    """A second plain reset draws new instances; with the seed again, the first ones."""
    env = Walk(num_envs=2, seed=3)
    first, second = env.reset()[0], env.reset()[0]
    assert not np.array_equal(first, second)
    np.testing.assert_array_equal(env.reset(seed=3)[0], first)
    np.testing.assert_array_equal(env.reset()[0], second)


def test_without_any_seed_two_environments_differ() -> None:
    """Entropy decides where nobody does."""
    assert not np.array_equal(Walk(num_envs=2).reset()[0], Walk(num_envs=2).reset()[0])


def test_a_list_of_seeds_gives_each_instance_its_own() -> None:
    """An instance repeats what it does alone under its seed; None is drawn from entropy."""
    seeds = [4, None, 6]
    together = Walk(num_envs=3).reset(seed=seeds)[0]
    for i in (0, 2):
        np.testing.assert_array_equal(together[i], Walk(num_envs=1).reset(seed=seeds[i])[0][0])
    assert not np.array_equal(together[1], Walk(num_envs=3).reset(seed=seeds)[0][1])


@pytest.mark.parametrize(
    ("seed", "message"),
    [
        (-1, r"seed must be a whole number in 0\.\.2\*\*64-1, got -1"),
        (2**64, rf"seed must be a whole number in 0\.\.2\*\*64-1, got {2**64}"),
        (1.5, r"seed must be a whole number in .*, got 1\.5"),
        (True, "seed must be a whole number in .*, got True"),
        ("3", "seed must be a whole number in .*, got '3'"),
        ({}, r"seed must be a whole number in .*, got {}"),
        ([1], r"a list of seeds must be 2 whole numbers in 0\.\.2\*\*64-1 .*, got \[1\]"),
        ([1, -2], r"a list of seeds must be 2 whole numbers .*, got \[1, -2\]"),
        ([1, 2.0], r"a list of seeds must be 2 whole numbers .*, got \[1, 2.0\]"),
        ([1, 2**64], "a list of seeds must be 2 whole numbers"),
    ],
)
def test_a_wrong_seed_is_named(seed: Any, message: str) -> None:
    """Negative, too large, not whole, too few; in a reset and in the constructor."""
    with pytest.raises(ValueError, match=f"^{message}"):
        Walk(num_envs=2).reset(seed=seed)
    with pytest.raises(ValueError, match=f"^{message}"):
        Walk(num_envs=2, seed=seed)


def test_the_largest_seed_is_taken() -> None:
    """The bound in the message is the bound."""
    assert np.isfinite(Walk(num_envs=1).reset(seed=2**64 - 1)[0]).all()


def test_a_reset_mask_restarts_only_its_instances() -> None:
    """The others keep their place and their clock."""
    env = Walk(num_envs=3, seed=0, horizon=9)
    env.reset()
    before = play(env, 2)[-1][0]
    after, infos = env.reset(options={"reset_mask": np.array([False, True, False])})
    assert after[:, 1].tolist() == [before[0, 1], 0.0, before[2, 1]]
    np.testing.assert_array_equal(after[[0, 2]], before[[0, 2]])
    assert infos["oracle"].shape == (3,)


def test_a_wrong_reset_mask_is_named() -> None:
    """Shape and type are in the message, and a seed cannot be for a part of the batch."""
    env = Walk(num_envs=2, seed=0)
    env.reset()
    message = r"reset_mask must be bool of shape \(2,\), got int64 of shape \(3,\)"
    with pytest.raises(ValueError, match=message):
        env.reset(options={"reset_mask": np.zeros(3, np.int64)})
    with pytest.raises(ValueError, match="give seed or reset_mask, not both"):
        env.reset(seed=1, options={"reset_mask": np.array([True, False])})


@pytest.mark.parametrize("options", [{"reset_masks": None}, {"level": 3}])
def test_an_unknown_reset_option_is_refused(options: dict[str, Any]) -> None:
    """Nothing that is asked for is ignored."""
    key = next(iter(options))
    with pytest.raises(ValueError, match=f"unknown reset option '{key}': .*'?reset_mask"):
        Walk(num_envs=2, seed=0).reset(options=options)


@pytest.mark.parametrize("toy", [Walk, Composite])
def test_the_spaces_of_a_batch_cost_nothing_unless_asked_for(toy: Factory) -> None:
    """They take as much memory as batches do."""
    for split in ("train", "test"):
        env = toy(num_envs=3, split=split, seed=0)
        rollout(env, 0, 3)
        assert not {"observation_space", "action_space"} & set(vars(env))
        assert env.observation_space is env.observation_space
        assert env.observation_space.contains(env.reset()[0])
        assert env.action_space.contains(env.action_space.sample())


def test_a_room_that_draws_nothing_says_so() -> None:
    """At once, and by the name of the mode."""
    with pytest.raises(ValueError, match="Walk has no render_mode 'rgb_array': it draws nothing"):
        Walk(render_mode="rgb_array")
    with pytest.raises(ValueError, match="make the environment with a render_mode"):
        Walk().render()


def test_wrong_keyword_arguments_are_named() -> None:
    """An unknown split and an empty batch are refused with what is right."""
    with pytest.raises(ValueError, match="split must be one of train, test, got 'validation'"):
        Walk(split="validation")
    with pytest.raises(ValueError, match=r"num_envs must be a whole number in 1\.\.\d+, got 0"):
        Walk(num_envs=0)
    with pytest.raises(ValueError, match=r"max_episode_steps must be a whole .* 1, got 0"):
        Walk(max_episode_steps=0)
    with pytest.raises(ValueError, match="options must be a dictionary or None, got 5"):
        Walk().reset(options=5)  # type: ignore[arg-type]


def test_a_batch_that_no_memory_holds_is_refused_at_once() -> None:
    """With what it needs, what there is, and how many would fit."""
    line = r"num_envs=2000000000 needs at least \d+ GB, and this machine has \d+ GB: take at .* \d+"
    with pytest.raises(ValueError, match=f"^{line}$"):
        Walk(num_envs=2_000_000_000)


def test_every_environment_has_its_own_metadata() -> None:
    """Wrappers and Gymnasium's vector environments write into it."""
    first, second = Walk(), Walk()
    first.metadata["autoreset_mode"] = AutoresetMode.DISABLED
    assert second.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert Walk.metadata["autoreset_mode"] is AutoresetMode.SAME_STEP
    assert second.autoreset_mode is AutoresetMode.SAME_STEP


@pytest.mark.parametrize("split", ["train", "test"])
def test_an_episode_is_cut_after_its_most_steps(split: Any) -> None:
    """In every instance by its own clock, and never where it terminated in that step."""
    path = rollout(Walk(num_envs=40, split=split, seed=0, horizon=9, max_episode_steps=3), 0, 40)
    steps, cut = np.zeros(40, np.int64), 0
    for step in path[1:]:
        steps += 1
        np.testing.assert_array_equal(step["truncated"], (steps == 3) & ~step["terminated"])
        done = step["terminated"] | step["truncated"]
        cut += int(step["truncated"].sum())
        steps[done] = 0
    assert cut > 50


def test_infos_of_a_room_are_told_in_both_splits() -> None:
    """Of the observation and of the step: at an end final_info has the former; retired say none."""
    env = Telling(num_envs=3, split="test", seed=0, horizon=2)
    env.record(1)
    assert env.reset(seed=1)[1]["age"].tolist() == [0, 0, 0]
    infos = env.step(np.array([STAY, STAY, STAY]))[4]
    assert infos["age"].tolist() == [1, 1, 1]
    assert infos["moved"].tolist() == [0, 0, 0]
    infos = env.step(np.array([0, STAY, 0]))[4]
    assert infos["final_info"]["age"].tolist() == [2, 2, 2]
    assert infos["final_info"]["_age"].all()
    assert infos["moved"].tolist() == [-1, 0, -1]
    assert infos["_moved"].all()
    assert not infos["_age"].any()
    assert "moved" not in infos["final_info"]
    assert "moved" not in env.step(np.array([0, STAY, 0]))[4].get("final_info", {})


def test_gymnasium_counts_our_episodes() -> None:
    """RecordEpisodeStatistics sees every episode with its return and length."""
    env = RecordEpisodeStatistics(Walk(num_envs=5, seed=0, horizon=3))
    env.reset()
    returns = np.zeros(5)
    for _ in range(3):
        _, reward, _, truncated, infos = env.step(np.full(5, STAY))
        returns += reward
    assert truncated.all()
    np.testing.assert_allclose(infos["episode"]["r"], returns)
    assert infos["episode"]["l"].tolist() == [3] * 5


@pytest.mark.parametrize("toy", [Walk, Composite])
def test_gymnasium_lists_our_infos(toy: Factory) -> None:
    """DictInfoToList gives each instance its own oracle and only the ended ones a final one."""
    plain, listing = toy(num_envs=4, seed=0), DictInfoToList(toy(num_envs=4, seed=0))
    plain.reset()
    listing.reset()
    generators = [np.random.default_rng(i) for i in range(4)]
    ends = 0
    for _ in range(10):
        action = sample_actions(plain.single_action_space, generators)
        _, _, terminated, truncated, infos = plain.step(action)
        told = listing.step(action)[4]
        for i, done in enumerate(terminated | truncated):
            ends += done
            assert ("final_obs" in told[i]) == ("final_info" in told[i]) == done
            for place, array in leaves(infos["oracle"]):
                np.testing.assert_array_equal(dict(leaves(told[i]["oracle"]))[place], array[i])
    assert ends > 0
