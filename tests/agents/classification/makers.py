"""Agents for the tests of this folder, their lessons and their scores, on the embedded digits."""

from __future__ import annotations

from typing import Any, TypeVar

import numpy as np

from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.envs.classification.env import Classification
from mlds_bench.envs.registry import ENVIRONMENTS

A = TypeVar("A", bound=Agent)
DECK = 750
"""Cards of the digits' test: 500 held-out images and 250 training images."""


def make_agent(
    cls: type[A], /, *, dataset: str = "digits", classes: bool = False, **hyperparameters: Any
) -> A:
    """An agent for a data set, which answers classes or, as it would choose, probabilities."""
    env = Classification(dataset=dataset, probabilities=not classes)
    return cls(
        observation_space=env.single_observation_space,
        action_space=env.single_action_space,
        **hyperparameters,
    )


def learn(agent: Agent, env_steps: int, **arguments: Any) -> BudgetedEnv:
    """Let an agent learn from so many images; returns what counted them."""
    arguments = {"probabilities": True, **arguments}
    env = Classification(num_envs=agent.num_envs, seed=0, **arguments)
    budgeted = BudgetedEnv(env, Budget(env_steps))
    try:
        agent.learn(budgeted, budgeted.budget)
    except BudgetExhausted:
        return budgeted
    return budgeted


def scores(agent: Agent, *, cards: int = DECK, **arguments: Any) -> dict[str, float]:
    """The agent's scores on a whole deck."""
    arguments = {"probabilities": True, **arguments}
    env = Classification(num_envs=cards, split="test", seed=1, **arguments)
    env.step(agent.act(env.reset()[0]))
    score = ENVIRONMENTS["mlds/Classification-v0"].score
    return score(env.recording, **arguments)


def images(count: int, seed: int = 0) -> tuple[Any, Any]:
    """Training digits (count, 8, 8, 1) uint8 and their labels (count,) int64."""
    env = Classification(num_envs=count, seed=seed)
    observation, infos = env.reset()
    return observation, np.asarray(infos["oracle"])
