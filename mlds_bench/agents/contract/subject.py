"""The agent under check: built, taught on a small budget, and asked in batches of several sizes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from gymnasium.vector import VectorEnv

from mlds_bench.agents.adapter import Player, Playground, build_player
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted, interrupted_after
from mlds_bench.common.trees import take
from mlds_bench.envs.actions import InvalidAction, check_actions

BUDGET_STEPS = 2560
"""One rollout of 2048 steps and a part of the next."""
BATCHES = 4
"""The budget is at least this many batches of the size that the agent asks for."""
SECONDS = 60.0
BATCH_SIZES = (1, 7, 1000)
MOST_INSTANCES = 7
"""Larger batches repeat these: a thousand games would take minutes to start."""
SLOWER = 3.0
"""A learning that repeats the first may take so many times as long as that was allowed to."""
PATIENCE = 3
"""Steps that an agent may try after its budget is spent."""


class AgentViolation(AssertionError):
    """An agent breaks a rule of the contract; the rule's name stands first.

    Attributes:
        traceback: of what the agent raised in another process; "" if it raised nothing.
    """

    def __init__(self, line: str, traceback: str = "") -> None:
        super().__init__(line)
        self.traceback = traceback


class StillStepping(BaseException):
    """Ends an agent that catches `BudgetExhausted` and goes on."""


class CheckedEnv(BudgetedEnv):
    """A `BudgetedEnv` that may end early, and does not put up with an agent that steps on and on.

    Args:
        env: the batch.
        budget: what the agent is told.
        stop_at: environment steps after which time is up, as it were.

    Attributes:
        was_interrupted: whether learning was ended by the clock, and not at one of its steps.
    """

    def __init__(
        self, env: VectorEnv[Any, Any, Any], budget: Budget, stop_at: float = math.inf
    ) -> None:
        super().__init__(env, budget)
        self.stop_at = stop_at
        self.was_interrupted = False
        self.refusals = 0

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step; see `BudgetedEnv.step`."""
        if self.env_steps + self.num_envs > self.stop_at:
            self._stop("seconds")
        return super().step(actions)

    def _stop(self, reason: str) -> None:
        self.refusals += 1
        if self.refusals > PATIENCE:
            raise StillStepping
        super()._stop(reason)


@dataclass
class Subject:
    """The agent under check.

    Attributes:
        cls: its class.
        playground: the environment.
        env_kwargs: its keyword arguments.
        params: hyper-parameters.
        seed: of the agent.
        device: torch device.
        budget_steps: at least so many steps of learning.
    """

    cls: type
    playground: Playground
    env_kwargs: Mapping[str, Any] = field(default_factory=dict)
    params: Mapping[str, Any] = field(default_factory=dict)
    seed: int = 0
    device: str = "cpu"
    budget_steps: int = BUDGET_STEPS

    def new(self) -> Player:
        """A fresh agent."""
        return build_player(
            self.cls,
            self.playground,
            self.env_kwargs,
            params=self.params,
            seed=self.seed,
            device=self.device,
        )

    @cached_property
    def first(self) -> tuple[Player, CheckedEnv]:
        """An agent after its learning, and the environment that it learned in."""
        return self.learned(seconds=SECONDS)

    @cached_property
    def first_answers(self) -> dict[int, Any]:
        """What the first agent says to batches of all sizes."""
        return self.all_answers(self.first[0])

    def learned(
        self, *, stop_at: float = math.inf, seconds: float = math.inf
    ) -> tuple[Player, CheckedEnv]:
        """A fresh agent after its learning, or after a stop in the middle of it.

        Only the first time is the clock's: a run that repeats it must end at the same step.

        Raises:
            AgentViolation: it steps on and on, or does not end.
        """
        player = self.new()
        agent = player.agent
        env = player.make_env(num_envs=agent.num_envs, split="train", seed=1)
        steps = max(self.budget_steps, BATCHES * agent.num_envs)
        watched = CheckedEnv(env, Budget(env_steps=steps, seconds=seconds), stop_at)
        told = Budget(env_steps=steps, seconds=SECONDS, listener=watched.budget.listener)
        limit = min(seconds, SLOWER * SECONDS)
        try:
            with interrupted_after(limit):
                agent.learn(watched, told)
        except BudgetExhausted:
            watched.was_interrupted = watched.stopped_by is None
            watched.stopped_by = watched.stopped_by or "seconds"
        except StillStepping:
            raise AgentViolation(
                "it goes on stepping when the budget is spent: let BudgetExhausted pass"
            ) from None
        if watched.was_interrupted and math.isinf(seconds):
            raise AgentViolation(f"it was still learning after {limit:g} s, and did not step")
        return player, watched

    def all_answers(self, player: Player) -> dict[int, Any]:
        """The agent's actions by the size of the batch."""
        return {size: self.answers(player, size) for size in BATCH_SIZES}

    def answers(self, player: Player, size: int) -> Any:
        """The agent's actions for a batch of first observations, checked."""
        instances = min(size, MOST_INSTANCES)
        env = player.make_env(num_envs=instances, split="test", seed=2)
        observation, _ = env.reset()
        player.agent.reset(np.ones(size, dtype=np.bool_))
        actions = player.agent.act(take(observation, np.arange(size) % instances))
        try:
            return check_actions(env.single_action_space, actions, size)
        except InvalidAction as error:
            raise AgentViolation(f"in a batch of {size}: {error}") from error
