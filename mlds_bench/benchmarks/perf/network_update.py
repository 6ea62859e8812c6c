"""One update of the course's networks: flat vector and hand-written backward against autograd.

The alternative is what PyTorch's tutorials write: ``torch.nn.Sequential``, ``mse_loss``,
``backward()``, ``torch.optim.Adam(fused=True)``. Batch 128, float32, one thread.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from itertools import pairwise
from statistics import median

import torch
from torch import nn

from mlds_bench.agents.fitting.networks import (
    DeepHyperparameters,
    MiddleHyperparameters,
    NetworkHyperparameters,
    ShallowHyperparameters,
)
from mlds_bench.agents.numerics.adam import Adam
from mlds_bench.agents.numerics.mlp import SquaredErrorGradient, initial_parameters
from mlds_bench.benchmarks.perf.report import publish

BATCH = 128
UPDATES = 2_000
ROUNDS = 7
Update = Callable[[], None]


def by_hand(sizes: tuple[int, ...]) -> Update:
    """Our update."""
    parameters = initial_parameters(sizes, torch.Generator().manual_seed(0))
    gradient = torch.zeros_like(parameters)
    descend = SquaredErrorGradient(sizes, parameters, gradient, batch_size=BATCH)
    adam, predictions = Adam(parameters), torch.empty(1, BATCH)
    inputs, targets = torch.rand(1, BATCH), torch.rand(1, BATCH)

    def update() -> None:
        descend(inputs, targets, predictions)
        adam.update(gradient, 1e-3)

    return update


def by_autograd(sizes: tuple[int, ...]) -> Update:
    """The tutorial's update."""
    layers: list[nn.Module] = []
    for rows, columns in pairwise(sizes):
        layers += [nn.Linear(rows, columns), nn.ReLU()]
    network = nn.Sequential(*layers[:-1])
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-3, fused=True)
    inputs, targets = torch.rand(BATCH, 1), torch.rand(BATCH, 1)

    def update() -> None:
        optimizer.zero_grad()
        nn.functional.mse_loss(network(inputs), targets).backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return update


def microseconds(update: Update) -> float:
    """Time of one update."""
    began = time.perf_counter()
    for _ in range(UPDATES):
        update()
    return (time.perf_counter() - began) / UPDATES * 1e6


def measure() -> dict[str, float]:
    """Both in turn, for each network."""
    torch.set_num_threads(1)
    figures = {}
    networks: dict[str, NetworkHyperparameters] = {
        "shallow": ShallowHyperparameters(),
        "middle": MiddleHyperparameters(),
        "deep": DeepHyperparameters(),
    }
    for name, hyper in networks.items():
        sizes = (1, *hyper.hidden, 1)
        ours, theirs = by_hand(sizes), by_autograd(sizes)
        times = [(microseconds(ours), microseconds(theirs)) for _ in range(ROUNDS)]
        figures[f"{name}_by_hand_us"] = median(a for a, _ in times)
        figures[f"{name}_by_autograd_us"] = median(b for _, b in times)
        figures[f"{name}_ratio"] = median(b / a for a, b in times)
    return figures


if __name__ == "__main__":
    publish(__file__, measure)
