"""The projection by hand, and against a loop."""

from __future__ import annotations

import math

import pytest
import torch
from torch import Tensor

from mlds_bench.agents.numerics.distributional import project


def loop(probabilities: Tensor, values: Tensor, support: Tensor) -> Tensor:
    """Algorithm 1 of Bellemare et al. 2017, one atom at a time."""
    low, high, atoms = float(support[0]), float(support[-1]), len(support)
    step = (high - low) / (atoms - 1)
    result = torch.zeros(len(values), atoms, dtype=probabilities.dtype)
    for b in range(len(values)):
        for k in range(values.shape[1]):
            place = (min(max(float(values[b, k]), low), high) - low) / step
            below, above = math.floor(place), math.ceil(place)
            share = probabilities[b, k]
            if below == above:
                result[b, below] += share
            else:
                result[b, below] += share * (above - place)
                result[b, above] += share * (place - below)
    return result


def test_by_hand() -> None:
    """On the grid 0 1 2: 0.25 is three quarters at 0, a value beyond the end lies at the end."""
    support = torch.tensor([0.0, 1.0, 2.0])
    probabilities = torch.tensor([[0.5, 0.3, 0.2], [1.0, 0.0, 0.0]])
    values = torch.tensor([[0.25, 1.0, 7.0], [-3.0, 0.0, 1.0]])
    expected = torch.tensor([[0.375, 0.425, 0.2], [1.0, 0.0, 0.0]])
    torch.testing.assert_close(project(probabilities, values, support), expected)


@pytest.mark.parametrize("atoms", [2, 5, 51])
def test_as_the_loop(atoms: int) -> None:
    """Random distributions moved and shrunk, in part beyond the grid; the mean inside stays."""
    generator = torch.Generator().manual_seed(atoms)
    support = torch.linspace(-10.0, 10.0, atoms, dtype=torch.float64)
    logits = torch.randn(40, atoms, generator=generator, dtype=torch.float64)
    probabilities = (3.0 * logits).softmax(dim=1)
    rewards = 6.0 * torch.randn(40, 1, generator=generator, dtype=torch.float64)
    values = rewards + 0.9 * support
    ours = project(probabilities, values, support)
    torch.testing.assert_close(ours, loop(probabilities, values, support))
    torch.testing.assert_close(ours.sum(dim=1), torch.ones(40, dtype=torch.float64))
    inside = (values.abs() <= 10.0).all(dim=1)
    means = (probabilities * values).sum(dim=1), ours @ support
    torch.testing.assert_close(means[0][inside], means[1][inside])


def test_what_terminated_is_worth_its_reward_alone() -> None:
    """Discount 0 puts everything at the reward."""
    support = torch.linspace(-1.0, 1.0, 5)
    values = torch.tensor([[0.5]]) + 0.0 * support
    expected = torch.tensor([[0.0, 0.0, 0.0, 1.0, 0.0]])
    torch.testing.assert_close(project(torch.full((1, 5), 0.2), values, support), expected)
