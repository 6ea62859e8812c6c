"""What is REINFORCE's own: points learned from once, when they are over, and their returns."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from mlds_bench.agents.atari.reinforce import ReinforceAgent
from tests.agents.atari.catch import Catch, make_agent, make_player

COUNT = 6
SMALL: dict[str, Any] = {"num_envs": COUNT, "hidden": 16, "gamma": 0.5}


def played(
    agent: ReinforceAgent, rollouts: int, monkeypatch: pytest.MonkeyPatch
) -> tuple[list[tuple[Tensor, ...]], list[Tensor]]:
    """What each improvement learned from, and all the observations that were played."""
    player = make_player(agent, num_envs=COUNT, steps=agent.hyper.num_steps)
    loss = agent._loss
    learned: list[tuple[Tensor, ...]] = []

    def recorded(*told: Tensor) -> Tensor:
        learned.append(told)
        return loss(*told)

    monkeypatch.setattr(agent, "_loss", recorded)
    agent.start(player)
    seen = []
    for _ in range(rollouts):
        rollout = player.play()
        seen.append(rollout.observations.flatten(0, 1).clone())
        agent.improve(rollout, 0.0)
    return learned, seen


def test_every_step_is_learned_from_once_when_its_point_is_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A ball falls for 4 steps, a rollout has 3: 0, 4, 8 and 12 steps of each are over."""
    agent = make_agent(ReinforceAgent, num_steps=3, **SMALL)
    learned, seen = played(agent, 4, monkeypatch)
    assert [len(observations) for observations, _, _ in learned] == [4 * COUNT] * 3
    ours = torch.cat([observations for observations, _, _ in learned]).flatten(1)
    theirs = torch.cat(seen).flatten(1)
    assert sorted(ours.tolist()) == sorted(theirs.tolist())


def test_returns_are_discounted_from_the_end_of_the_point(monkeypatch: pytest.MonkeyPatch) -> None:
    """-+1 at the end, half of it a step before; nothing from the point after."""
    agent = make_agent(ReinforceAgent, num_steps=8, **SMALL)
    ((_, _, returns),), _ = played(agent, 1, monkeypatch)
    columns = returns.view(8, COUNT).T
    assert columns.abs().tolist() == [[0.125, 0.25, 0.5, 1.0] * 2] * COUNT
    assert np.all(np.sign(columns[:, :4].numpy()) == np.sign(columns[:, 3:4].numpy()))


def test_nothing_is_learned_before_a_point_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step is taken, not even of Adam's averages."""
    agent = make_agent(ReinforceAgent, num_steps=2, **SMALL)
    assert played(agent, 1, monkeypatch)[0] == []
    assert agent.optimizer.state == {}


def test_the_gradient_is_that_of_the_course() -> None:
    """Normalized returns times the gradient of log p, written anew."""
    agent = make_agent(ReinforceAgent, **SMALL)
    observations = torch.from_numpy(Catch(num_envs=COUNT, seed=4).reset()[0])
    actions, returns = torch.tensor([0, 1, 2, 0, 1, 2]), torch.tensor([1.0, 2, 3, 4, 5, 9])
    agent._loss(observations, actions, returns).backward()  # type: ignore[no-untyped-call]
    logits = agent.network(observations)[0]
    chances = logits.softmax(1).detach()
    weights = (returns - returns.mean()) / returns.std() / COUNT
    slope = weights[:, None] * (chances - torch.eye(3)[actions])
    expected = torch.autograd.grad(logits, agent.network.policy.weight, slope)[0]
    torch.testing.assert_close(agent.network.policy.weight.grad, expected, rtol=1e-4, atol=1e-6)
    assert agent.network.value.weight.grad is None


def test_a_baseline_is_learned_and_taken_off() -> None:
    """Returns that it foretells up to a constant weigh nothing; those that it misses teach it."""
    agent = make_agent(ReinforceAgent, baseline=True, ent_coef=0.0, **SMALL)
    observations = torch.from_numpy(Catch(num_envs=COUNT, seed=4).reset()[0])
    foretold = agent.network(observations)[1].detach()
    actions = torch.zeros(COUNT, dtype=torch.int64)
    loss = agent._loss(observations, actions, foretold)
    assert loss.item() == pytest.approx(0.0, abs=1e-6)
    agent._loss(observations, actions, foretold + 1.0).backward()  # type: ignore[no-untyped-call]
    slope = agent.network.value.bias.grad
    assert slope is not None
    assert slope.item() == pytest.approx(-1.0)
