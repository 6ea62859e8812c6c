"""Agents of the DQN family for the tests of this folder, and the game as they see it."""

from __future__ import annotations

from typing import Any, TypeVar

from mlds_bench.agents.atari.dqn import VIEW
from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import BudgetedEnv
from tests.agents.atari import catch
from tests.agents.atari.catch import Catch

A = TypeVar("A", bound=Agent)
GAME: dict[str, Any] = {**VIEW, "size": 20, "columns": 5, "balls": 1}
SMALL: dict[str, Any] = {
    "num_envs": 32,
    "hidden": 64,
    "convolutions": ((16, 4, 2), (16, 3, 2), (16, 3, 1)),
    "batch_size": 32,
    "train_frequency": 8,
    "target_network_frequency": 192,
    "learning_rate": 2e-3,
    "learning_starts": 300,
    "gamma": 0.9,
    "v_max": 1.5,
}
"""Settings for twenty pixels and a few seconds."""


def make_env(**arguments: Any) -> Catch:
    """Five columns, one ball, in the view of the family, but small."""
    return Catch(**{**GAME, **arguments})


def make_agent(cls: type[A], **hyperparameters: Any) -> A:
    """An agent for that game."""
    return catch.make_agent(cls, game=GAME, **hyperparameters)


def learn(agent: Agent, env_steps: int) -> BudgetedEnv:
    """Let an agent learn for that many environment steps; returns what counted them."""
    return catch.learn(agent, env_steps, **GAME)


def mean_return(agent: Agent) -> float:
    """Of a ball: 1 if every one is caught, -0.6 at random."""
    return catch.mean_return(agent, **GAME)
