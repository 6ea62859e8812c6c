"""The harness against the bare training script: `deep` on sinc, one thread.

The bare script is what a student would write: the training points in memory, minibatches drawn
from them, the same network, gradient and optimizer, no environment, no harness. The claims:
learning in the harness takes at most 1.1 times as long, and around it a cell costs a fixed
start-up, under 4 s for the first of a run and under 1 s for later ones.
"""

from __future__ import annotations

import math
import tempfile
import time
from dataclasses import replace
from pathlib import Path
from statistics import median

import torch

from mlds_bench.agents.budget import Budget
from mlds_bench.agents.fitting.networks import DeepHyperparameters
from mlds_bench.agents.numerics.adam import Adam
from mlds_bench.agents.numerics.mlp import SquaredErrorGradient, initial_parameters
from mlds_bench.benchmarks.perf.report import publish
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import plan
from mlds_bench.benchmarks.run.events import Silent
from mlds_bench.benchmarks.run.runner import run
from mlds_bench.envs.fitting.data import training_points
from mlds_bench.envs.fitting.specs import sinc

UPDATES = 120_000
ROUNDS = 3


def bare_loop(seed: int) -> float:
    """Train without environment and harness; returns the seconds."""
    hyper = DeepHyperparameters()
    sizes, batch, chunk = (1, *hyper.hidden, 1), hyper.batch_size, hyper.updates_per_step
    generator = torch.Generator().manual_seed(seed)
    parameters = initial_parameters(sizes, generator)
    gradient = torch.zeros_like(parameters)
    descend = SquaredErrorGradient(sizes, parameters, gradient, batch_size=batch)
    adam, predictions = Adam(parameters), torch.empty(1, batch)
    grid = training_points(10_000, 1)
    points = torch.from_numpy(grid[:, 0]).float()
    labels = torch.from_numpy(sinc(grid)).float()
    began = time.perf_counter()
    for update in range(0, UPDATES, chunk):
        rows = torch.randint(len(points), (chunk, 1, batch), generator=generator)
        rate = 0.5 * hyper.learning_rate * (1.0 + math.cos(math.pi * update / UPDATES))
        for inputs, targets in zip(points[rows], labels[rows], strict=True):
            descend(inputs, targets, predictions)
            adam.update(gradient, rate)
    return time.perf_counter() - began


def cells(count: int) -> list[Cell]:
    """The same training, as cells of the harness."""
    budget = Budget(UPDATES * DeepHyperparameters().batch_size)
    planned = plan(
        ["hw1-1/sinc"], preset="standard", agents=["deep"], seeds=range(count), seal=Seal()
    )
    return [replace(cell, budget=budget) for cell in planned]


def measure() -> dict[str, float]:
    """Both in turn, `ROUNDS` times."""
    torch.set_num_threads(1)
    bare, harness, first, later = [], [], [], []
    for seed in range(ROUNDS):
        bare.append(bare_loop(seed))
        with tempfile.TemporaryDirectory() as folder:
            began = time.perf_counter()
            summary = run(cells(2), Path(folder), observer=Silent(), workers=1)
            total = time.perf_counter() - began
        costs = [record.cost for record in summary.records]
        work = [(cost.train_seconds or 0.0) + (cost.eval_seconds or 0.0) for cost in costs]
        harness += [cost.train_seconds or 0.0 for cost in costs]
        second = costs[1].wall_seconds
        first.append(total - second - work[0])
        later.append(second - work[1])
    return {
        "updates": float(UPDATES),
        "bare_seconds": median(bare),
        "harness_seconds": median(harness),
        "ratio": median(harness) / median(bare),
        "first_cell_startup_seconds": first[0],
        "later_cell_startup_seconds": median(later),
    }


if __name__ == "__main__":
    publish(__file__, measure)
