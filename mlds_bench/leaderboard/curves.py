"""Learning curves, read from records and smoothed: one rule, for figures and for the pass mark."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.leaderboard.schema import CurvePoint, Record, Task

Array: TypeAlias = npt.NDArray[np.float64]

EPISODES = 30
"""Returns are averaged over at least so many episodes, as in the course's plots."""
WINDOW = 10
"""Stretches of a curve, a tenth of it, over which everything else is averaged."""


@dataclass(frozen=True)
class Curve:
    """How one agent learned under one seed.

    Attributes:
        steps: (T,) environment steps.
        seconds: (T,) seconds of training.
        value: (T,) trailing mean of the returns of episodes, or of the reward where no episode
            ended, or a validation score as reported.
    """

    steps: Array
    seconds: Array
    value: Array


def read_curve(record: Record, task: Task) -> Curve | None:
    """The smoothed learning curve of a record; None where it has no point.

    Returns are averaged over the last `EPISODES`, or over the last tenth of the curve where the
    episodes were not counted; rewards, where no episode ended, over a tenth. Errors fall by powers
    of ten and are not averaged.

    Args:
        record: of an agent that learned.
        task: its task.
    """
    curve = record.training.curve
    points = [point for point in curve if point.episode_return is not None] or list(curve)
    if not points:
        return None
    values = [p.reward if p.episode_return is None else p.episode_return for p in points]
    weights, window = _smoothing(record)
    if is_error(task):
        window = 1.0
    return _curve(points, trailing_mean(np.array(values), weights, window))


def read_claims(record: Record) -> Curve | None:
    """The validation scores that the agent reported, as they are; None if there are none."""
    points = [point for point in record.training.curve if point.score is not None]
    if not points:
        return None
    return _curve(points, np.array([float(point.score or 0.0) for point in points]))


def seconds_to_reach(record: Record, mark: float) -> float | None:
    """When the smoothed return of training episodes first reached a mark.

    Means of fewer episodes or stretches than the whole window do not count: one lucky game at the
    start passes nothing.

    Args:
        record: of an agent that learned.
        mark: a mean return of training episodes; higher is better.

    Returns:
        Seconds of training, or None if it never did.
    """
    points = [p for p in record.training.curve if p.episode_return is not None]
    if not points:
        return None
    weights, window = _smoothing(record)
    means = trailing_mean(np.array([p.episode_return for p in points]), weights, window)
    reached = (np.cumsum(weights) >= window) & (means >= mark)
    return points[int(np.argmax(reached))].seconds if reached.any() else None


def episodes_of(record: Record) -> list[float] | None:
    """How many episodes are behind each return of a curve; None if that is not known.

    Where the curve does not count them, they follow from the total reward in games that only give
    points, but for what is won and lost by games that are under way at either end.
    """
    curve = record.training.curve
    begins = [0, *(point.env_steps for point in curve)]
    totals = [p.reward * (p.env_steps - b) for p, b in zip(curve, begins, strict=False)]
    returns = [
        (point.episodes, point.episode_return, total)
        for point, total in zip(curve, totals, strict=True)
        if point.episode_return is not None
    ]
    if all(count is not None for count, _, _ in returns):
        return [float(count or 0) for count, _, _ in returns]
    if all(mean > 0.0 and total > 0.0 for _, mean, total in returns):
        return [max(total / mean, 1.0) for _, mean, total in returns]
    return None


def is_error(task: Task) -> bool:
    """Whether what is learned is a small error, to be shown by its logarithm."""
    return task.primary.startswith("log10")


def trailing_mean(values: Array, weights: Array, window: float) -> Array:
    """Weighted means (T,) over the last of values (T,), over all of them at the start.

    Args:
        values: (T,).
        weights: (T,), above 0.
        window: the mean is over as few of the values as together have this weight.
    """
    sums, totals = (np.concatenate([[0.0], np.cumsum(x)]) for x in (values * weights, weights))
    begins = np.searchsorted(totals, totals[1:] - window, side="right") - 1
    begins = np.maximum(begins, 0)
    means: Array = (sums[1:] - sums[begins]) / (totals[1:] - totals[begins])
    return means


def _smoothing(record: Record) -> tuple[Array, float]:
    """The weight of each value of a curve, and the weight over which its mean is taken."""
    curve = record.training.curve
    returns = sum(point.episode_return is not None for point in curve)
    counts = episodes_of(record) if returns else None
    if counts is None:
        return np.ones(returns or len(curve)), float(WINDOW)
    return np.array(counts), float(EPISODES)


def _curve(points: Sequence[CurvePoint], value: Array) -> Curve:
    return Curve(
        np.array([float(point.env_steps) for point in points]),
        np.array([point.seconds for point in points]),
        value,
    )
