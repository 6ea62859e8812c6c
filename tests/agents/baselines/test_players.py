from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from mlds_bench.agents.base import Agent, UnknownHyperparameter
from mlds_bench.agents.baselines.players import (
    ConstantAgent,
    RandomAgent,
    batch_size,
    middle,
    sample,
)
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.envs.actions import check_actions
from mlds_bench.envs.contract import leaves
from mlds_bench.envs.core import BatchedEnv
from tests.envs.toys import Composite, Walk

SPACES: dict[str, Any] = {
    "box": spaces.Box(-2.0, 2.0, (1,), np.float64),
    "float32": spaces.Box(-0.1, 0.3, (2, 3), np.float32),
    "huge": spaces.Box(-1.7e308, 1.7e308, (2,), np.float64),
    "half": spaces.Box(np.array([0, -np.inf]), np.array([np.inf, 1.0]), dtype=np.float64),
    "unbounded": spaces.Box(-np.inf, np.inf, (2,)),
    "image": spaces.Box(0, 255, (4, 4, 3), np.uint8),
    "discrete": spaces.Discrete(5, start=-2),
    "multidiscrete": spaces.MultiDiscrete([3, 4], start=[1, 0]),
    "binary": spaces.MultiBinary(3),
    "dict": spaces.Dict(a=spaces.Discrete(3), b=spaces.Box(-1, 1, (2,))),
}
OBSERVATION = spaces.Box(0, 1, (2,))


def new(cls: type[Agent], space: Any, seed: int = 0, **params: Any) -> Any:
    return cls(observation_space=OBSERVATION, action_space=space, seed=seed, **params)


def assert_same(a: Any, b: Any) -> None:
    for (_, x), (_, y) in zip(leaves(a), leaves(b), strict=True):
        np.testing.assert_array_equal(x, y)
        assert x.dtype == y.dtype


def learn_in(env: BatchedEnv, steps: int, **params: Any) -> tuple[Any, BudgetedEnv]:
    agent = new(ConstantAgent, env.single_action_space, **params)
    budgeted = BudgetedEnv(env, Budget(steps))
    with suppress(BudgetExhausted):
        agent.learn(budgeted, budgeted.budget)
    return agent, budgeted


@pytest.mark.parametrize("cls", [RandomAgent, ConstantAgent])
@pytest.mark.parametrize("name", SPACES)
def test_both_play_legally_in_every_space_and_batch(cls: type[Agent], name: str) -> None:
    """Actions of batches of 1, 7 and 300 are in the space, in its dtype and fresh."""
    agent = new(cls, SPACES[name])
    for size in (1, 7, 300):
        actions = agent.act(np.zeros((size, 2)))
        assert_same(check_actions(SPACES[name], actions, size), actions)
        for _, array in leaves(actions):
            array[...] = array.dtype.type(0)  # a vandal must not change what comes next
    assert_same(new(ConstantAgent, SPACES[name]).act(np.zeros((1, 2))), _one(SPACES[name]))


def _one(space: Any) -> Any:
    if isinstance(space, spaces.Dict):
        return {key: _one(inner) for key, inner in space.spaces.items()}
    return np.asarray(middle(space))[None]


@pytest.mark.parametrize("name", SPACES)
def test_random_actions_repeat_under_their_seed_and_after_save(name: str, tmp_path: Path) -> None:
    """The same seed gives the same actions, another other ones; saving keeps the place."""
    first, second, other = (new(RandomAgent, SPACES[name], seed) for seed in (1, 1, 2))
    obs = np.zeros((50, 2))
    assert_same(first.act(obs), second.act(obs))
    with pytest.raises(AssertionError):
        assert_same(first.act(obs), other.act(obs))
    first.save(tmp_path)
    expected = first.act(obs)
    other.load(tmp_path)
    assert_same(other.act(obs), expected)


def test_random_actions_are_uniform() -> None:
    """Every value of a Discrete is as frequent, a bounded Box has its mean and spread."""
    generator = np.random.default_rng(0)
    counts = np.unique_counts(sample(SPACES["discrete"], generator, 50_000))
    assert counts.values.tolist() == [-2, -1, 0, 1, 2]
    np.testing.assert_allclose(counts.counts / 50_000, 0.2, atol=0.01)
    box = sample(SPACES["box"], generator, 50_000)
    assert abs(box.mean()) < 0.02
    assert abs(box.std() - 4 / np.sqrt(12)) < 0.02


def test_the_size_of_a_batch_is_that_of_its_first_array() -> None:
    """Dictionaries of dictionaries included."""
    assert batch_size(np.zeros((3, 2))) == 3
    assert batch_size({"a": {"b": np.zeros(4)}}) == 4


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("box", [0.0]),
        ("half", [0.0, 1.0]),
        ("unbounded", [0.0, 0.0]),
        ("huge", [0.0, 0.0]),
        ("discrete", 0),
        ("multidiscrete", [2, 1]),
    ],
)
def test_the_middle_of_a_space(name: str, value: Any) -> None:
    """Half way between the bounds, the edge of a half line, 0 without bounds."""
    np.testing.assert_array_equal(middle(SPACES[name]), value)


def test_the_constant_is_the_mode_of_the_oracle() -> None:
    """Walks begin below 0.5 half the time and are driven down: the oracle mostly says 1."""
    agent, env = learn_in(Walk(num_envs=64, seed=0), 10_000)
    np.testing.assert_array_equal(agent.act(np.zeros((3, 2))), [1, 1, 1])
    assert env.stopped_by == "env_steps"


def test_the_constant_takes_the_parts_of_a_dictionary() -> None:
    """An oracle with the keys of the action is read part by part."""
    agent, _ = learn_in(Composite(num_envs=64, seed=0), 64 * 1000)
    action = agent.act(np.zeros((2, 2)))
    np.testing.assert_array_equal(action["v"], np.zeros((2, 2)))
    assert action["go"].tolist() in ([1, 1], [2, 2])


def test_a_budget_of_nothing_still_shows_the_first_batch() -> None:
    """reset() tells an oracle too: the constant is no longer the middle."""
    walk = Walk(num_envs=64, seed=0)
    agent, env = learn_in(walk, 0)
    oracle = Walk(num_envs=64, seed=0).reset()[1]["oracle"]
    assert agent.act(np.zeros((1, 2)))[0] == np.bincount(oracle).argmax()
    assert env.env_steps == 0


def test_without_an_oracle_the_constant_stops_at_once() -> None:
    """The test split tells nothing: no step is wasted, the middle is played."""
    agent, env = learn_in(Walk(num_envs=64, seed=0, split="test"), 10_000)
    assert env.env_steps == 0
    assert agent.act(np.zeros((1, 2)))[0] == 1


def test_a_given_constant_is_played(tmp_path: Path) -> None:
    """-p action= fixes it: learning looks at nothing, a single number fills an array."""
    agent, env = learn_in(Walk(num_envs=4, seed=0), 100, action=2)
    assert (agent.act(np.zeros((3, 2))).tolist(), env.env_steps) == ([2, 2, 2], 0)
    filled = new(ConstantAgent, SPACES["float32"], action=0.25)
    np.testing.assert_array_equal(filled.act(np.zeros((1, 2))), np.full((1, 2, 3), 0.25))
    parts = new(ConstantAgent, SPACES["dict"], action={"a": 2, "b": [0.1, 0.2]})
    parts.save(tmp_path)
    loaded = new(ConstantAgent, SPACES["dict"])
    loaded.load(tmp_path)
    assert_same(loaded.act(np.zeros((2, 2))), parts.act(np.zeros((2, 2))))


@pytest.mark.parametrize(
    ("name", "action", "line"),
    [
        ("discrete", 3, "action=3 is not in"),
        ("discrete", 0.5, "must hold integers"),
        ("box", 2.5, "outside [-2, 2]"),
        ("box", "up", "must hold numbers"),
        ("box", [0.0, 0.0], "action=(0.0, 0.0) is not in"),
        ("dict", 1, "must be a mapping with the keys ['a', 'b']"),
        ("dict", {"a": 1}, "must be a mapping with the keys ['a', 'b'], got ['a']"),
    ],
)
def test_a_constant_outside_the_space_gets_one_line(name: str, action: Any, line: str) -> None:
    """The value, the space and the bound are told."""
    with pytest.raises(UnknownHyperparameter) as error:
        new(ConstantAgent, SPACES[name], action=action)
    assert line in str(error.value)
