"""An agent under check: made fresh, taught on a small budget, stopped, asked for actions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeAlias

import numpy as np
from gymnasium.vector import VectorEnv

from mlds_bench.agents.adapter import AgentAdapter, env_options
from mlds_bench.agents.base import Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.agents.params import build
from mlds_bench.common.trees import take
from mlds_bench.envs.actions import InvalidAction, check_actions
from mlds_bench.envs.core import BatchedEnv

EnvFactory: TypeAlias = Callable[..., BatchedEnv]

BUDGET_STEPS = 2560
"""One rollout of 2048 steps and a part of the next."""
BATCHES = 4
"""The budget is at least this many batches of the size that the agent asks for."""
SECONDS = 60.0
BATCH_SIZES = (1, 7, 1000)
MOST_INSTANCES = 7
"""Larger batches repeat these: a thousand games would take minutes to start."""
PATIENCE = 3
"""Steps that an agent may try after its budget is spent."""


class AgentViolation(AssertionError):
    """An agent breaks a rule of the contract; the rule's name stands first."""


class StillStepping(BaseException):
    """Ends an agent that catches `BudgetExhausted` and goes on."""


class WatchedEnv(BudgetedEnv):
    """A `BudgetedEnv` that may end early, and does not put up with an agent that steps on and on.

    Args:
        env: the batch.
        budget: what the agent is told.
        stop_at: environment steps after which time is up, as it were.
    """

    def __init__(
        self, env: VectorEnv[Any, Any, Any], budget: Budget, stop_at: float = math.inf
    ) -> None:
        super().__init__(env, budget)
        self.stop_at = stop_at
        self.refusals = 0

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step; see `BudgetedEnv.step`."""
        try:
            if self.env_steps + self.num_envs > self.stop_at:
                self._stop("seconds")
            return super().step(actions)
        except BudgetExhausted:
            self.refusals += 1
            if self.refusals > PATIENCE:
                raise StillStepping from None
            raise


@dataclass
class Subject:
    """The agent under check.

    Attributes:
        cls: its class.
        make_env: the batched class of the environment, its keyword arguments bound.
        params: hyper-parameters.
        seed: of the agent.
        device: torch device.
        budget_steps: at least so many steps of learning.
    """

    cls: type
    make_env: EnvFactory
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    budget_steps: int = BUDGET_STEPS

    def new(self) -> AgentAdapter:
        """A fresh agent."""
        env = self.make_env(num_envs=1, split="test", seed=0, **env_options(self.cls, self.params))
        agent = build(
            self.cls,
            observation_space=env.single_observation_space,
            action_space=env.single_action_space,
            seed=self.seed,
            device=self.device,
            params=self.params,
        )
        return AgentAdapter(agent, self.params)

    @cached_property
    def first(self) -> tuple[AgentAdapter, WatchedEnv]:
        """An agent after its learning, and the environment that it learnt in."""
        return self.learnt(seconds=SECONDS)

    @cached_property
    def first_answers(self) -> dict[tuple[int, bool], Any]:
        """What the first agent says to batches of all sizes; see `all_answers`."""
        return self.all_answers(self.first[0])

    def learnt(
        self, *, stop_at: float = math.inf, seconds: float = math.inf
    ) -> tuple[AgentAdapter, WatchedEnv]:
        """A fresh agent after its learning, or after a stop in the middle of it.

        Only the first time is the clock's: a run that repeats it must end at the same step.
        """
        agent = self.new()
        env = self.make_env(num_envs=agent.num_envs, split="train", seed=1, **agent.env_options)
        steps = max(self.budget_steps, BATCHES * agent.num_envs)
        watched = WatchedEnv(env, Budget(env_steps=steps, seconds=seconds), stop_at)
        try:
            agent.learn(watched, Budget(env_steps=steps, seconds=SECONDS))
        except BudgetExhausted:
            pass
        except StillStepping:
            raise AgentViolation(
                "it goes on stepping when the budget is spent: let BudgetExhausted pass"
            ) from None
        return agent, watched

    def all_answers(self, agent: AgentAdapter) -> dict[tuple[int, bool], Any]:
        """The agent's actions by size of the batch and by ``deterministic``."""
        return {
            (size, deterministic): self.answers(agent, size, deterministic=deterministic)
            for size in BATCH_SIZES
            for deterministic in (True, False)
        }

    def answers(self, agent: AgentAdapter, size: int, *, deterministic: bool = True) -> Any:
        """The agent's actions for a batch of first observations, checked."""
        instances = min(size, MOST_INSTANCES)
        env = self.make_env(num_envs=instances, split="test", seed=2, **agent.env_options)
        observation, _ = env.reset()
        rows = np.arange(size) % instances
        agent.reset(np.ones(size, dtype=np.bool_))
        actions = agent.act(take(observation, rows), deterministic=deterministic)
        try:
            return check_actions(env.single_action_space, actions, size)
        except InvalidAction as error:
            raise AgentViolation(f"in a batch of {size}: {error}") from error
