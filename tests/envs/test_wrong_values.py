"""Whatever is given to an environment is taken as what it is, or refused in one line."""

from __future__ import annotations

import copy
import math
import pickle
from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np
import pytest
import torch

from mlds_bench.envs.actions import InvalidAction
from mlds_bench.envs.contract import leaves, rollout
from mlds_bench.envs.fitting.specs import NAMES
from mlds_bench.envs.landscape.specs import PROBLEMS
from mlds_bench.envs.registry import ENVIRONMENTS, Environment
from mlds_bench.envs.single import SingleEnv

WRONG: list[Any] = [
    "false", "3", "", "x" * 10_000, "line\nbreak", b"pong", True, False, 0, -1, 1.5, math.nan,
    math.inf, -math.inf, 10**9, 10**30, 10**400, 1e308, 1j, [], [1], (), {}, {"a": 1}, {1},
    np.zeros(3), np.array("a"), np.float64("nan"), np.int64(-5), np.True_, torch.zeros(2), object(),
    int, len, range(3), Ellipsis,
]  # fmt: skip
COMMON = ("num_envs", "split", "seed", "render_mode", "max_episode_steps")

each_environment = pytest.mark.parametrize("environment", ENVIRONMENTS.values(), ids=ENVIRONMENTS)


def arguments(environment: Environment) -> Iterator[tuple[str, Any]]:
    """Every keyword argument with every wrong value."""
    names = [*COMMON, *(field.name for field in fields(environment.settings()))]
    for name in names:
        for value in WRONG:
            yield name, value


@each_environment
def test_a_wrong_value_is_refused_in_one_line(environment: Environment) -> None:
    """Never a TypeError of some library; and what is taken is of the right kind."""
    tries = refused = 0
    for name, value in arguments(environment):
        tries += 1
        try:
            env = environment.make(**{name: value})
        except ValueError as error:
            refused += 1
            line = str(error)
            assert line
            assert "\n" not in line, (name, value, line)
            assert len(line) < 300, (name, value, line)
            continue
        assert is_right(env, name, value), (name, value)
        env.close()
    assert refused > 0.75 * tries
    assert tries >= len(WRONG) * (len(COMMON) + 2)


def is_right(env: Any, name: str, value: Any) -> bool:
    """Whether a value that was taken is of the kind that the argument has by default."""
    if name in ("num_envs", "seed", "max_episode_steps"):
        if name == "seed" and isinstance(value, list):
            return value == [1]  # one per instance
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    held = getattr(env.settings, name)
    default = getattr(type(env.settings)(), name)
    if isinstance(held, (int, float)) and not isinstance(held, bool):
        return not isinstance(value, (bool, str)) and bool(np.isfinite(held))
    return type(held) is type(default)


@each_environment
def test_a_wrong_seed_of_a_reset_is_refused_in_one_line(environment: Environment) -> None:
    """In the batch and in the single view; numpy's whole numbers are seeds."""
    batch: Any = environment.make(num_envs=3)
    alone: Any = SingleEnv(environment.make())
    for env in (batch, alone):
        for seed in (1.5, "3", True, b"1", math.nan, object(), {}, -1, 2**64, [0, 1], np.zeros(())):
            with pytest.raises(ValueError, match=r"^(seed|a list of seeds) must be ") as error:
                env.reset(seed=seed)
            assert "\n" not in str(error.value)
        env.reset(seed=np.int64(5))
        env.close()


@pytest.mark.parametrize(
    ("name", "kwargs"),
    [
        *(("LossLandscape", {"problem": problem}) for problem in PROBLEMS),
        *(
            ("FunctionFitting", {"target": target})
            for target in NAMES
            if target not in ("power", "polynomial")
        ),
        ("FunctionFitting", {"target": "power", "degree": 3}),
        ("FunctionFitting", {"target": "polynomial", "coefficients": [0.5, 1]}),
    ],
)
def test_a_copy_walks_the_same_path(name: str, kwargs: dict[str, Any]) -> None:
    """Copied in the middle of episodes, by deepcopy and by pickle; the original does not notice."""
    environment = ENVIRONMENTS[f"mlds/{name}-v0"]
    env = environment.make(num_envs=3, split="test", **kwargs)
    rollout(env, 1, 3, steps=3)
    copies: tuple[Any, ...] = (copy.deepcopy, lambda env: pickle.loads(pickle.dumps(env)))
    for make_copy in copies:
        other = make_copy(env)
        for step in range(4):
            action = np.full((3, *env.single_action_space.shape), 0.1 * (step + 1))  # type: ignore[misc]
            told = [dict(leaves({"step": list(one.step(action))})) for one in (env, other)]
            assert told[0].keys() == told[1].keys()
            for place, array in told[0].items():
                np.testing.assert_array_equal(array, told[1][place])


@pytest.mark.parametrize("name", ["Pong", "Breakout", "Atari"])
def test_emulators_say_that_they_cannot_be_copied(name: str) -> None:
    """In one line, with what to do."""
    env = SingleEnv(ENVIRONMENTS[f"mlds/{name}-v0"].make())
    copies: tuple[Any, ...] = (copy.deepcopy, pickle.dumps)
    for make_copy in copies:
        with pytest.raises(TypeError, match=r"^the emulators of \w+ cannot be copied or pickled: "):
            make_copy(env)
    env.close()


@each_environment
def test_a_wrong_action_is_refused_in_one_line(environment: Environment) -> None:
    """Whatever it is; the batch then goes on."""
    env = environment.make(num_envs=2)
    env.reset(seed=0)
    for value in [
        *WRONG,
        [[1], [2, 3]],
        [None, None],
        [{}, {}],
        torch.zeros(2, requires_grad=True),
    ]:
        with pytest.raises(InvalidAction) as error:
            env.step(value)
        assert "\n" not in str(error.value)
        assert len(str(error.value)) < 300
    rollout(env, 0, 2, steps=2)
    env.close()
