"""Every rule of the contract is shown broken once, and is then named."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from mlds_bench.envs.contract import CHECKS, ContractViolation, Factory, check_env, holds, rollout
from mlds_bench.envs.core import Flags, Outcome
from mlds_bench.envs.recorders import EndRecorder, Recorder, StepRecorder
from tests.envs.toys import Coached, Composite, LongWalk, NarrowingWalk, Walk


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


def name_of(value: Any) -> str | None:
    """Shows the class of a broken toy as the test's id."""
    return getattr(getattr(value, "func", value), "__name__", None)


@pytest.mark.parametrize(("rule", "toy", "message"), BROKEN, ids=name_of)
def test_a_broken_rule_is_named(rule: str, toy: Factory, message: str) -> None:
    """An environment that breaks one rule fails with this rule first and the place after it."""
    with pytest.raises(ContractViolation) as violation:
        check_env(toy)
    assert str(violation.value).startswith(f"{rule}: ")
    assert message in str(violation.value)
    assert "\n" not in str(violation.value)


def test_every_rule_is_shown_broken() -> None:
    """A check that was added without a toy that breaks it proves nothing."""
    assert {rule for rule, _, _ in BROKEN} == set(CHECKS)


@pytest.mark.parametrize(
    "toy", [Walk, LongWalk, NarrowingWalk, Coached, partial(Walk, horizon=9), Composite]
)
def test_sound_environments_pass(toy: Factory) -> None:
    """The toys, unbroken, pass every check."""
    assert check_env(toy) == list(CHECKS)


def test_coupled_environments_may_see_each_other() -> None:
    """metadata["coupled"] excuses reward and feedback from the comparison over batch sizes."""

    class Coupled(SeesTheOthers):
        metadata = {**Walk.metadata, "coupled": True}  # noqa: RUF012

        def feedback(self) -> Any:
            return np.full(self.num_envs, self.place.mean())

    assert check_env(Coupled) == list(CHECKS)


def test_coupling_excuses_nothing_else() -> None:
    """An instance's observation is its own."""

    class Crowded(Walk):
        metadata = {**Walk.metadata, "coupled": True}  # noqa: RUF012

        def observe(self) -> Any:
            return super().observe() + 1e-3 * self.place.mean()

    with pytest.raises(ContractViolation, match=r"^batch sizes: .*\['observation'\]"):
        check_env(Crowded)


def test_a_room_states_its_tolerance() -> None:
    """A float32 network may differ in the sixth digit; 1e-9 is the rule."""

    class Loose(Walk):
        def advance(self, actions: Any) -> Outcome:
            reward, terminated, truncated = super().advance(actions)
            return reward + 1e-7 * self.num_envs, terminated, truncated

    class Stated(Loose):
        tolerance = 1e-5

    with pytest.raises(ContractViolation, match=r"^batch sizes: .*\['reward'\]"):
        check_env(Loose)
    assert check_env(Stated) == list(CHECKS)


@pytest.mark.parametrize(
    ("space", "inside", "outside"),
    [
        (spaces.Box(-1.0, 2.0, (1,), np.float64), [[-1.0], [2.0]], [[0.0], [2.5]]),
        (spaces.Box(-1.0, 2.0, (1,), np.float64), [[0.0], [0.0]], [[0.0], [np.nan]]),
        (spaces.Discrete(3, start=1), [1, 3], [1, 4]),
        (spaces.MultiDiscrete([2, 3]), [[1, 2], [0, 0]], [[2, 0], [0, 0]]),
    ],
)
def test_rows_are_compared_with_the_space_of_one(space: Any, inside: Any, outside: Any) -> None:
    """Shape, type, bounds; also in a Dict, whose keys must be the same."""
    good, bad = (np.array(batch) for batch in (inside, outside))
    both = spaces.Dict({"a": space})
    assert holds(space, good, 2)
    assert holds(both, {"a": good}, 2)
    assert not holds(space, bad, 2)
    assert not holds(space, good, 3)
    assert not holds(space, good.astype(np.complex128), 2)
    assert not holds(space, inside, 2)
    assert not holds(both, {"a": bad}, 2)
    assert not holds(both, {"a": good, "b": good}, 2)


def test_an_environment_that_raises_is_a_violation() -> None:
    """What breaks in the room is reported under the check that met it."""

    class Raises(Walk):
        def advance(self, actions: Any) -> Outcome:
            if self.num_envs > 1:
                raise IndexError("the room has a hole")
            return super().advance(actions)

    with pytest.raises(ContractViolation, match=r"^spaces: raised IndexError: the room has a hole"):
        check_env(Raises)


def test_an_instance_acts_alike_in_any_batch() -> None:
    """The random player depends on the seed and the instance, not on the size of the batch."""
    small, large = (rollout(Composite(num_envs=n), 3, n, steps=5) for n in (2, 9))
    for one, other in zip(small[1:], large[1:], strict=True):
        for key in ("go", "v"):
            np.testing.assert_array_equal(one["action"][key], other["action"][key][:2])


def test_the_record_of_a_test_walk_is_a_recording() -> None:
    """What the rules compare is what scores are made of."""
    env = Walk(num_envs=2, split="test", seed=0)
    rollout(env, 0, 2, steps=3)
    assert isinstance(env.recording, Recorder)
    assert len(env.recording) == 6
