"""Environments and agents for the tests of this folder."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt

from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.envs.fitting.env import FunctionFitting
from mlds_bench.envs.registry import ENVIRONMENTS

A = TypeVar("A", bound=Agent)
TEST_POINTS = 4096


def make_agent(cls: type[A], environment: str = "sinc", /, **hyperparameters: Any) -> A:
    """An agent for the spaces of a target."""
    env = FunctionFitting(target=environment)
    return cls(
        observation_space=env.single_observation_space,
        action_space=env.single_action_space,
        **hyperparameters,
    )


def learn(agent: Agent, steps: int, **arguments: Any) -> BudgetedEnv:
    """Let an agent learn for that many steps of its batch; returns what counted them."""
    env = FunctionFitting(num_envs=agent.num_envs, seed=0, **arguments)
    budgeted = BudgetedEnv(env, Budget(steps * agent.num_envs))
    try:
        agent.learn(budgeted, budgeted.budget)
    except BudgetExhausted:
        return budgeted
    return budgeted


def scores(agent: Agent, *, test_points: int = TEST_POINTS, **arguments: Any) -> dict[str, float]:
    """The agent's scores on a test grid."""
    env = FunctionFitting(
        num_envs=test_points, split="test", seed=1, test_points=test_points, **arguments
    )
    env.step(agent.act(env.reset()[0]))
    score = ENVIRONMENTS["mlds/FunctionFitting-v0"].score
    return score(env.recording, test_points=test_points, **arguments)


def points(count: int, dimension: int = 1) -> npt.NDArray[np.float64]:
    """Random points of (0, 1)^d."""
    return np.random.default_rng(0).random((count, dimension))
