"""What is PPO's own: its loss, its epochs and its minibatches."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch.nn import functional

from mlds_bench.agents.atari.ppo import Batch, PpoAgent
from mlds_bench.agents.atari.rollouts import Rollout
from tests.agents.atari.catch import make_agent, make_player

STEPS, COUNT = 6, 10
SMALL: dict[str, Any] = {
    "num_envs": COUNT,
    "num_steps": STEPS,
    "convolutions": ((8, 4, 4),),
    "hidden": 32,
}


def played(agent: PpoAgent) -> Rollout:
    """A rollout by the agent as it stands."""
    return make_player(agent, num_envs=COUNT, steps=STEPS).play()


def batches(agent: PpoAgent, monkeypatch: pytest.MonkeyPatch) -> list[Batch]:
    """Filled with what it learns from."""
    seen, loss = list[Batch](), agent._loss

    def recorded(batch: Batch) -> torch.Tensor:
        seen.append(batch)
        return loss(batch)

    monkeypatch.setattr(agent, "_loss", recorded)
    return seen


def test_the_first_step_is_that_of_the_plain_formula() -> None:
    """One epoch, one minibatch: the gradient of an actor-critic loss, written anew."""
    agent = make_agent(PpoAgent, update_epochs=1, num_minibatches=1, max_grad_norm=1e9, **SMALL)
    rollout = played(agent)
    advantages, targets = agent.advantages(rollout)
    logits, values = agent.network(rollout.observations.flatten(0, 1))
    chances = logits.softmax(1)
    chosen = chances[torch.arange(STEPS * COUNT), rollout.actions.flatten()]
    scaled = (advantages - advantages.mean()) / advantages.std()
    loss = (
        -(scaled * chosen.log()).mean()
        + 0.5 * functional.mse_loss(values, targets)
        + 0.01 * (chances * chances.log()).sum(1).mean()
    )
    parameters = [*agent.network.parameters()]
    expected = torch.autograd.grad(loss, parameters)
    agent.improve(rollout, 1e-3)
    for parameter, gradient in zip(parameters, expected, strict=True):
        torch.testing.assert_close(parameter.grad, gradient, rtol=1e-3, atol=1e-5)


def test_what_an_older_policy_played_is_weighted(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the ratio to the policy that learns, at most 2; the clip is around the latter."""
    agent = make_agent(PpoAgent, update_epochs=1, num_minibatches=1, **SMALL)
    rollout, seen = played(agent), batches(agent, monkeypatch)
    before = rollout.logits.softmax(2).flatten(0, 1)
    with torch.no_grad():
        agent.network.state_dict()["policy.bias"] += torch.tensor([0.0, 0.5, 3.0])
        now = agent.network(rollout.observations.flatten(0, 1))[0].softmax(1)
    chosen = torch.arange(STEPS * COUNT), rollout.actions.flatten()
    agent.improve(rollout, 0.0)
    weights = (now / before)[chosen].clamp_max(2.0)
    assert seen[0].weights.sort().values == pytest.approx(weights.sort().values)
    assert weights.max() == 2.0
    assert weights.min() < 0.9
    assert seen[0].old_log_probabilities.exp().sort().values == pytest.approx(
        now[chosen].sort().values
    )


def test_without_playing_ahead_nothing_is_weighted(monkeypatch: pytest.MonkeyPatch) -> None:
    """The policy that learns is the one that played."""
    agent = make_agent(PpoAgent, update_epochs=1, num_minibatches=1, ahead=False, **SMALL)
    rollout, seen = played(agent), batches(agent, monkeypatch)
    agent.improve(rollout, 0.0)
    assert seen[0].weights.tolist() == [1.0] * STEPS * COUNT


@pytest.mark.parametrize(("minibatches", "sizes"), [(1, [60]), (4, [15] * 4), (7, [9] * 6 + [6])])
def test_every_epoch_sees_every_step_once(
    minibatches: int, sizes: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """In parts of nearly the same size, parted anew each time."""
    agent = make_agent(PpoAgent, update_epochs=2, num_minibatches=minibatches, **SMALL)
    rollout, seen = played(agent), batches(agent, monkeypatch)
    agent.improve(rollout, 0.0)
    assert [len(batch.actions) for batch in seen] == sizes * 2
    epochs = [
        torch.cat([batch.targets for batch in seen[part]])
        for part in (slice(len(sizes)), slice(len(sizes), None))
    ]
    assert torch.equal(epochs[0].sort().values, agent.advantages(rollout)[1].sort().values)
    assert torch.equal(epochs[0].sort().values, epochs[1].sort().values)
    assert not torch.equal(epochs[0], epochs[1])


def test_a_learning_rate_of_0_changes_nothing() -> None:
    """The end of the budget is the end of the line."""
    agent = make_agent(PpoAgent, **SMALL)
    before = [weight.clone() for weight in agent.network.parameters()]
    agent.improve(played(agent), 0.0)
    assert all(map(torch.equal, before, agent.network.parameters()))
