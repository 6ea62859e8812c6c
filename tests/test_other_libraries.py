"""The page on other libraries, done word for word, and what of theirs works with ours."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from importlib.util import find_spec
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium import wrappers
from gymnasium.wrappers import vector
from stable_baselines3 import PPO
from stable_baselines3.common.vec_env import DummyVecEnv, SubprocVecEnv, VecNormalize

from mlds_bench.envs.registry import ENVIRONMENTS
from tests.processes import ROOT, python

PAGE = (ROOT / "docs" / "other_libraries.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?```python\n(.*?)```", PAGE, re.S | re.M))
NEEDS = {"TorchRL": "torchrl", "skrl": "skrl", "Tianshou": "tianshou"}
FITTING = "mlds_bench:mlds/FunctionFitting-v0"

ARGUMENTS: dict[str, dict[str, Any]] = {
    "ClipReward": {"min_reward": -1, "max_reward": 1},
    "DelayObservation": {"delay": 1},
    "DtypeObservation": {"dtype": np.float32},
    "FrameStackObservation": {"stack_size": 2},
    "MaxAndSkipObservation": {"skip": 2},
    "NormalizeReward": {},
    "RescaleAction": {"min_action": -1.0, "max_action": 1.0},
    "RescaleObservation": {"min_obs": -1.0, "max_obs": 1.0},
    "ReshapeObservation": {"shape": (1, 1)},
    "StickyAction": {"repeat_action_probability": 0.5},
    "TimeLimit": {"max_episode_steps": 5},
    "TransformAction": {"func": lambda action: action, "action_space": None},
    "TransformObservation": {"func": lambda observation: observation, "observation_space": None},
    "TransformReward": {"func": lambda reward: reward},
}
PLAIN = (
    "Autoreset",
    "ClipAction",
    "DictInfoToList",
    "FlattenObservation",
    "NormalizeObservation",
    "NumpyToTorch",
    "OrderEnforcing",
    "PassiveEnvChecker",
    "RecordEpisodeStatistics",
    "TimeAwareObservation",
)


OF_FLOATS = ("ReshapeObservation", "RescaleObservation", "ClipAction", "RescaleAction")


to_smaller_floats = pytest.mark.filterwarnings("ignore:.*precision lowered by casting")


def wrappers_of(module: Any) -> dict[str, Callable[[Any], Any]]:
    """Every wrapper of a module that can wrap a room of numbers, with arguments for it."""
    return {
        name: functools.partial(cls, **ARGUMENTS.get(name, {}))
        for name, cls in inspect.getmembers(module, inspect.isclass)
        if name in ARGUMENTS or name in PLAIN
    }


def walk(env: Any, steps: int = 6) -> None:
    """Reset and act at random; episodes that end in a single environment start again."""
    env.reset(seed=0)
    env.action_space.seed(0)
    for _ in range(steps):
        action = env.action_space.sample()
        _, _, terminated, truncated, _ = env.step(action)
        if isinstance(env, gymnasium.Env) and (terminated or truncated):
            env.reset()


@pytest.mark.parametrize("name", EXAMPLES)
def test_the_examples_run(name: str) -> None:
    """Each in an interpreter of its own."""
    needed = NEEDS.get(name)
    if needed and find_spec(needed) is None:
        pytest.skip(f"{needed} is not installed")
    done = python("-c", EXAMPLES[name])
    assert done.returncode == 0, done.stderr


def test_every_library_of_the_page_has_an_example() -> None:
    """A section that is renamed keeps its example."""
    assert {"Gymnasium's vector wrappers", "Stable-Baselines3", "CleanRL", *NEEDS} == set(EXAMPLES)


@to_smaller_floats
@pytest.mark.parametrize("name", wrappers_of(vector))
def test_a_vector_wrapper_takes_a_batch_or_the_page_names_it(name: str) -> None:
    """And one that refuses a batch takes Gymnasium's own around the single view."""
    wrap = wrappers_of(vector)[name]
    taken, refused = PAGE.split("observations refuse `SAME_STEP`")
    batch = gymnasium.make_vec(FITTING, num_envs=3)
    if f"`{name}`" in taken:
        walk(wrap(batch))
        return
    assert f"`{name}`" in refused
    with pytest.raises(ValueError, match="SAME_STEP"):
        wrap(batch)
    walk(wrap(gymnasium.make_vec(FITTING, num_envs=3, vectorization_mode="sync")))


@to_smaller_floats
@pytest.mark.parametrize("name", wrappers_of(wrappers))
@pytest.mark.parametrize("env_id", ["mlds/FunctionFitting-v0", "mlds/Breakout-v0"])
def test_single_wrappers_take_the_single_view(env_id: str, name: str) -> None:
    """All of Gymnasium's that fit the spaces."""
    env = gymnasium.make(env_id, disable_env_checker=True, max_episode_steps=9)
    if "Breakout" in env_id and name in OF_FLOATS:
        pytest.skip(f"{name} is for continuous spaces")
    walk(wrappers_of(wrappers)[name](env))
    env.close()


@pytest.mark.parametrize("env_id", ENVIRONMENTS)
def test_stable_baselines3_makes_its_own_batches(env_id: str) -> None:
    """DummyVecEnv of single views, below VecNormalize."""
    env = DummyVecEnv([functools.partial(gymnasium.make, env_id) for _ in range(2)])
    env.reset()
    for _ in range(3):
        env.step(np.array([env.action_space.sample() for _ in range(2)]))
    env.close()


def test_stable_baselines3_saves_and_loads_in_processes(tmp_path: Any) -> None:
    """SubprocVecEnv and VecNormalize: a loaded model acts as the saved one."""
    makers = [functools.partial(gymnasium.make, FITTING)] * 2
    env = VecNormalize(SubprocVecEnv(makers, start_method="spawn"))  # type: ignore[arg-type]
    model = PPO("MlpPolicy", env, n_steps=8, batch_size=16, n_epochs=1, seed=0).learn(16)
    model.save(tmp_path / "model")
    observation = env.reset()
    loaded = PPO.load(tmp_path / "model")
    expected, _ = model.predict(observation, deterministic=True)
    got, _ = loaded.predict(observation, deterministic=True)
    np.testing.assert_array_equal(got, expected)
    env.close()
