"""The replay against a list of everything that happened."""

from __future__ import annotations

import resource
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

from mlds_bench.agents.numerics import replay as module
from mlds_bench.agents.numerics.replay import (
    BYTES_BESIDE_A_FRAME,
    FrameReplay,
    free_memory,
    n_step_returns,
    require_memory,
)
from mlds_bench.agents.numerics.sampling import UniformSampler
from tests.agents.atari.catch import Catch

DISCOUNT = 0.5


@dataclass
class Step:
    """What one instance saw and did, whole."""

    observation: Any
    action: int
    reward: float
    terminated: bool
    truncated: bool
    after: Any


class Diary:
    """Plays Catch at random; keeps every step in lists, and tells a replay."""

    def __init__(self, *, num_envs: int = 3, steps: int = 1, capacity: int = 10_000, **game: Any):
        self.env = Catch(num_envs=num_envs, seed=3, **game)
        self.observation: Any
        self.generator = np.random.default_rng(1)
        shape: Any = self.env.single_observation_space.shape
        self.replay = FrameReplay(
            shape,
            stack=shape[0],
            num_envs=num_envs,
            capacity=capacity,
            n_step=steps,
            gamma=DISCOUNT,
            sampler=lambda rows: UniformSampler(rows, np.random.default_rng(0)),
        )
        self.steps = steps
        self.lives: list[list[Step]] = [[] for _ in range(num_envs)]
        self.observation, _ = self.env.reset()
        self.replay.begin(self.observation)

    def play(self, steps: int) -> Diary:
        for _ in range(steps):
            seen = self.observation
            actions = self.generator.integers(3, size=self.env.num_envs)
            told = self.env.step(actions)
            self.observation, reward, terminated, truncated, infos = told
            final = infos.get("final_obs")
            self.replay.add(actions, reward, terminated, truncated, self.observation, final)
            for i, life in enumerate(self.lives):
                ended = terminated[i] or truncated[i]
                after = infos["final_obs"][i] if ended else self.observation[i]
                ends = bool(terminated[i]), bool(truncated[i])
                life.append(Step(seen[i], int(actions[i]), float(reward[i]), *ends, after))
        return self

    def expected(self, *, but_last: int = 0) -> set[tuple[Any, ...]]:
        """Transitions of up to n steps, by a loop over what happened."""
        known = set()
        for life in self.lives:
            for t, first in enumerate(life[: len(life) - but_last]):
                total, factor, last = 0.0, 1.0, first
                for last in life[t : t + self.steps]:
                    total, factor = total + factor * last.reward, factor * DISCOUNT
                    if last.terminated or last.truncated:
                        break
                rest = 0.0 if last.terminated else factor
                pictures = first.observation.tobytes(), last.after.tobytes()
                known.add((*pictures, first.action, total, rest))
        return known

    def drawn(self, size: int) -> set[tuple[Any, ...]]:
        batch = self.replay.sample(size)
        columns = (batch.actions, batch.returns, batch.discounts)
        rest = zip(*(column.tolist() for column in columns), strict=True)
        pictures = zip(batch.observations, batch.next_observations, strict=True)
        return {
            (a.tobytes(), b.tobytes(), *numbers)
            for (a, b), numbers in zip(pictures, rest, strict=True)
        }


GAMES = [
    {"stack": 2},
    {"stack": 4},
    {"stack": 1, "balls": 3},
    {"stack": 3, "balls": 4, "horizon": 7},  # mostly truncated
    {"stack": 4, "horizon": 2},  # shorter than the stack
]


@pytest.mark.parametrize("game", GAMES, ids=str)
@pytest.mark.parametrize("steps", [1, 3, 5])
def test_what_is_drawn_has_happened(game: dict[str, Any], steps: int) -> None:
    """Stacks, actions, returns, discounts and what follows; and everything that happened is drawn.

    Of the last n steps of the batch some are incomplete and not drawn yet.
    """
    diary = Diary(steps=steps, **game).play(60)
    drawn = diary.drawn(20_000)
    assert diary.expected(but_last=steps) <= drawn <= diary.expected()


@pytest.mark.parametrize("game", GAMES, ids=str)
@pytest.mark.parametrize("capacity", [24, 100])
def test_a_full_ring_holds_the_last_and_nothing_torn(game: dict[str, Any], capacity: int) -> None:
    """After many rounds of a small ring only whole, recent transitions are drawn."""
    diary = Diary(steps=2, capacity=capacity, **game).play(200)
    for _ in range(5):
        diary.play(3)
        assert diary.drawn(2000) <= diary.expected()
    recent = {step.observation.tobytes() for life in diary.lives for step in life[-capacity // 3 :]}
    assert {a for a, *_ in diary.drawn(500)} <= recent


def test_a_first_observation_of_several_frames_is_kept_whole() -> None:
    """An episode may begin with frames from before it: oldest to newest 1 2 3, then 4 4 5."""
    replay = FrameReplay(
        (3, 1, 1),
        stack=3,
        num_envs=2,
        capacity=40,
        n_step=1,
        gamma=1.0,
        sampler=lambda rows: UniformSampler(rows, np.random.default_rng(0)),
    )
    first = np.array([[1, 2, 3], [4, 4, 5]], np.uint8).reshape(2, 3, 1, 1)
    second = np.array([[2, 3, 6], [4, 5, 7]], np.uint8).reshape(2, 3, 1, 1)
    none = np.zeros(2, np.bool_)
    replay.begin(first)
    replay.add(np.array([1, 2]), np.array([0.5, -0.5]), none, none, second, None)
    assert replay._written.tolist() == [4, 3]  # 1 2 3 6, and 4 5 7
    batch = replay.sample(50)
    seen = {
        (*now.ravel().tolist(), *then.ravel().tolist(), action)
        for now, then, action in zip(
            batch.observations, batch.next_observations, batch.actions.tolist(), strict=True
        )
    }
    assert seen == {(1, 2, 3, 2, 3, 6, 1), (4, 4, 5, 4, 5, 7, 2)}


def test_frames_of_several_channels_stay_together() -> None:
    """Two frames of three channels: the newest three are stored, six are given back."""
    replay = FrameReplay(
        (6, 2, 2),
        stack=2,
        num_envs=1,
        capacity=40,
        n_step=1,
        gamma=1.0,
        sampler=lambda rows: UniformSampler(rows, np.random.default_rng(0)),
    )
    frames = np.random.default_rng(0).integers(256, size=(3, 3, 2, 2)).astype(np.uint8)
    none = np.zeros(1, np.bool_)
    replay.begin(np.concatenate(frames[:2])[None])
    replay.add(np.zeros(1), np.zeros(1), none, none, np.concatenate(frames[1:])[None], None)
    batch = replay.sample(1)
    assert np.array_equal(batch.observations[0], np.concatenate(frames[:2]))
    assert np.array_equal(batch.next_observations[0], np.concatenate(frames[1:]))


def test_returns_of_three_steps_by_hand() -> None:
    """Rewards 1 2 4 at discount 1/2: whole 3, terminated at the second 2, truncated at it 2."""
    no, yes = False, True
    rewards = np.array([[1.0, 2.0, 4.0]] * 4)
    ended = np.array([[no, no, no], [no, yes, no], [no, yes, no], [no, yes, yes]])
    terminated = np.array([[no, no, no], [no, yes, no], [no, no, no], [no, no, yes]])
    returns, discounts, lengths = n_step_returns(rewards, ended, terminated, 0.5)
    assert returns.tolist() == [3.0, 2.0, 2.0, 2.0]
    assert discounts.tolist() == [0.125, 0.0, 0.25, 0.25]
    assert lengths.tolist() == [3, 2, 2, 2]


def test_a_million_transitions_take_less_than_8_gb() -> None:
    """What the arrays of a small replay of 84x84 take a frame, and a sum tree's nodes with it."""
    replay = FrameReplay(
        (4, 84, 84),
        stack=4,
        num_envs=10,
        capacity=1000,
        n_step=3,
        gamma=0.99,
        sampler=lambda rows: UniformSampler(rows, np.random.default_rng(0)),
    )
    assert replay.nbytes / 1000 < 84 * 84 + BYTES_BESIDE_A_FRAME < 8e9 / 1_100_000


def test_a_replay_that_does_not_fit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """One line: what it takes, what is free, how many frames would fit."""
    monkeypatch.setattr(module, "free_memory", lambda: 10**9)
    require_memory(100_000, 7056, "1x84x84")
    line = (
        r"^a replay buffer of 1,000,000 frames of 1x84x84 takes 7\.10 GB, 1\.00 GB are free: "
        r"set buffer_size to at most 140,884$"
    )
    with pytest.raises(MemoryError, match=line):
        require_memory(1_000_000, 7056, "1x84x84")


def test_free_memory_is_what_the_process_may_still_take(monkeypatch: pytest.MonkeyPatch) -> None:
    """A limit on the process's data counts, less what it already has."""
    free = free_memory()
    assert free > 0
    limits = (2**31, 2**31)
    monkeypatch.setattr(resource, "getrlimit", lambda _: limits)
    assert 0 <= free_memory() <= min(2**31, free + 2**28)
    monkeypatch.setattr(resource, "getrlimit", lambda _: (1, 1))
    assert free_memory() == 0
