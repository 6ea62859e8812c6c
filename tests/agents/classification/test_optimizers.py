"""Optimizers by name: one update each, against literals."""

from __future__ import annotations

import pytest
import torch
from torch import nn

from mlds_bench.agents.classification.optimizers import OPTIMIZERS, make_optimizer


def moved(name: str, weight_decay: float = 0.0, updates: int = 1) -> float:
    """Where a parameter that starts at 1, with gradient 0.5 and learning rate 0.1, ends."""
    parameter = nn.Parameter(torch.tensor([1.0]))
    optimizer = make_optimizer(name, [parameter], weight_decay=weight_decay)
    for _ in range(updates):
        optimizer.param_groups[0]["lr"] = 0.1
        parameter.grad = torch.tensor([0.5])
        optimizer.step()
    return parameter.item()


@pytest.mark.parametrize(
    ("name", "expected"),
    [("adam", 0.9), ("sgd", 0.95), ("momentum", 0.95), ("rmsprop", 0.0)],
)
def test_the_first_update(name: str, expected: float) -> None:
    """RMSprop's first is g / sqrt(0.01 g^2), ten times Adam's g / |g|."""
    assert moved(name) == pytest.approx(expected, abs=1e-5)


def test_momentum_remembers() -> None:
    """0.05, then 0.05 (1 + 0.9)."""
    assert moved("momentum", updates=2) == pytest.approx(1.0 - 0.05 - 0.095)
    assert moved("sgd", updates=2) == pytest.approx(0.9)


@pytest.mark.parametrize(("name", "shrunk"), [("adam", 0.02), ("sgd", 0.02), ("momentum", 0.02)])
def test_weight_decay_shrinks(name: str, shrunk: float) -> None:
    """By learning rate times decay times the weight, with Adam too: decoupled from its scale."""
    assert moved(name) - moved(name, weight_decay=0.2) == pytest.approx(shrunk, abs=1e-5)


def test_no_other_names() -> None:
    """Those of the documentation."""
    assert [*OPTIMIZERS] == ["adam", "sgd", "momentum", "rmsprop"]
