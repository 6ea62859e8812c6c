"""Agents of this room in its environments, for the tests of this folder."""

from __future__ import annotations

from contextlib import suppress
from typing import Any, TypeVar

import numpy as np

from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.envs.core import BatchedEnv
from mlds_bench.envs.generalization.env import HyperparameterSearch, ModelSelection
from mlds_bench.envs.registry import ENVIRONMENTS

A = TypeVar("A", bound=Agent)


def make_agent(
    cls: type[A], env: type[BatchedEnv] = ModelSelection, /, seed: int = 0, **hyper: Any
) -> A:
    """An agent for the spaces of one of the environments."""
    make: Any = env
    made = make(num_envs=1)
    return cls(
        observation_space=made.single_observation_space,
        action_space=made.single_action_space,
        seed=seed,
        **hyper,
    )


def learn(agent: Agent, env_steps: int, **settings: Any) -> BudgetedEnv:
    """Let an agent learn to select among models."""
    env = ModelSelection(num_envs=agent.num_envs, seed=0, **settings)
    budgeted = BudgetedEnv(env, Budget(env_steps))
    with suppress(BudgetExhausted):
        agent.learn(budgeted, budgeted.budget)
    return budgeted


def scores(
    agent: Agent,
    cls: type[BatchedEnv] = ModelSelection,
    *,
    num_envs: int = 400,
    seed: int = 5,
    **settings: Any,
) -> dict[str, float]:
    """Scores of one test episode per instance."""
    env = cls(num_envs=num_envs, split="test", seed=seed, **settings)
    env.record(1)
    observation, _ = env.reset(seed=seed)
    agent.reset(np.ones(num_envs, np.bool_))
    while not env.recording.is_complete:
        observation = env.step(agent.act(observation))[0]
    return ENVIRONMENTS[f"mlds/{cls.__name__}-v0"].score(env.recording, **settings)


def history(tries: list[list[int]], rungs: list[int], accuracies: list[float]) -> Any:
    """What a search has seen after these tries, in one instance."""
    env = HyperparameterSearch(num_envs=1)
    seen = {
        name: np.zeros((1, *space.shape), np.float32)
        for name, space in env.single_observation_space.spaces.items()  # type: ignore[attr-defined]
    }
    span = np.array([1, 1, 1, 1, 2, 2, 2])
    for place, (levels, rung, accuracy) in enumerate(zip(tries, rungs, accuracies, strict=True)):
        seen["settings"][0, place] = levels / span
        seen["fidelity"][0, place] = 3.0 ** (rung - 2)
        seen["accuracy"][0, place] = accuracy
    return seen
