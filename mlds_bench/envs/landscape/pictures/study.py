"""What pictures of the landscape are made of: the first runs of the test split, point by point."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.common.trees import take
from mlds_bench.envs.core import Recorder
from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.specs import LIMIT, Objective, Settings
from mlds_bench.envs.landscape.trace import TRACED_RUNS
from mlds_bench.envs.landscape.values import gradient_norm, value
from mlds_bench.measures.batches import losses_and_gradients
from mlds_bench.measures.points import Array

Ending: TypeAlias = Literal["solved", "diverged", "unsolved"]

FAR = 100.0
"""A point whose loss is this many times as far above the bottom as any start is out of sight."""


@dataclass(frozen=True)
class Points:
    """Points of a landscape and what they are worth.

    Attributes:
        theta: (T, d) float64.
        loss: (T,) float64, clipped to +-1e12; 1e12 where it is NaN.
        excess: (T,) float64, the loss above the problem's bottom; negative below it.
        gradient_norm: (T,) float64, at most 1e12.
        value: (T,) float64, of the two the one that was to be made small.
    """

    theta: Array
    loss: Array
    excess: Array
    gradient_norm: Array
    value: Array

    def __len__(self) -> int:
        return len(self.theta)

    def part(self, rows: slice | npt.NDArray[Any]) -> Points:
        """Some of the points."""
        return Points(**{name: array[rows] for name, array in vars(self).items()})


@dataclass(frozen=True)
class Run:
    """The first episode of one instance, from its start to its end.

    Attributes:
        queries: (T,) int64, how many were made before each point was reached; the first is 0.
        points: T of them.
        in_sight: (T,) bool, whether the loss is comparable to those of the starts; the start is
            always in sight.
        ending: how it ended.
    """

    queries: npt.NDArray[np.int64]
    points: Points
    in_sight: npt.NDArray[np.bool_]
    ending: Ending

    @property
    def path(self) -> Points:
        """The points up to the first that is out of sight; at least the start."""
        gone = np.flatnonzero(~self.in_sight)
        return self.points.part(slice(gone[0] if len(gone) else None))


@dataclass(frozen=True)
class Study:
    """All that pictures show of a test.

    Attributes:
        problem: the landscape.
        objective: what was to be made small.
        solved: the value that counted as solved.
        runs: the traced ones.
        ends: last points of the first episode of every instance, in order of the instances.
        lengths: (N,) int64, lengths of these episodes in queries.
    """

    problem: Problem
    objective: Objective
    solved: float
    runs: tuple[Run, ...]
    ends: Points
    lengths: npt.NDArray[np.int64]

    @property
    def best(self) -> int:
        """The run whose path ends at the smallest value; of several, that with the most points."""
        return min(
            range(len(self.runs)),
            key=lambda i: (self.runs[i].path.value[-1], -len(self.runs[i].path)),
        )

    @property
    def is_solved(self) -> npt.NDArray[np.bool_]:
        """(N,), which instances ended solved."""
        return self.ends.value <= self.solved


def read_study(recording: Recorder, settings: Settings) -> Study:
    """Put trace and ends of a recording together.

    Args:
        recording: of the test split; the first episode of every instance is read.
        settings: of the environment.
    """
    problem, objective = make_problem(settings), settings.objective
    ends = _first_ends(recording)
    traced = np.flatnonzero(ends["instance"] < TRACED_RUNS)
    paths = [_path(recording, ends, index) for index in traced]
    limit = settings.threshold
    cuts = np.cumsum([len(queries) for queries, _ in paths])
    every = _points(problem, np.concatenate([theta for _, theta in paths]), objective)
    pieces = [
        every.part(slice(last - len(q), last)) for (q, _), last in zip(paths, cuts, strict=True)
    ]
    sight = FAR * max(max(abs(float(piece.excess[0])), limit, 1e-6) for piece in pieces)
    runs = tuple(
        Run(queries, points, _near(points, sight), _ending(points, limit))
        for (queries, _), points in zip(paths, pieces, strict=True)
    )
    last = _points(problem, ends["theta"], objective)
    return Study(problem, objective, limit, runs, last, ends["length"])


def _first_ends(recording: Recorder) -> dict[str, Any]:
    """How the first episode of every instance ended, in order of the instances."""
    first: dict[str, Any] = take(recording.arrays(), np.arange(len(recording.ended)))
    return first


def _path(
    recording: Recorder, ends: Mapping[str, Any], index: np.intp
) -> tuple[npt.NDArray[np.int64], Array]:
    """Queries (T,) and points (T, d) of one traced run, its end among them."""
    queries, theta = [], []
    for entry in recording.trace:
        for row in np.flatnonzero(entry["instance"] == ends["instance"][index]):
            queries.append(entry["query"])
            theta.append(entry["theta"][row])
    queries.append(ends["length"][index])
    theta.append(ends["theta"][index])
    return np.array(queries, np.int64), np.array(theta, np.float64)


def _points(problem: Problem, theta: Array, objective: Objective) -> Points:
    loss, gradient = losses_and_gradients(problem.loss, theta)
    loss, gradient = _finite(loss), _finite(gradient)
    return Points(
        theta,
        loss,
        value(loss, gradient, bottom=problem.bottom, objective="loss"),
        np.minimum(gradient_norm(gradient), LIMIT),
        value(loss, gradient, bottom=problem.bottom, objective=objective),
    )


def _finite(array: Array) -> Array:
    return np.nan_to_num(array, nan=LIMIT, posinf=LIMIT, neginf=-LIMIT).clip(-LIMIT, LIMIT)


def _near(points: Points, sight: float) -> npt.NDArray[np.bool_]:
    near: npt.NDArray[np.bool_] = np.abs(points.excess) <= sight
    near[0] = True
    return near


def _ending(points: Points, limit: float) -> Ending:
    if points.value[-1] <= limit:
        return "solved"
    return "diverged" if points.value[-1] >= LIMIT else "unsolved"
