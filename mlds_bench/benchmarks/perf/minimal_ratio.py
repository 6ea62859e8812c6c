"""Minimal ratios: our exact Hessian against PyTorch's own function, and the memory they take.

The alternative is what a student would write: ``torch.autograd.functional.hessian``, row by row,
and ``torch.linalg.eigvalsh``. The claims, on one thread: a 141-parameter network on `sinc` in under
0.1 s, one of 1000 parameters in under 2 s, the process under 1 GB.
"""

from __future__ import annotations

import resource
import time
from statistics import median

import numpy as np
import torch
from torch import Tensor

from mlds_bench.benchmarks.perf.report import publish
from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.specs import Settings
from mlds_bench.envs.streams import Streams
from mlds_bench.measures.hessian import minimal_ratio_counts

ROUNDS = 5
FEW = 20


def cases() -> dict[str, tuple[Problem, int]]:
    """Networks, and at how many points their minimal ratio is asked for."""
    return {
        "sinc_141": (make_problem(Settings(problem="sinc", hidden=10)), 1),
        "sinc_1021": (make_problem(Settings(problem="sinc", hidden=30)), 1),
        "xor_1000x13": (make_problem(Settings(problem="xor", hidden=3)), 1000),
    }


def starts(problem: Problem, count: int) -> Tensor:
    """Starting points (count, d)."""
    return torch.from_numpy(problem.start(Streams(0, count), np.arange(count)))


def batched(problem: Problem, points: Tensor) -> float:
    """Seconds of ours."""
    began = time.perf_counter()
    minimal_ratio_counts(problem.loss, points)
    return time.perf_counter() - began


def by_autograd(problem: Problem, points: Tensor) -> float:
    """Seconds of a student's; measured on some points and scaled."""
    few = points[:FEW]
    began = time.perf_counter()
    for point in few:
        matrix = torch.autograd.functional.hessian(problem.loss, point)  # type: ignore[no-untyped-call]
        values = torch.linalg.eigvalsh(matrix)
        int((values > 1e-8 * values.abs().max()).sum())
    return (time.perf_counter() - began) * len(points) / len(few)


def measure() -> dict[str, float]:
    """Both in turn, `ROUNDS` times; memory before the alternative has taken any."""
    torch.set_num_threads(1)
    figures: dict[str, float] = {}
    work = {name: (problem, starts(problem, n)) for name, (problem, n) in cases().items()}
    for name, (problem, points) in work.items():
        figures[f"{name}_first_call_seconds"] = batched(problem, points)
    figures["peak_memory_mb"] = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024.0
    for name, (problem, points) in work.items():
        times = [(batched(problem, points), by_autograd(problem, points)) for _ in range(ROUNDS)]
        figures[f"{name}_seconds"] = median(ours for ours, _ in times)
        figures[f"{name}_by_autograd_seconds"] = median(theirs for _, theirs in times)
        figures[f"{name}_ratio"] = median(theirs / ours for ours, theirs in times)
    return figures


if __name__ == "__main__":
    publish(__file__, measure)
