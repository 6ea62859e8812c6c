"""What a rollout holds, step by step, against the environment played by hand."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlds_bench.agents.atari.rollouts import (
    Player,
    Policy,
    Rollout,
    played,
    played_ahead,
    sampled,
)
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted
from tests.agents.atari.catch import CUT, Catch

STEPS, COUNT = 11, 5


def brightness(observations: Tensor) -> tuple[Tensor, Tensor]:
    """A policy that knows where things are: its value tells observations apart."""
    place = torch.arange(observations[0].numel(), dtype=torch.float32).view(observations[0].shape)
    values = (observations.float() * place).flatten(1).sum(1) / 1e4
    return torch.stack([values, -values, values * 0.0], dim=1), values


def player(policy: Policy | None = None, **arguments: Any) -> Player:
    return Player(
        Catch(num_envs=COUNT, seed=3, **arguments),
        num_steps=STEPS,
        actions=3,
        policy=policy or brightness,
        device="cpu",
        generator=torch.Generator().manual_seed(0),
    )


def value(observation: Any) -> Any:
    return brightness(torch.from_numpy(observation))[1].numpy()


@pytest.mark.parametrize("game", [{}, CUT])
def test_rollouts_hold_what_was_played(game: dict[str, Any]) -> None:
    """Two in a row: observations, rewards, ends, and the values of what followed each step."""
    playing, env = player(**game), Catch(num_envs=COUNT, seed=3, **game)
    observation = env.reset()[0]
    for _ in range(2):
        rollout = playing.play()
        for step in range(STEPS):
            assert np.array_equal(rollout.observations[step].numpy(), observation)
            assert np.array_equal(rollout.values[step], value(observation))
            logits = brightness(torch.from_numpy(observation))[0]
            assert torch.equal(rollout.logits[step], logits)
            actions = rollout.actions[step].numpy()
            observation, reward, terminated, truncated, infos = env.step(actions)
            done = terminated | truncated
            assert rollout.rewards[step].tolist() == reward.tolist()
            assert rollout.done[step].tolist() == done.tolist()
            last = infos["final_obs"] if done.any() else observation
            follows = np.where(
                terminated, 0.0, value(np.where(done[:, None, None, None], last, observation))
            )
            assert rollout.next_values[step] == pytest.approx(follows)


def test_episodes_ended_inside_the_rollouts() -> None:
    """Else the test above shows less than it says."""
    assert player().play().done.any(axis=0).all()
    assert value(Catch(num_envs=COUNT, seed=3).reset()[0]).std() > 0.0


class Constant(nn.Module):
    """Says one value of everything, and all actions alike."""

    def __init__(self, value: float) -> None:
        super().__init__()
        self.value = nn.Parameter(torch.tensor(value))

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        count = len(observations)
        return torch.zeros(count, 3), self.value.expand(count)


def improved(rollouts: Iterator[Rollout], network: Constant, count: int) -> list[float]:
    """The value that each of so many rollouts was played with; 1 more after each of them."""
    seen = []
    for _ in range(count):
        rollout = next(rollouts)
        seen.append(float(rollout.values[0, 0]))
        with torch.no_grad():
            network.value.add_(1.0)
        assert set(rollout.values.ravel()) == {seen[-1]}  # it is not written to by the next
    return seen


def test_playing_ahead_is_one_improvement_behind() -> None:
    """Always one, but for the first rollout; without it, none."""
    network = Constant(5.0)
    assert improved(played(player(network)), network, 3) == [5.0, 6.0, 7.0]
    network = Constant(5.0)
    assert improved(played_ahead(player(network), network), network, 4) == [5.0, 5.0, 6.0, 7.0]


def test_playing_ahead_plays_the_same_games() -> None:
    """By a policy that does not change: the same rollouts, and the steps are counted."""
    network = Constant(0.0)
    pairs = zip(played_ahead(player(network), network), played(player(network)), strict=True)
    for ours, theirs in islice(pairs, 3):
        assert torch.equal(ours.observations, theirs.observations)
        assert np.array_equal(ours.rewards, theirs.rewards)
        assert ours.env_steps == theirs.env_steps > 0


def test_the_end_of_the_budget_ends_playing_ahead() -> None:
    """After the rollouts it had steps for; torch has its threads back."""
    torch.set_num_threads(2)
    network, threads = Constant(0.0), list[int]()
    playing = player(network)
    playing.env = BudgetedEnv(playing.env, Budget(2 * STEPS * COUNT))
    with pytest.raises(BudgetExhausted):
        threads.extend(torch.get_num_threads() for _ in played_ahead(playing, network))
    assert (threads, torch.get_num_threads()) == ([1, 1], 2)
    torch.set_num_threads(1)


def test_drawn_actions_have_the_probabilities_of_their_logits() -> None:
    """40,000 draws from 0.6, 0.3, 0.1; the impossible never."""
    chances = torch.tensor([0.6, 0.3, 0.1, 0.0])
    drawn = sampled(chances.log().expand(40_000, 4), torch.Generator().manual_seed(0))
    shares = torch.bincount(drawn, minlength=4) / 40_000
    assert shares.tolist() == pytest.approx(chances.tolist(), abs=0.01)
    assert shares[3] == 0.0
