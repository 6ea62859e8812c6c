"""Catch: a ball falls, a paddle moves under it. Learned in seconds, drawn in a few pixels."""

from __future__ import annotations

from typing import Any, ClassVar, TypeVar

import numpy as np
from gymnasium.spaces import Box, Discrete

from mlds_bench.agents.atari.policy_agent import PolicyAgent
from mlds_bench.agents.atari.rollouts import Player
from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome

A = TypeVar("A", bound=Agent)
ROWS = 5
"""Of the field: a ball takes four steps to the last."""
CUT: dict[str, Any] = {"balls": 3, "horizon": 8}
"""Episodes that are truncated with the second of three balls, as it reaches the paddle."""


class Catch(BatchedEnv):
    """Five rows, a few columns; +1 for a ball caught on the last row, -1 for one missed.

    Observation: the last ``stack`` frames, (stack, size, size) uint8, oldest first, zero before the
    episode; with ``difference``, int16, each less the one before. Action: left, stay, right. A ball
    that is down is followed by another without a reset, as in Pong. The episode terminates with the
    last of ``balls``, or is truncated after ``horizon`` steps.
    """

    view_options: ClassVar[frozenset[str]] = frozenset(
        {"size", "stack", "difference", "actions", "clip_rewards", "life_ends"}
    )

    def __init__(
        self,
        *,
        size: int = 12,
        stack: int = 1,
        difference: bool = False,
        columns: int = 3,
        balls: int = 2,
        horizon: int = 1000,
        actions: str = "full",
        clip_rewards: bool = False,
        life_ends: bool = False,
        **batch: Any,
    ) -> None:
        shape = (stack, size, size)
        low, dtype = (-255, np.int16) if difference else (0, np.uint8)
        super().__init__(Box(low, 255, shape, dtype), Discrete(3), **batch)
        self.difference, self.columns = difference, columns
        self.balls, self.horizon = balls, horizon
        self._frames = np.zeros((self.num_envs, stack + 1, size, size), np.int16)
        self._row_of, self._column_of = (
            np.arange(size) * cells // size
            for cells in (ROWS, columns)  # of a pixel
        )
        self._row, self._column, self._paddle, self._fallen, self._age = np.zeros(
            (5, self.num_envs), np.int64
        )

    def draw(self, mask: Flags) -> None:
        ids = np.flatnonzero(mask)
        self._drop(ids)
        self._paddle[ids] = self.columns // 2
        self._fallen[ids] = self._age[ids] = 0
        self._frames[ids] = 0
        self._frames[ids, -1] = self._screen()[ids]

    def observe(self) -> Any:
        frames = np.diff(self._frames, axis=1) if self.difference else self._frames[:, 1:]
        return frames.astype(self.single_observation_space.dtype)

    def advance(self, actions: Any) -> Outcome:
        self._paddle = np.clip(self._paddle + actions - 1, 0, self.columns - 1)
        self._row += 1
        self._age += 1
        down = self._row == ROWS - 1
        reward = np.where(down, np.where(self._column == self._paddle, 1.0, -1.0), 0.0)
        self._frames[:, :-1] = self._frames[:, 1:].copy()
        self._frames[:, -1] = self._screen()
        self._fallen += down
        terminated = self._fallen >= self.balls
        self._drop(np.flatnonzero(down & ~terminated))
        return reward, terminated, (self._age >= self.horizon) & ~terminated

    def oracle(self) -> None:
        return None

    def _drop(self, ids: Any) -> None:
        self._row[ids] = 0
        self._column[ids] = self.streams.integers(ids, self.columns, 1)[:, 0]

    def _screen(self) -> Any:
        cells = np.zeros((self.num_envs, ROWS, self.columns), np.int16)
        everyone = np.arange(self.num_envs)
        cells[everyone, -1, self._paddle] = 128
        cells[everyone, self._row, self._column] = 255
        return cells[:, self._row_of][:, :, self._column_of]


def make_agent(cls: type[A], *, game: dict[str, Any] | None = None, **hyperparameters: Any) -> A:
    """An agent for the game, or for a game of other arguments."""
    env = Catch(**game or {})
    return cls(
        observation_space=env.single_observation_space,
        action_space=env.single_action_space,
        **hyperparameters,
    )


def make_player(agent: PolicyAgent, *, num_envs: int, steps: int) -> Player:
    """One that plays the game by an agent's network as it stands."""
    return Player(
        Catch(num_envs=num_envs, seed=0),
        num_steps=steps,
        actions=3,
        policy=agent.network,
        device="cpu",
        generator=agent.generator,
    )


def learn(agent: Agent, env_steps: int, **game: Any) -> BudgetedEnv:
    """Let an agent learn for that many environment steps; returns what counted them."""
    env = Catch(num_envs=agent.num_envs, seed=0, **game)
    budgeted = BudgetedEnv(env, Budget(env_steps))
    try:
        agent.learn(budgeted, budgeted.budget)
    except BudgetExhausted:
        return budgeted
    raise AssertionError("the agent ended before its budget")


def mean_return(agent: Agent, *, games: int = 200, **game: Any) -> float:
    """Mean reward of a ball, one a game, played with its tested policy: from -1 to 1."""
    env = Catch(num_envs=games, split="test", seed=1, **{**game, "balls": 1, "horizon": 1000})
    observation, total = env.reset()[0], 0.0
    for _ in range(ROWS - 1):
        observation, reward, *_ = env.step(agent.act(observation))
        total += float(reward.sum())
    return total / games
