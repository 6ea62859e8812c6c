from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlds_bench.agents.budget import Budget, BudgetExhausted
from mlds_bench.agents.contract import subject as module
from mlds_bench.agents.contract.check import CHECKS, check_subject
from mlds_bench.agents.contract.subject import AgentViolation, CheckedEnv, StillStepping, Subject
from tests.agents.toyground import Ground
from tests.envs.toys import Walk


class Counter:
    """Remembers what it was told, and how far it came."""

    num_envs = 4

    def learn(self, env: Any, budget: Budget) -> None:
        self.told = budget
        env.reset()
        while True:
            env.step(np.ones(env.num_envs, np.int64))

    def act(self, obs: Any) -> Any:
        return np.ones(len(obs), np.int64)


class Large(Counter):
    num_envs = 5000


def test_a_stop_comes_unannounced() -> None:
    """The agent is told the whole budget, and stopped where it does not expect it."""
    player, env = Subject(Counter, Ground(Walk), budget_steps=400).learned(stop_at=170)
    assert (env.env_steps, env.stopped_by) == (168, "seconds")
    assert player.agent.agent.told.env_steps == 400


def test_the_budget_holds_a_few_batches_of_any_size() -> None:
    """An agent that learns in large batches gets more than one of them."""
    _, env = Subject(Large, Ground(Walk)).learned()
    assert (env.env_steps, env.stopped_by) == (module.BATCHES * 5000, "env_steps")


def test_time_is_limited_and_its_end_can_be_repeated(monkeypatch: pytest.MonkeyPatch) -> None:
    """A slow agent is stopped by the clock; a second run is stopped at the same step."""
    monkeypatch.setattr(module, "SECONDS", 0.02)
    slow = Subject(Counter, Ground(Walk), budget_steps=10**7)
    _, first = slow.first
    assert first.stopped_by == "seconds"
    monkeypatch.setattr(module, "SECONDS", 1e-9)  # the clock does not count the second time
    _, second = slow.learned(stop_at=first.env_steps)
    assert second.env_steps == first.env_steps > 0
    assert list(check_subject(slow)) == list(CHECKS)


def test_an_agent_that_steps_on_is_ended() -> None:
    """A few tries after the end are forgiven, more are not."""
    env = CheckedEnv(Walk(num_envs=2, seed=0), Budget(0))
    env.reset()
    for _ in range(module.PATIENCE):
        with pytest.raises(BudgetExhausted):
            env.step(np.ones(2, np.int64))
    with pytest.raises(StillStepping):
        env.step(np.ones(2, np.int64))


def test_answers_are_checked_against_the_space() -> None:
    """The size of the batch is told, for some agents fail in one only."""
    subject = Subject(Counter, Ground(Walk))
    player = subject.new()
    assert set(subject.all_answers(player)) == set(module.BATCH_SIZES)
    player.agent.agent.act = lambda obs: np.full(len(obs), 9)
    with pytest.raises(AgentViolation, match=r"in a batch of 7: action\[0\] is 9, outside 0\.\.2"):
        subject.answers(player, 7)
