"""Environments that break the contract, one rule each, and what `check_env` says of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from mlds_bench.envs.contract import Factory
from mlds_bench.envs.core import Flags, Outcome
from mlds_bench.envs.recorders import EndRecorder, Recorder, StepRecorder
from tests.envs.toys import Coached, Composite, Walk


class OutsideItsSpace(Walk):
    """Observes what its space does not hold."""

    def observe(self) -> Any:
        return super().observe() + 9.0


class WithoutSeed(Walk):
    """Does not take the seed that everyone's reset takes."""

    def reset(self, **kwargs: Any) -> Any:
        if kwargs.pop("seed", None) is None:
            return super().reset(**kwargs)
        raise TypeError("no seeds here")


class Float32Rewards(Walk):
    """Pays in another type than the contract says."""

    def advance(self, actions: Any) -> Outcome:
        reward, terminated, truncated = super().advance(actions)
        return reward.astype(np.float32), terminated, truncated


class InfiniteReward(Walk):
    """Pays infinitely little late in an episode."""

    def advance(self, actions: Any) -> Outcome:
        reward, terminated, truncated = super().advance(actions)
        return np.where(self.age > 3, -np.inf, reward), terminated, truncated


class NextStep(Walk):
    """Declares another autoreset than it has."""

    metadata = {**Walk.metadata, "autoreset_mode": AutoresetMode.NEXT_STEP}  # noqa: RUF012


class OwnLabels(Walk):
    """Hands out the labels that it will pay by."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.label = np.zeros(self.num_envs, np.int64)

    def draw(self, mask: Flags) -> None:
        super().draw(mask)
        self.label[mask] = self.place[mask] < 0.5

    def advance(self, actions: Any) -> Outcome:
        reward, terminated, truncated = super().advance(actions)
        return reward + self.label, terminated, truncated

    def oracle(self) -> Any:
        return self.label


class KeptAction(Walk):
    """Keeps the caller's action and pays for it one step later."""

    last = np.zeros(1)

    def draw(self, mask: Flags) -> None:
        super().draw(mask)
        if mask.all():
            self.last = np.zeros(self.num_envs)

    def advance(self, actions: Any) -> Outcome:
        reward, terminated, truncated = super().advance(actions)
        reward, self.last = reward + self.last, actions
        return reward, terminated, truncated


class SharingRecorder(StepRecorder):
    """Keeps the very arrays of a step."""

    def step(self, step: Any) -> None:
        super().step(step)
        self.entries[-1]["reward"] = step.reward


class SharedRecord(Walk):
    """Records the very reward that it hands out."""

    def make_recorder(self) -> Recorder:
        return SharingRecorder()


class LongMemory(Walk):
    """Pays for what happened before the reset."""

    total = 0

    def advance(self, actions: Any) -> Outcome:
        self.total += 1
        reward, terminated, truncated = super().advance(actions)
        return reward + (self.total > 20), terminated, truncated


class SeesTheOthers(Walk):
    """Pays for where the other instances are."""

    def advance(self, actions: Any) -> Outcome:
        reward, terminated, truncated = super().advance(actions)
        return reward + self.place.mean(), terminated, truncated


class UnmarkedEnds(Walk):
    """Does not mark the rows of final_obs that count."""

    def _final(self, done: Flags) -> dict[str, Any]:
        return {**super()._final(done), "_final_obs": np.zeros_like(done)}


class FirstAsLast(Walk):
    """Hands out a final observation of another shape."""

    def _final(self, done: Flags) -> dict[str, Any]:
        final = super()._final(done)
        return {**final, "final_obs": final["final_obs"].astype(np.complex128)}


class TellsAtTheEnd(Walk):
    """Lets the oracle slip into the final infos of the test split."""

    def _final(self, done: Flags) -> dict[str, Any]:
        return {**super()._final(done), "final_info": {"oracle": self.oracle()}}


class TellsAlways(Walk):
    """Tells the oracle in the test split."""

    def state_infos(self) -> dict[str, Any]:
        return {"oracle": self.oracle()}


class TellsNever(Walk):
    """Keeps the oracle for itself in the train split too."""

    def _told_of_state(self, mask: Flags) -> dict[str, Any]:
        return {}


class FeedbackInTest(Coached):
    """Tells the test split what could have been better."""

    def step(self, actions: Any) -> Any:
        *step, infos = super().step(actions)
        return *step, {**infos, "feedback": self.feedback()}


class FeedbackAtReset(Coached):
    """Has something to say before anybody acted."""

    def reset(self, **kwargs: Any) -> Any:
        observation, infos = super().reset(**kwargs)
        return observation, {**infos, "feedback": self.feedback()}


class FeedbackAtTimes(Coached):
    """Has nothing to say of some actions."""

    metadata = {**Walk.metadata, "coupled": True}  # noqa: RUF012 - only one rule is to break

    def feedback(self) -> Any:
        return None if (self.age == 2).all() else super().feedback()


class FeedbackForSome(Coached):
    """Marks the feedback of one instance only."""

    def step(self, actions: Any) -> Any:
        *step, infos = super().step(actions)
        if "_feedback" in infos:
            infos["_feedback"][1:] = False
        return *step, infos


class OtherSpaceInTest(Walk):
    """Shows more in the test split."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if self.split == "test":
            self.single_observation_space = spaces.Box(-5.0, 5.0, (2,), np.float64)


class PaysTheRetired(Walk):
    """Goes on paying instances whose episodes that count are over."""

    def step(self, actions: Any) -> Any:
        observation, reward, *rest = super().step(actions)
        return observation, reward - 1.0, *rest


class EndsTheRetired(Walk):
    """Ends episodes that nobody counts."""

    def step(self, actions: Any) -> Any:
        observation, reward, terminated, *rest = super().step(actions)
        return observation, reward, terminated | (reward == 0.0), *rest


class EagerRecorder(StepRecorder):
    """Counts every end of an instance twice."""

    def end(self, *told: Any) -> None:
        super().end(*told)
        self.ended[0] += self.ended[0] == 1


class CountsTwice(Walk):
    """Has a recorder that counts wrongly."""

    def make_recorder(self) -> Recorder:
        return EagerRecorder()


class BrittleRecorder(EndRecorder):
    """Cannot join what it recorded of a few episodes."""

    def arrays(self) -> dict[str, Any]:
        return super().arrays() if self.episodes is None else {"sum": self.entries[0]["sum"]}


class Unreadable(Walk):
    """Has a recorder that does not hold what was recorded."""

    def make_recorder(self) -> Recorder:
        return BrittleRecorder()


class Clips(Walk):
    """Takes actions out of range as the nearest in range."""

    def step(self, actions: Any) -> Any:
        if np.asarray(actions).dtype.kind == "i":
            actions = np.clip(actions, 0, 2)
        return super().step(actions)


class Rounds(Walk):
    """Takes a fraction for a choice."""

    def step(self, actions: Any) -> Any:
        if np.asarray(actions).dtype.kind == "f":
            actions = np.floor(actions).astype(np.int64)
        return super().step(actions)


class ReplacesNaN(Walk):
    """Takes NaN for nought."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.single_action_space = spaces.Box(-1, 1, (1,), np.float64)

    def advance(self, actions: Any) -> Outcome:
        return super().advance(np.rint(actions[:, 0]).astype(np.int64) + 1)

    def step(self, actions: Any) -> Any:
        if np.asarray(actions).dtype.kind == "f":
            actions = np.nan_to_num(actions)
        return super().step(actions)


class TakesHalfAnAction(Composite):
    """Fills in what a composite action leaves out."""

    def step(self, actions: Any) -> Any:
        return super().step({"go": np.ones(self.num_envs, np.int64), **actions})


BROKEN: list[tuple[str, Factory, str]] = [
    ("third-party checkers", OutsideItsSpace, "Gymnasium's checker says: "),
    ("third-party checkers", WithoutSeed, "The error was: no seeds here"),
    ("spaces", OtherSpaceInTest, "single_observation_space is Box(-4.0, 4.0, (2,), float64) in tr"),
    ("spaces", Float32Rewards, "reward is float32 (3,), expected float64 (3,)"),
    ("spaces", InfiniteReward, "is not finite"),
    ("spaces", NextStep, "metadata['autoreset_mode'] is AutoresetMode.NEXT_STEP, not SAME_STEP"),
    ("fresh arrays", OwnLabels, "an array that changed hands is still in use at step"),
    ("fresh arrays", KeptAction, "an array that changed hands is still in use at step"),
    ("fresh arrays", SharedRecord, "['recording']['reward']"),
    ("repeats", LongMemory, "the same seed gave another value at step"),
    ("batch sizes", SeesTheOthers, "differs between batches of 7 and 1 at step"),
    ("autoreset", UnmarkedEnds, "infos['_final_obs'] must mark the ended instances"),
    ("autoreset", FirstAsLast, "final_obs not in its space"),
    ("split rule", TellsAtTheEnd, "the test split tells infos[\"['final_info']['oracle']\"]"),
    ("split rule", TellsAlways, "the test split tells infos[\"['oracle']\"]"),
    ("split rule", TellsNever, "the train split does not tell the oracle"),
    ("split rule", FeedbackInTest, "the test split tells infos[\"['feedback']['away']\"]"),
    ("split rule", FeedbackAtReset, "a reset tells feedback, about no action"),
    ("split rule", FeedbackAtTimes, "the train split does not tell feedback in every step"),
    ("split rule", FeedbackForSome, "feedback is of every instance"),
    ("recording", PaysTheRetired, "an instance that has ended its episodes is paid [-1."),
    ("recording", EndsTheRetired, "an instance that has ended its episodes ended another"),
    ("recording", CountsTwice, "recorded [2 1] ends of episodes, there were [1 1]"),
    ("recording", Unreadable, "raised KeyError: 'sum'"),
    ("invalid actions", Clips, "an action that is out of range was taken"),
    ("invalid actions", Rounds, "an action that is not whole was taken"),
    ("invalid actions", ReplacesNaN, "an action that is NaN was taken"),
    ("invalid actions", TakesHalfAnAction, "an action that is a mapping without a key was taken"),
]
