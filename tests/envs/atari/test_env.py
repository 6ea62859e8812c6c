"""The games: equal to Gymnasium's wrappers, views, lives, what is recorded, errors."""

from __future__ import annotations

import re
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mlds_bench.envs.atari import emulator
from mlds_bench.envs.atari.env import Atari, AtariGame, Breakout, Pong
from mlds_bench.envs.atari.specs import BREAKOUT, PONG
from mlds_bench.envs.contract import CHECKS
from mlds_bench.envs.single import SingleEnv
from tests.envs.atari.reference import (
    emulator_seeds,
    give_gymnasium_its_resizing,
    reference_game,
)

Array = npt.NDArray[Any]
COURSE: dict[str, Any] = {"clip_rewards": True, "life_ends": True}


def play(env: AtariGame, steps: int, *, seed: int = 3, first: int = 0) -> list[tuple[Any, ...]]:
    """Random actions of instance ``first``, ``first`` + 1, ... of a batch; what each step told."""
    choices = [np.random.default_rng([seed, first + i]) for i in range(env.num_envs)]
    path: list[tuple[Any, ...]] = [(env.reset(seed=seed)[0],)]
    actions = len(env.action_names)
    draws = (np.array([one.integers(actions) for one in choices]) for _ in range(steps))
    return [*path, *map(env.step, draws)]


@pytest.mark.parametrize("rule", ["fresh arrays", "batch sizes", "autoreset"])
def test_the_contract_holds_where_ends_come_often(rule: str) -> None:
    """Small, reduced, clipped, a life an episode; the default views are checked with all rooms."""
    CHECKS[rule](partial(Breakout, size=42, stack=2, actions="reduced", **COURSE))


@pytest.mark.parametrize(
    ("make", "protocol", "steps", "view"),
    [
        (Pong, PONG, 300, {}),
        (Breakout, BREAKOUT, 250, {}),
        (Breakout, BREAKOUT, 100, {"size": 42, "stack": 2, "color": True}),
    ],
)
def test_it_is_gymnasiums_preprocessing(
    monkeypatch: pytest.MonkeyPatch, make: Any, protocol: Any, steps: int, view: dict[str, Any]
) -> None:
    """Frame by frame, with reward, end and lives, for the first game of three instances."""
    give_gymnasium_its_resizing(monkeypatch)
    env = make(num_envs=3, **view)
    seen, _ = env.reset(seed=3)
    theirs = {
        i: reference_game(protocol, int(s), **view) for i, s in enumerate(emulator_seeds(3, 3))
    }
    for instance, game in theirs.items():
        _same_picture(seen[instance], game.reset()[0])
    compared = 0
    for action in np.random.default_rng(0).integers(len(env.action_names), size=(steps, 3)):
        seen, reward, terminated, truncated, infos = env.step(action)
        for instance, game in list(theirs.items()):
            picture, *told, theirs_infos = game.step(action[instance])
            assert told == [reward[instance], terminated[instance], truncated[instance]]
            compared += 1
            if terminated[instance]:
                _same_picture(infos["final_obs"][instance], picture)
                del theirs[instance]
                continue
            _same_picture(seen[instance], picture)
            assert env._emulators.lives[instance] == theirs_infos["lives"]
    assert compared > 0.6 * 3 * steps


def _same_picture(ours: Array, theirs: Array) -> None:
    """Within one gray level: an average that ends in one half may be rounded either way."""
    if theirs.ndim == 4:
        theirs = np.moveaxis(theirs, -1, 1).reshape(ours.shape)
    assert ours.dtype == theirs.dtype
    assert np.abs(ours.astype(int) - theirs).max() <= 1


def test_one_alone_is_the_first_of_a_batch() -> None:
    """The single view plays instance 0's games, over their ends."""
    batch = play(Breakout(num_envs=2), 250)
    alone = SingleEnv(Breakout())
    seen, _ = alone.reset(seed=3)
    np.testing.assert_array_equal(seen, batch[0][0][0])
    choices, games = np.random.default_rng([3, 0]), 0
    for step in batch[1:]:
        seen, reward, terminated, _, _ = alone.step(choices.integers(4))
        assert (reward, terminated) == (step[1][0], step[2][0])
        if terminated:
            games += 1
            np.testing.assert_array_equal(seen, step[4]["final_obs"][0])
            seen, _ = alone.reset()
        np.testing.assert_array_equal(seen, step[0][0])
    assert games > 0


def test_later_games_repeat_in_a_batch_of_any_size() -> None:
    """Bit for bit over several games and lives, on one thread or two."""
    three = play(Breakout(num_envs=3, threads=2, **COURSE), 300)
    two = play(Breakout(num_envs=2, threads=1, **COURSE), 300)
    for (seen, *rest), (some, *other) in zip(three, two, strict=True):
        np.testing.assert_array_equal(seen[:2], some)
        for one, another in zip(rest[:3], other[:3], strict=True):
            np.testing.assert_array_equal(one[:2], another)
    assert sum(step[2][:2].sum() for step in two[1:]) > 10


def test_a_life_ends_the_episode_and_the_game_goes_on() -> None:
    """The emulators run as without it; lost lives are extra ends, and the stack starts anew."""
    plain, lives = Breakout(num_envs=3), Breakout(num_envs=3, life_ends=True)
    ends = games = 0
    for ours, theirs in zip(play(lives, 250)[1:], play(plain, 250)[1:], strict=True):
        np.testing.assert_array_equal(ours[0][:, -1], theirs[0][:, -1])
        np.testing.assert_array_equal(ours[1], theirs[1])
        assert (ours[2] >= theirs[2]).all()
        ends, games = ends + int(ours[2].sum()), games + int(theirs[2].sum())
        for game in np.flatnonzero(ours[2]):
            assert not ours[0][game, :-1].any()
            assert ours[0][game, -1].any()
        only = ours[2] & ~theirs[2]
        if only.any():
            np.testing.assert_array_equal(ours[4]["final_obs"][only, -1], theirs[0][only, -1])
    assert games >= 3
    assert ends >= 5 * games


def test_a_stack_shows_nothing_of_the_life_before() -> None:
    """The frames of a new life come one by one; older ones are zero."""
    env = Breakout(life_ends=True)
    since = 0
    for step in play(env, 200)[1:]:
        since = 0 if step[2][0] else since + 1
        shown = step[0][0].any(axis=(1, 2))
        assert shown.tolist() == [index >= 3 - since for index in range(4)]


def test_training_may_clip_and_the_test_never_does() -> None:
    """The sign in train; in test neither clipping nor life ends do anything."""
    make = partial(Atari, game="ms_pacman", size=16, stack=1)
    plain = [make(), make(split="test")]
    asked = [make(clip_rewards=True), make(split="test", **COURSE)]
    points, clipped = ([step[1][0] for step in play(env, 150)[1:]] for env in (plain[0], asked[0]))
    assert max(points) >= 10.0
    assert clipped == np.sign(points).tolist()
    for ours, theirs in zip(play(asked[1], 600)[1:], play(plain[1], 600)[1:], strict=True):
        assert [part[0] for part in ours[1:4]] == [part[0] for part in theirs[1:4]]
    ends = asked[1].recording.arrays()
    assert ends["lives"][0] == 3
    np.testing.assert_equal(ends, plain[1].recording.arrays())


def test_lives_are_recorded_with_their_games() -> None:
    """Five lives per game of Breakout; its return is what was paid until it ended."""
    env = Breakout(num_envs=3, split="test")
    path = play(env, 500)
    ends = env.recording.arrays()
    assert len(ends["instance"]) >= 6
    assert set(ends["lives"]) == {5}
    rewards = np.array([step[1] for step in path[1:]])
    for instance in range(3):
        mine = ends["instance"] == instance
        stop = np.cumsum(ends["length"][mine])
        games = [part.sum() for part in np.split(rewards[:, instance], stop)[:-1]]
        assert games == ends["return"][mine].tolist()


def test_a_game_without_lives_is_one() -> None:
    """Pong counts none: a game is a life."""
    env = Pong(num_envs=1, split="test", size=16, stack=1)
    env.reset(seed=0)
    while not len(env.recording):
        env.step(np.array([0]))
    ends = env.recording.arrays()
    assert ends["lives"].tolist() == [1]
    assert ends["return"].tolist() == [-21.0]


def test_reduced_actions_fire_by_themselves() -> None:
    """Doing nothing loses all lives; with the full set it loses the one that was served."""
    common: dict[str, Any] = {"num_envs": 2, "split": "test", "size": 16, "stack": 1}
    reduced = Breakout(actions="reduced", **common)
    full = Breakout(**common)
    unserved = Atari(actions="reduced", game="breakout", **common)
    for env in (reduced, full, unserved):
        env.reset(seed=0)
        for _ in range(150):
            env.step(np.zeros(2, np.int64))
    assert len(reduced.recording) == len(unserved.recording) == 2
    assert len(full.recording) == 0
    assert full._emulators.lives.tolist() == [4, 4]


@pytest.mark.parametrize(
    ("env", "names"),
    [
        (Pong, "NOOP FIRE RIGHT LEFT RIGHTFIRE LEFTFIRE"),
        (Breakout, "NOOP FIRE RIGHT LEFT"),
        (partial(Pong, actions="reduced"), "NOOP RIGHT LEFT"),
        (partial(Breakout, actions="reduced"), "NOOP RIGHT LEFT"),
        (partial(Atari, game="freeway"), "NOOP UP DOWN"),
    ],
)
def test_actions_are_the_games(env: Any, names: str) -> None:
    """The minimal sets, and the reduced ones."""
    made = env()
    assert made.action_names == tuple(names.split())
    assert made.single_action_space.n == len(made.action_names)


def test_a_reduced_action_is_the_full_one_of_its_name() -> None:
    """Right and left press right and left."""
    full, reduced = Pong(num_envs=2), Pong(num_envs=2, actions="reduced")
    full.reset(seed=5)
    reduced.reset(seed=5)
    for action in np.random.default_rng(0).integers(3, size=(60, 2)):
        seen, *_ = full.step(np.array([0, 2, 3])[action])
        np.testing.assert_array_equal(reduced.step(action)[0], seen)


def test_differences_are_of_the_frames() -> None:
    """Each frame minus the one before, nothing at the start, in both signs."""
    frames, differences = play(Pong(stack=3), 80), play(Pong(stack=2, difference=True), 80)
    assert differences[0][0].shape == (1, 2, 84, 84)
    assert not differences[0][0].any()
    for (seen, *_), (change, *_) in zip(frames[2:], differences[2:], strict=True):
        assert change.dtype == np.int16
        np.testing.assert_array_equal(change, np.diff(seen.astype(np.int16), axis=1))
    assert change.min() < 0 < change.max()


def test_resetting_some_leaves_the_others_alone() -> None:
    """By `reset_mask`, in the middle of a game."""
    env, undisturbed = (Breakout(num_envs=3) for _ in range(2))
    env.reset(seed=2)
    undisturbed.reset(seed=2)
    for step, action in enumerate(np.random.default_rng(0).integers(4, size=(60, 3))):
        if step == 20:
            seen, _ = env.reset(options={"reset_mask": np.array([False, True, False])})
            assert not seen[1, :-1].any()
        ours, theirs = env.step(action), undisturbed.step(action)
        np.testing.assert_array_equal(ours[0][::2], theirs[0][::2])
    assert (ours[0][1] != theirs[0][1]).any()


def test_a_game_that_never_ends_is_truncated(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit of frames, with the life it was in; the next game starts in the same step."""
    monkeypatch.setattr(emulator, "MOST_FRAMES", 400)
    env = Breakout(num_envs=2, split="test")
    env.reset(seed=0)
    truncated = [env.step(np.zeros(2, np.int64))[3] for _ in range(150)]
    ends = env.recording.arrays()
    assert np.flatnonzero(truncated).tolist() == [198, 199]  # both, in the hundredth decision
    assert ends["length"].tolist() == [100, 100]
    assert ends["lives"].tolist() == [2, 2]
    assert env._emulators.lives.tolist() == [4, 4]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Pong(size=8), "size must be a whole number in 16..210, got 8"),
        (lambda: Pong(size=84.0), "size must be a whole number in 16..210, got 84.0"),
        (lambda: Pong(stack=0), "stack must be a whole number in 1..16, got 0"),
        (lambda: Pong(threads=-1), "threads must be a whole number in 0..1024, got -1"),
        (lambda: Atari(sticky=1.5), "sticky must be a finite number in [0, 1], got 1.5"),
        (lambda: Atari(noop_max=-1), "noop_max must be a whole number in 0..100, got -1"),
        (lambda: Pong(actions="few"), "actions must be one of full, reduced, got 'few'"),
        (
            lambda: Atari(game="freeway", actions="reduced"),
            "actions='reduced' is known for pong, breakout, not for freeway: use 'full'",
        ),
        (
            lambda: Atari(game="freeway", fire_reset=True),
            "freeway has no FIRE action: leave out fire_reset=True",
        ),
        (lambda: Atari(game="Break-Out"), "unknown game 'Break-Out': did you mean 'breakout'?"),
    ],
)
def test_nonsense_is_refused_by_name(make: Any, message: str) -> None:
    """One line, before anything plays."""
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        make()


@pytest.mark.parametrize("split", ["train", "test"])
def test_infos_tell_lives_and_the_points(split: Any) -> None:
    """Of every step, clipped or not, and at an end the lives of the game that ended."""
    env = Breakout(num_envs=4, split=split, size=16, stack=1, actions="reduced", **COURSE)
    plain = Breakout(num_envs=4, split="train", size=16, stack=1, actions="reduced")
    told, expected = play(env, 400), play(plain, 400)
    lives, points, games = np.full(4, 5), 0.0, 0
    for step, other in zip(told[1:], expected[1:], strict=True):
        infos, done = step[4], step[2]
        np.testing.assert_array_equal(infos["reward"], other[1])
        assert infos["_reward"].all()
        points += infos["reward"].sum()
        if split == "train":
            np.testing.assert_array_equal(step[1], np.sign(infos["reward"]))
        assert (infos["lives"] <= lives)[~done].all()
        if done.any():
            left = infos["final_info"]["lives"]
            games += int((left[done] == 0).sum())
            assert (left[done] == (0 if split == "test" else lives[done] - 1)).all()
            assert "reward" not in infos["final_info"]
        lives = infos["lives"].copy()
    assert points > 0
    assert games > 0


def test_the_points_are_those_before_clipping() -> None:
    """A game whose points are tens: the reward is their sign."""
    env = Atari(game="space_invaders", num_envs=2, size=16, stack=1, clip_rewards=True)
    path = play(env, 150)
    points = np.concatenate([step[4]["reward"] for step in path[1:]])
    np.testing.assert_array_equal(np.concatenate([step[1] for step in path[1:]]), np.sign(points))
    assert points.max() >= 5.0


def test_a_single_game_tells_them_too() -> None:
    """Gymnasium's users read them from info at every step, the last one included."""
    env = SingleEnv(Breakout(num_envs=1, size=16, stack=1, actions="reduced", **COURSE))
    assert env.reset(seed=0)[1] == {"lives": 5}
    ended = False
    while not ended:
        _, _, ended, _, info = env.step(0)
        assert set(info) == {"lives", "reward"}
    assert info["lives"] == 4
    assert env.reset()[1] == {"lives": 4}


def test_a_cut_game_counts_the_life_that_it_ended_in() -> None:
    """So that the score of a life is of lives that were played."""
    env = Breakout(num_envs=2, split="test", size=16, stack=1, max_episode_steps=10)
    env.record(1)
    path = play(env, 10)
    assert path[-1][3].all()
    assert env.recording.arrays()["lives"].tolist() == [1, 1]
    assert env.recording.arrays()["length"].tolist() == [10, 10]
