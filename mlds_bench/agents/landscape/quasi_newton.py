"""L-BFGS (Liu and Nocedal 1989) with a line search by probes, for a whole batch.

The direction p comes from the two-loop recursion over the last ``history_size`` pairs of steps s
and changes of gradient y (Nocedal and Wright 2006, algorithm 7.4), of which only those of positive
curvature are kept. The line search probes t p. It starts with t = 1 (or a step of length at most 1
if there are no pairs yet) and backtracks to the minimum of the parabola through the known values,
until the decrease is at least ``sufficient_decrease`` times what the slope predicts (Armijo). A
step costs two queries if its first probe is accepted: the probe and the move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlds_bench.agents.landscape.optimizer import (
    Array,
    Flags,
    LandscapeAgent,
    Rows,
    Seen,
    norms,
)
from mlds_bench.common.bounds import above

FLATTEST = 1e-10
"""A pair is kept if s.y is more than this share of |s||y|,"""
SMALLEST = 1e-150
"""and more than this, so that its inverse does not overflow."""


@dataclass(frozen=True)
class LbfgsHyperparameters:
    """Hyper-parameters of L-BFGS.

    Attributes:
        history_size: number of pairs that are kept.
        sufficient_decrease: share of the predicted decrease that a step must achieve (Armijo).
        max_backtracks: failed probes along a direction before the pairs are dropped and the search
            restarts with steepest descent.
        max_step_norm: longer steps are shortened to this length.
    """

    history_size: int = 10
    sufficient_decrease: float = 1e-4
    max_backtracks: int = 15
    max_step_norm: float = 10.0

    def __post_init__(self) -> None:
        above(0.0, sufficient_decrease=self.sufficient_decrease, max_step_norm=self.max_step_norm)
        if not 1 <= self.history_size <= 1000:
            raise ValueError(f"history_size must be in 1..1000, got {self.history_size}")
        if not 1 <= self.max_backtracks <= 100:
            raise ValueError(f"max_backtracks must be in 1..100, got {self.max_backtracks}")


class Pairs:
    """The last m pairs (s, y) of each of N instances, newest last.

    Args:
        history_size: m.
        count: N.
        dimension: d.
    """

    def __init__(self, history_size: int, count: int, dimension: int) -> None:
        self._steps = np.zeros((history_size, count, dimension))
        self._changes = np.zeros((history_size, count, dimension))
        self._inverse = np.zeros((history_size, count))  # 1 / s.y; 0 where there is no pair

    def push(self, rows: Rows, step: Array, change: Array) -> None:
        """Add pairs (len(rows), d) whose curvature is positive."""
        curvature = np.einsum("nd,nd->n", step, change)
        good = curvature > np.maximum(FLATTEST * norms(step) * norms(change), SMALLEST)
        rows = rows[good]
        for one, new in (
            (self._steps, step[good]),
            (self._changes, change[good]),
            (self._inverse, 1.0 / curvature[good]),
        ):
            one[:-1, rows] = one[1:, rows]
            one[-1, rows] = new

    def clear(self, rows: Flags | Rows) -> None:
        """Drop all pairs of some instances."""
        self._inverse[:, rows] = 0.0
        self._steps[:, rows] = 0.0
        self._changes[:, rows] = 0.0

    def empty(self, rows: Rows) -> Flags:
        """Which instances have no pairs, (len(rows),)."""
        none: Flags = self._inverse[-1, rows] == 0.0
        return none

    def direction(self, rows: Rows, gradient: Array) -> Array:
        """-H g (len(rows), d) by the two-loop recursion; -g where there are no pairs."""
        steps, changes, inverse = (
            self._steps[:, rows],
            self._changes[:, rows],
            self._inverse[:, rows],
        )
        q, weights = gradient.copy(), np.zeros_like(inverse)
        for i in reversed(range(len(steps))):
            weights[i] = inverse[i] * np.einsum("nd,nd->n", steps[i], q)
            q -= weights[i][:, None] * changes[i]
        squares = inverse[-1] * np.einsum("nd,nd->n", changes[-1], changes[-1])
        q /= np.where(squares > 0.0, squares, 1.0)[:, None]
        for i in range(len(steps)):
            back = inverse[i] * np.einsum("nd,nd->n", changes[i], q)
            q += (weights[i] - back)[:, None] * steps[i]
        return np.negative(q, out=q)


class Descent:
    """L-BFGS on any function of theta; the caller supplies its values and gradients.

    Args:
        hyper: the hyper-parameters.
        count: N.
        dimension: d.
    """

    def __init__(self, hyper: LbfgsHyperparameters, count: int, dimension: int) -> None:
        self._hyper = hyper
        self._pairs = Pairs(hyper.history_size, count, dimension)
        self._value, self._slope = np.zeros(count), np.zeros(count)
        self._gradient = np.zeros((count, dimension))
        self._direction = np.zeros((count, dimension))
        self._length = np.zeros(count)
        self._tries = np.zeros(count, np.int64)
        self._walked = np.zeros(count, np.bool_)  # the last trial was accepted

    def clear(self, rows: Flags) -> None:
        """Start anew where ``rows`` (N,) is True."""
        self._pairs.clear(rows)
        self._walked[rows] = False

    def trial(self, rows: Rows) -> Array:
        """The step (len(rows), d) to try next."""
        step: Array = self._length[rows, None] * self._direction[rows]
        return step

    def arrive(self, rows: Rows, value: Array, gradient: Array) -> None:
        """Choose search directions at the current points, given values and gradients there."""
        walked = self._walked[rows]
        old = rows[walked]
        self._pairs.push(old, self.trial(old), gradient[walked] - self._gradient[old])
        self._value[rows], self._gradient[rows] = value, gradient
        self._aim(rows)

    def judge(self, rows: Rows, value: Array) -> Flags:
        """Which trials are accepted, given the values there; the others get a shorter step."""
        promised = self._length[rows] * self._slope[rows]
        good = value <= self._value[rows] + self._hyper.sufficient_decrease * promised
        self._walked[rows] = good
        worse = rows[~good]
        rise = value[~good] - self._value[worse] - promised[~good]
        shrink = -0.5 * promised[~good] / np.maximum(rise, 1e-300)
        self._length[worse] *= np.clip(shrink, 0.1, 0.5)
        self._tries[worse] += 1
        lost = worse[self._tries[worse] >= self._hyper.max_backtracks]
        if len(lost):
            self._pairs.clear(lost)
            self._aim(lost)
        return good

    def _aim(self, rows: Rows) -> None:
        gradient = self._gradient[rows]
        direction = self._pairs.direction(rows, gradient)
        slope = np.einsum("nd,nd->n", direction, gradient)
        up = ~(slope < 0.0)
        if up.any():
            direction[up] = -gradient[up]
            slope[up] = -np.einsum("nd,nd->n", gradient[up], gradient[up])
        length = np.maximum(norms(direction), 1e-300)
        longest = np.where(self._pairs.empty(rows), 1.0, self._hyper.max_step_norm)
        self._direction[rows], self._slope[rows] = direction, slope
        self._length[rows] = np.minimum(1.0, longest / length)
        self._tries[rows] = 0


class LbfgsAgent(LandscapeAgent):
    """L-BFGS on the loss."""

    name = "lbfgs"
    hyperparameters: ClassVar[type] = LbfgsHyperparameters

    def allocate(self, count: int) -> None:
        """Allocate pairs and trials."""
        self._descent = Descent(self.hyper, count, self.dimension)
        self._trying = np.zeros(count, np.bool_)  # the next observation is of a probe

    def clear(self, rows: Flags) -> None:
        """Clear pairs and trials where ``rows`` (N,) is True."""
        self._descent.clear(rows)
        self._trying[rows] = False

    def ask(self, seen: Seen, vectors: Array) -> Flags:
        """Move to accepted trials, probe elsewhere."""
        moves = np.zeros(len(vectors), np.bool_)
        arrived, tried = np.flatnonzero(~self._trying), np.flatnonzero(self._trying)
        if len(arrived):
            self._descent.arrive(arrived, seen.loss[arrived], seen.gradient[arrived])
        if len(tried):
            moves[tried] = self._descent.judge(tried, seen.loss[tried])
        vectors[:] = self._descent.trial(np.arange(len(vectors)))
        self._trying = ~moves
        return moves
