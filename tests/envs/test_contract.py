"""Every rule of the contract is shown broken once, and is then named."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from mlds_bench.envs.contract import CHECKS, ContractViolation, Factory, check_env, holds, rollout
from mlds_bench.envs.core import Outcome
from mlds_bench.envs.recorders import Recorder
from tests.envs.broken_toys import BROKEN, SeesTheOthers
from tests.envs.toys import Coached, Composite, LongWalk, NarrowingWalk, Walk


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
