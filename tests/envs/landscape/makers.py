"""What several tests of this room start from."""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from torch import Tensor

from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.specs import PROBLEMS, Settings
from mlds_bench.envs.streams import Streams

SIZES: list[dict[str, Any]] = [
    *({"name": name} for name in PROBLEMS),
    {"name": "deep-linear", "depth": 1},
    {"name": "deep-linear", "depth": 3},
    *({"name": "xor", "hidden": 7, "activation": kind} for kind in ("relu", "sigmoid", "tanh")),
    {"name": "jellyfish", "hidden": 1, "activation": "sigmoid"},
    {"name": "teacher-student", "k": 4, "n": 6},
    {"name": "teacher-student", "k": 1},
    {"name": "sinc", "hidden": 4, "depth": 3, "activation": "relu", "points": 7},
    {"name": "digits", "hidden": 5, "activation": "sigmoid", "points": 30},
]
"""Every problem, and every kind of size."""


def label(size: Any) -> str:
    """The id of a size in a test's name."""
    return "-".join(map(str, size.values())) if isinstance(size, dict) else str(size)


def starts(problem: Problem, count: int, *, seed: int = 0) -> Tensor:
    """Starting points (count, d)."""
    return torch.from_numpy(problem.start(Streams(seed, count), np.arange(count)))


def some(name: str, count: int, **size: Any) -> tuple[Problem, Tensor]:
    """A problem and some of its starting points."""
    problem = make_problem(Settings(problem=name, **size))
    return problem, starts(problem, count)
