"""A game of seconds: a ball falls over a few rows, a paddle below should be under it."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import numpy as np
from gymnasium.spaces import Box, Discrete

from mlds_bench.agents.atari.policy_agent import PolicyAgent
from mlds_bench.agents.atari.rollouts import Player
from mlds_bench.agents.base import Agent, Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome

A = TypeVar("A", bound=Agent)

SIDE = 12
ROWS = 4
"""Steps that a ball takes to fall."""
BALLS = 2
"""Of an episode; the second falls without a reset, as in Pong."""


class Catch(BatchedEnv):
    """12x12 pictures, three actions (stay, left, right by 4), +1 for a ball caught, else -1."""

    def __init__(self, *, difference: bool = False, cut: bool = False, **kwargs: Any) -> None:
        low, dtype = (-255, np.int16) if difference else (0, np.uint8)
        view = Box(low, 255, (1, SIDE, SIDE), dtype)
        super().__init__(view, Discrete(3), **kwargs)
        self.dtype, self.cut = dtype, cut
        self.ball, self.paddle, self.row, self.caught = np.zeros((4, self.num_envs), np.int64)

    def draw(self, mask: Flags) -> None:
        self.caught[mask], self.paddle[mask] = 0, 1
        self._serve(mask)

    def observe(self) -> Any:
        picture = np.zeros((self.num_envs, 1, SIDE, SIDE), self.dtype)
        ids = np.arange(self.num_envs)
        for pixel in range(4):
            picture[ids, 0, 2 * self.row + 1, 4 * self.ball + pixel] = 255
            picture[ids, 0, SIDE - 1, 4 * self.paddle + pixel] = 255
        return picture

    def advance(self, actions: Any) -> Outcome:
        self.paddle = np.clip(self.paddle + np.array([0, -1, 1])[actions], 0, 2)
        self.row += 1
        down = self.row == ROWS
        reward = np.where(down, np.where(self.ball == self.paddle, 1.0, -1.0), 0.0)
        self.caught += down
        self._serve(down)
        over, never = self.caught == BALLS, np.zeros(self.num_envs, np.bool_)
        return (reward, never, over) if self.cut else (reward, over, never)

    def oracle(self) -> Any:
        return None

    def _serve(self, mask: Flags) -> None:
        ids = np.flatnonzero(mask)
        self.row[ids], self.ball[ids] = 0, self.streams.integers(ids, 3, 1)[:, 0]


class ViewedCatch(Catch):
    """The game with the choices of view that the room has; only ``difference`` matters."""

    view_options: ClassVar[frozenset[str]] = frozenset(
        {"size", "stack", "difference", "actions", "clip_rewards", "life_ends"}
    )

    def __init__(self, *, difference: bool = False, **kwargs: Any) -> None:
        batch = {name: kwargs[name] for name in kwargs.keys() - self.view_options}
        super().__init__(difference=difference, **batch)


def make_agent(cls: type[A], *, difference: bool = False, **hyperparameters: Any) -> A:
    """An agent for the game."""
    env = Catch(difference=difference)
    return cls(
        observation_space=env.single_observation_space,
        action_space=env.single_action_space,
        **hyperparameters,
    )


def make_player(agent: PolicyAgent, *, num_envs: int, steps: int) -> Player:
    """One that plays the game by an agent's network as it stands."""
    return Player(
        Catch(num_envs=num_envs, seed=0),
        steps=steps,
        actions=3,
        policy=agent.network,
        device="cpu",
        generator=agent.generator,
    )


def learn(agent: Agent, env_steps: int, **arguments: Any) -> BudgetedEnv:
    """Let an agent learn for that many environment steps; returns what counted them."""
    env = Catch(num_envs=agent.num_envs, seed=0, **arguments)
    budgeted = BudgetedEnv(env, Budget(env_steps))
    try:
        agent.learn(budgeted, budgeted.budget)
    except BudgetExhausted:
        return budgeted
    raise AssertionError("the agent ended before its budget")


def mean_return(agent: Agent, **arguments: Any) -> float:
    """Mean reward of a ball, over 200 of them, played deterministically: from -1 to 1."""
    env = Catch(num_envs=100, seed=1, **arguments)
    observation, total = env.reset()[0], 0.0
    for _ in range(ROWS * BALLS):
        observation, reward, *_ = env.step(agent.act(observation))
        total += float(reward.sum())
    return total / (100 * BALLS)
