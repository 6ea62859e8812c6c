"""Every rule of the contract is shown broken once, and is then named."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector import AutoresetMode

from mlds_bench.envs.contract import CHECKS, ContractViolation, Factory, check_env, rollout
from mlds_bench.envs.core import Flags, Outcome
from mlds_bench.envs.recording import Recording
from tests.envs.toys import Composite, LongWalk, Walk


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


class SharedRecord(Walk):
    """Records the very reward that it hands out."""

    def step(self, actions: Any) -> Any:
        result = super().step(actions)
        for step in self.recording.entries[-1:]:
            step["reward"] = result[1]
        return result


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

    def _finish(self, done: Flags) -> dict[str, Any]:
        return {**super()._finish(done), "_final_obs": np.zeros_like(done)}


class FirstAsLast(Walk):
    """Hands out a final observation of another shape."""

    def _finish(self, done: Flags) -> dict[str, Any]:
        final = super()._finish(done)
        return {**final, "final_obs": final["final_obs"].astype(np.complex128)}


class TellsAtTheEnd(Walk):
    """Lets the oracle slip into the final infos of the test split."""

    def _told_oracle(self) -> Any:
        return self.oracle()


class TellsAlways(Walk):
    """Tells the oracle in the test split."""

    def _infos(self, oracle: Any, mask: Flags) -> dict[str, Any]:
        return super()._infos(self.oracle(), mask)


class TellsNever(Walk):
    """Keeps the oracle for itself in the train split too."""

    def _infos(self, oracle: Any, mask: Flags) -> dict[str, Any]:
        return super()._infos(None, mask)


class Forgets(Walk):
    """Records every other step of the test split."""

    def step(self, actions: Any) -> Any:
        result = super().step(actions)
        if self.age[0] % 2:
            self.recording.entries[-1:] = []
        return result


class ForgetsEnds(LongWalk):
    """Records the ends of every other step."""

    def step(self, actions: Any) -> Any:
        result = super().step(actions)
        if len(self.recording.entries) % 2:
            self.recording.entries[-1:] = []
        return result


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


class ToleratesMasked(Walk):
    """Tells a mask and does not enforce it."""

    def step(self, actions: Any) -> Any:
        self.action_mask = None
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
    ("oracle rule", TellsAtTheEnd, "the test split tells infos[\"['final_info']['oracle']\"]"),
    ("oracle rule", TellsAlways, "the test split tells infos[\"['oracle']\"]"),
    ("oracle rule", TellsNever, "the train split does not tell the oracle"),
    ("oracle rule", Forgets, "of 30 test steps recorded"),
    ("oracle rule", ForgetsEnds, "ends of episodes recorded"),
    ("invalid actions", Clips, "an action that is out of range was taken"),
    ("invalid actions", Rounds, "an action that is not whole was taken"),
    ("invalid actions", partial(ToleratesMasked, masked=True), "that is masked was taken"),
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
    "toy", [Walk, LongWalk, partial(Walk, masked=True), partial(Walk, horizon=9), Composite]
)
def test_sound_environments_pass(toy: Factory) -> None:
    """The toys, unbroken, pass every check."""
    assert check_env(toy) == list(CHECKS)


def test_coupled_environments_may_see_each_other() -> None:
    """metadata["coupled"] excuses a room from the comparison over batch sizes only."""

    class Coupled(SeesTheOthers):
        metadata = {**Walk.metadata, "coupled": True}  # noqa: RUF012

    assert check_env(Coupled) == list(CHECKS)


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
    assert isinstance(env.recording, Recording)
    assert len(env.recording) == 3
