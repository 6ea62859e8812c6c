"""Deep Q-learning: its parts by hand, its agents on Catch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from mlds_bench.agents.atari.dqn import DqnAgent
from mlds_bench.agents.atari.improvements import (
    C51Agent,
    DoubleDqnAgent,
    DuelingAgent,
    NoisyAgent,
    RainbowAgent,
)
from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.contract.check import Subject, check_subject
from mlds_bench.agents.numerics import replay
from tests.agents.atari.catch import Catch
from tests.agents.atari.makers import GAME, SMALL, learn, make_agent, make_env, mean_return
from tests.agents.toyground import Ground


def test_an_agent_that_has_learned_nothing_does_not_catch() -> None:
    """The bar above is no gift."""
    assert mean_return(make_agent(DqnAgent, **SMALL)) < 0.0


@pytest.mark.parametrize("cls", [DqnAgent, RainbowAgent])
def test_the_contract(cls: type[DqnAgent]) -> None:
    """Any batch, the same seed, save and load, a stop in the middle."""
    subject = Subject(cls, Ground(Catch, **GAME), params=SMALL)
    check_subject(subject)


def test_pixels_are_scaled_before_learning_starts_in_both_networks() -> None:
    """Before the first update, and never again."""
    agent = make_agent(DqnAgent, **SMALL)
    learn(agent, 32)
    assert not agent._online.scaling.is_fitted
    learn(agent, 1024)
    scalings = [network.scaling for network in (agent._online, agent._target)]
    assert all(scaling.is_fitted for scaling in scalings)
    assert torch.equal(scalings[0].mean, scalings[1].mean)
    before = scalings[0].mean.clone()
    learn(agent, 1024)
    assert torch.equal(agent._online.scaling.mean, before)


def test_goals_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Target values 1 5 2, online values 0 1 9, return 1, factor 1/2: 3.5, and 2 if double."""
    rows, nothing = torch.arange(1), torch.zeros(1, 2, 20, 20, dtype=torch.uint8)
    returns, discounts = torch.tensor([1.0]), torch.tensor([0.5])
    for cls, goal in ((DqnAgent, 3.5), (DoubleDqnAgent, 2.0)):
        agent = make_agent(cls, **SMALL)
        monkeypatch.setattr(agent, "_target", lambda _: torch.tensor([[[1.0], [5.0], [2.0]]]))
        monkeypatch.setattr(agent, "_online", lambda _: torch.tensor([[[0.0], [1.0], [9.0]]]))
        assert agent._goals(rows, nothing, returns, discounts).tolist() == [[goal]]


def test_goals_of_distributions_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """On -1 0 1, the better action certain of 1: return -0.5 and discount 1 give 0.5."""
    agent = make_agent(C51Agent, **{**SMALL, "n_atoms": 3, "v_max": 1.0})
    sure = torch.tensor([[[99.0, 0.0, 0.0], [0.0, 0.0, 99.0], [0.0, 99.0, 0.0]]])
    monkeypatch.setattr(agent, "_target", lambda _: sure)
    nothing = torch.zeros(1, 2, 20, 20, dtype=torch.uint8)
    given = torch.arange(1), nothing, torch.tensor([-0.5]), torch.tensor([1.0])
    torch.testing.assert_close(agent._goals(*given), torch.tensor([[0.0, 0.5, 0.5]]))


def test_losses_by_hand() -> None:
    """Huber: half the square up to 1, then the distance less a half; cross-entropy."""
    agent = make_agent(DqnAgent, **SMALL)
    losses, errors = agent._losses(torch.tensor([[1.0], [1.0]]), torch.tensor([[1.5], [-2.0]]))
    assert losses.tolist() == [0.125, 2.5]
    assert errors.tolist() == [0.5, 3.0]
    agent = make_agent(C51Agent, **SMALL)
    said, goal = torch.log(torch.tensor([[0.2, 0.8]])), torch.tensor([[0.0, 1.0]])
    losses, errors = agent._losses(said, goal)
    assert losses.tolist() == errors.tolist() == pytest.approx([-np.log(0.8)])


def test_an_update_moves_what_was_done_towards_its_goal() -> None:
    """On one batch the loss falls, and the target network stays where it was."""
    agent = make_agent(DqnAgent, **{**SMALL, "learning_starts": 10**6})
    memory: list[Any] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(agent, "_update", memory.append)
        learn(agent, 800)
    batch = memory[0].sample(256)
    memory[0].sample = lambda _: batch
    agent._optimizer.param_groups[0]["lr"] = SMALL["learning_rate"]  # it had fallen to 0
    target = [part.clone() for part in agent._target.parameters()]

    def loss() -> float:
        rows = torch.arange(256)
        given = (batch.next_observations, batch.returns, batch.discounts)
        goals = agent._goals(rows, *map(agent._tensor, given))
        said = agent._online(agent._tensor(batch.observations))[rows, agent._tensor(batch.actions)]
        return agent._losses(said, goals)[0].mean().item()

    before = loss()
    for _ in range(30):
        agent._update(memory[0])
    assert loss() < 0.5 * before
    assert all(map(torch.equal, target, agent._target.parameters()))


def test_updates_and_exploration_follow_the_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """2000 steps: none in the first 100, then one in 8; random actions fall over the first 400.

    The learning rate falls over all of them.
    """
    agent = make_agent(DqnAgent, **SMALL)
    updates: list[float] = []
    epsilons: list[float] = []
    choose = agent._choose

    def watched(observations: Any, epsilon: float, generator: Any) -> Any:
        epsilons.append(epsilon)
        return choose(observations, epsilon, generator)

    monkeypatch.setattr(
        agent, "_update", lambda _: updates.append(agent._optimizer.param_groups[0]["lr"])
    )
    monkeypatch.setattr(agent, "_choose", watched)
    learn(agent, 2000)
    assert len(updates) == (1984 - 100) // 8
    assert updates[:3] == pytest.approx([2e-3 * (1.0 - 128 / 2000)] * 3)
    assert updates[-1] == pytest.approx(2e-3 * (1.0 - 1984 / 2000))
    expected = [1.0 - 0.99 * min(32 * k / 400, 1.0) for k in range(63)]
    assert epsilons == pytest.approx(expected)


def test_noise_is_all_the_exploration_there_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """A noisy agent takes no random actions, and another noise every step."""
    agent = make_agent(NoisyAgent, **SMALL)
    seen = []

    def choose(observations: Any, epsilon: float, generator: Any) -> Any:
        noise = agent._online.heads["action"][0].noise_in  # type: ignore[index]
        seen.append((epsilon, tuple(noise.tolist())))
        return np.zeros(len(observations), np.int64)

    monkeypatch.setattr(agent, "_choose", choose)
    learn(agent, 640)
    assert {epsilon for epsilon, _ in seen} == {0.0}
    assert len({noise for _, noise in seen}) == len(seen) == 21


def test_the_target_is_copied_now_and_then() -> None:
    """Right after a copy both networks are the same, later not."""
    for steps, same in ((192, True), (288, False)):
        agent = make_agent(DqnAgent, **SMALL)
        learn(agent, steps)
        pairs = zip(agent._online.parameters(), agent._target.parameters(), strict=True)
        assert all(torch.equal(a, b) for a, b in pairs) == same


def test_a_replay_that_does_not_fit_is_refused_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Before the first step."""
    monkeypatch.setattr(replay, "free_memory", lambda: 1000)
    env = make_env(num_envs=32)
    agent = make_agent(DqnAgent, **SMALL)
    monkeypatch.setattr(env, "reset", None)
    with pytest.raises(MemoryError, match=r"replay buffer of .* set buffer_size to at most 2$"):
        agent.learn(env, Budget(10**6))


def test_tests_repeat_and_are_a_little_random() -> None:
    """After a reset of all instances the same random actions come again."""
    agent = make_agent(NoisyAgent, **{**SMALL, "test_epsilon": 0.5})
    observations = np.zeros((1000, 2, 20, 20), np.uint8)
    first, second = agent.act(observations), agent.act(observations)
    assert not np.array_equal(first, second)
    best = np.bincount(first).argmax()
    assert np.mean(first == best) == pytest.approx(1 / 2 + 1 / 6, abs=0.05)
    agent.reset(np.ones(1000, np.bool_))
    assert np.array_equal(agent.act(observations), first)
    agent.reset(np.arange(1000) < 5)
    assert np.array_equal(agent.act(observations), second)


def test_another_network_is_not_loaded(tmp_path: Path) -> None:
    """Weights of other settings are refused in one line."""
    make_agent(DqnAgent, **SMALL).save(tmp_path)
    with pytest.raises(
        ValueError,
        match=r"holds heads\.action\.0\.bias of shape \(64,\), this DuelingAgent has none",
    ):
        make_agent(DuelingAgent, **SMALL).load(tmp_path)


@pytest.mark.parametrize(
    ("hyper", "line"),
    [
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"gamma": 1.5}, "gamma must be from 0 to 1, got 1.5"),
        ({"learning_rate": 0.0}, "learning_rate must be a finite number above 0, got 0.0"),
        ({"convolutions": ((8, 4),)}, r"convolutions must be at least one \[channels, kernel"),
        ({"duelling": True}, "unknown hyper-parameter 'duelling': did you mean 'dueling'"),
    ],
)
def test_bad_settings_are_refused(hyper: dict[str, Any], line: str) -> None:
    """One line with the name, the bound and the value."""
    with pytest.raises(UnknownHyperparameter, match=line):
        make_agent(DqnAgent, **hyper)


def test_the_global_generator_is_left_alone() -> None:
    """Neither building nor learning draws from it, nor does it matter."""
    torch.manual_seed(5)
    expected = torch.rand(1)
    torch.manual_seed(5)
    learn(make_agent(NoisyAgent, **SMALL), 320)
    assert torch.equal(torch.rand(1), expected)
