"""Learning curves, read from records and averaged."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.leaderboard.record import Record

Array: TypeAlias = npt.NDArray[np.float64]

EPISODES = 30
"""Over so many at least returns are averaged, as in the course's plots."""
WINDOW = 10
"""Stretches of a curve, a tenth of it, over which all else is averaged."""


@dataclass(frozen=True)
class Curve:
    """How one agent learnt under one seed.

    Attributes:
        steps: (T,) environment steps.
        minutes: (T,) of training.
        value: (T,) trailing mean of the episodes' return, or of the reward where none is known.
    """

    steps: Array
    minutes: Array
    value: Array


def read_curve(record: Record, *, by_episodes: bool = False) -> Curve | None:
    """The curve of a record; None if there are fewer than two points to it.

    Returns are averaged over the last `EPISODES` or the last tenth of the curve, rewards, where no
    episode ended, over a tenth; errors fall by powers of ten, and are not averaged.

    Args:
        record: of an agent that learnt.
        by_episodes: whether its episodes are known; see `episodes_of`.
    """
    returns = [point for point in record.curve if point.episode_return is not None]
    points = returns or list(record.curve)
    if len(points) < 2:
        return None
    values = [p.reward if p.episode_return is None else p.episode_return for p in points]
    counts = episodes_of(record) if by_episodes else None
    window = 1 if is_error(record) else EPISODES if counts else WINDOW
    return Curve(
        np.array([float(point.env_steps) for point in points]),
        np.array([point.seconds / 60.0 for point in points]),
        trailing_mean(np.array(values), np.array(counts or np.ones(len(points))), window),
    )


def episodes_of(record: Record) -> list[float] | None:
    """How many episodes are behind each return of a curve; None if that is not known.

    Older records do not count them. In games that only give points they follow from the total
    reward, but for what is won and lost by games that are under way at either end.
    """
    begins = [0, *(point.env_steps for point in record.curve)]
    totals = [p.reward * (p.env_steps - b) for p, b in zip(record.curve, begins, strict=False)]
    returns = [
        (point.episodes, point.episode_return, total)
        for point, total in zip(record.curve, totals, strict=True)
        if point.episode_return is not None
    ]
    if all(count is not None for count, _, _ in returns):
        return [float(count or 0) for count, _, _ in returns]
    if all(mean > 0.0 and total > 0.0 for _, mean, total in returns):
        return [max(total / mean, 1.0) for _, mean, total in returns]
    return None


def is_error(record: Record) -> bool:
    """Whether what is learnt is a small error, to be shown by its logarithm."""
    return record.primary.startswith("log10")


def trailing_mean(values: Array, weights: Array, window: float) -> Array:
    """Means (T,) of the last of values (T,), each by its weight, over all at the start.

    Args:
        values: (T,).
        weights: (T,), above 0.
        window: as few of the values as weigh so much together.
    """
    sums, totals = (np.concatenate([[0.0], np.cumsum(x)]) for x in (values * weights, weights))
    begins = np.searchsorted(totals, totals[1:] - window, side="right") - 1
    begins = np.maximum(begins, 0)
    means: Array = (sums[1:] - sums[begins]) / (totals[1:] - totals[begins])
    return means
