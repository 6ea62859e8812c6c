"""Agents for the tests of this folder, and Catch to teach them."""

from __future__ import annotations

from typing import Any, TypeVar

from mlds_bench.agents.base import Agent, Budget, BudgetedEnv, BudgetExhausted
from tests.agents.atari.stacked_catch import Catch

A = TypeVar("A", bound=Agent)
SIZE = 20
SMALL: dict[str, Any] = {
    "num_envs": 32,
    "stride": 2,
    "hidden": 64,
    "channels": (16, 16, 16),
    "batch_size": 32,
    "update_every": 8,
    "target_every": 192,
    "learning_rate": 2e-3,
    "warm_up": 300,
    "discount": 0.9,
    "largest_return": 1.5,
}
"""Settings for twenty pixels and a few seconds."""


def make_env(cls: type[Agent], **arguments: Any) -> Catch:
    """Catch as the agent wants to see it, but small."""
    return Catch(**{**cls.env_options, "size": SIZE, **arguments})


def make_agent(cls: type[A], **hyperparameters: Any) -> A:
    """An agent for small Catch."""
    env = make_env(cls)
    return cls(
        observation_space=env.single_observation_space,
        action_space=env.single_action_space,
        **hyperparameters,
    )


def learn(agent: Agent, steps: int, **arguments: Any) -> BudgetedEnv:
    """Let an agent learn for that many environment steps; returns what counted them."""
    env = make_env(type(agent), num_envs=agent.num_envs, seed=0, **arguments)
    budgeted = BudgetedEnv(env, Budget(steps))
    try:
        agent.learn(budgeted, budgeted.budget)
    except BudgetExhausted:
        return budgeted
    return budgeted


def mean_reward(agent: Agent, *, games: int = 200) -> float:
    """Mean return of games of one ball: 1 if every ball is caught, -0.6 at random."""
    env = make_env(type(agent), num_envs=games, split="test", seed=1)
    observation, _ = env.reset()
    total = 0.0
    while True:
        observation, reward, terminated, _, _ = env.step(agent.act(observation))
        total += float(reward.mean())
        if terminated.all():
            return total
