"""L-BFGS (Liu and Nocedal 1989) with a line search through probes, for a whole batch.

The direction comes from the two-loop recursion over the last ``memory`` pairs of steps s and
changes of gradient y (Nocedal and Wright 2006, algorithm 7.4), those of positive curvature alone.
The line search probes t p, begins with t = 1 (without pairs with a step no longer than 1), and
backtracks to the minimum of the parabola through what is known, until the value falls by
``decrease`` of what the slope promises (Armijo). So a step costs two queries if its first probe is
good: the probe and the move.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlds_bench.agents.landscape.first_order import check_positive
from mlds_bench.agents.landscape.optimizer import (
    Array,
    Flags,
    LandscapeAgent,
    Rows,
    Seen,
    norms,
)

FLATTEST = 1e-10
"""A pair counts if s.y is more than this share of |s||y|,"""
SMALLEST = 1e-150
"""and than this, so that its inverse is a number to reckon with."""


@dataclass(frozen=True)
class LbfgsHyperparameters:
    """Settings of L-BFGS.

    Attributes:
        memory: pairs that are remembered.
        decrease: share of the promised decrease that a step must bring.
        backtracks: probes of a direction before the pairs are dropped for the steepest descent.
        longest_step: steps beyond this length are shortened to it.
    """

    memory: int = 10
    decrease: float = 1e-4
    backtracks: int = 15
    longest_step: float = 10.0

    def __post_init__(self) -> None:
        check_positive(decrease=self.decrease, longest_step=self.longest_step)
        if not 1 <= self.memory <= 1000:
            raise ValueError(f"memory must be in 1..1000, got {self.memory}")
        if not 1 <= self.backtracks <= 100:
            raise ValueError(f"backtracks must be in 1..100, got {self.backtracks}")


class Pairs:
    """The last m pairs (s, y) of each of N instances, newest last.

    Args:
        memory: m.
        count: N.
        dimension: d.
    """

    def __init__(self, memory: int, count: int, dimension: int) -> None:
        self._steps = np.zeros((memory, count, dimension))
        self._changes = np.zeros((memory, count, dimension))
        self._inverse = np.zeros((memory, count))  # 1 / s.y; 0 where there is no pair

    def push(self, rows: Rows, step: Array, change: Array) -> None:
        """Add pairs (len(rows), d), unless their curvature is not positive."""
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
        """Who has no pair."""
        none: Flags = self._inverse[-1, rows] == 0.0
        return none

    def direction(self, rows: Rows, gradient: Array) -> Array:
        """-H g (len(rows), d) by the two loops; -g where there are no pairs."""
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
    """L-BFGS on some function of theta whose values and gradients someone else finds out.

    Args:
        hyper: the settings.
        count: N.
        dimension: d.
    """

    def __init__(self, hyper: LbfgsHyperparameters, count: int, dimension: int) -> None:
        self._hyper = hyper
        self._pairs = Pairs(hyper.memory, count, dimension)
        self._value, self._slope = np.zeros(count), np.zeros(count)
        self._gradient = np.zeros((count, dimension))
        self._direction = np.zeros((count, dimension))
        self._length = np.zeros(count)
        self._tries = np.zeros(count, np.int64)
        self._walked = np.zeros(count, np.bool_)  # the last trial was made

    def clear(self, rows: Flags) -> None:
        """Begin anew where ``rows`` (N,) is True."""
        self._pairs.clear(rows)
        self._walked[rows] = False

    def trial(self, rows: Rows) -> Array:
        """The step (len(rows), d) that is on trial."""
        step: Array = self._length[rows, None] * self._direction[rows]
        return step

    def arrive(self, rows: Rows, value: Array, gradient: Array) -> None:
        """Choose directions at the current points, given values and gradients there."""
        walked = self._walked[rows]
        old = rows[walked]
        self._pairs.push(old, self.trial(old), gradient[walked] - self._gradient[old])
        self._value[rows], self._gradient[rows] = value, gradient
        self._aim(rows)

    def judge(self, rows: Rows, value: Array) -> Flags:
        """Whose trial is good enough, given the values there; the others get a new one."""
        promised = self._length[rows] * self._slope[rows]
        good = value <= self._value[rows] + self._hyper.decrease * promised
        self._walked[rows] = good
        worse = rows[~good]
        rise = value[~good] - self._value[worse] - promised[~good]
        shrink = -0.5 * promised[~good] / np.maximum(rise, 1e-300)
        self._length[worse] *= np.clip(shrink, 0.1, 0.5)
        self._tries[worse] += 1
        lost = worse[self._tries[worse] >= self._hyper.backtracks]
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
        longest = np.where(self._pairs.empty(rows), 1.0, self._hyper.longest_step)
        self._direction[rows], self._slope[rows] = direction, slope
        self._length[rows] = np.minimum(1.0, longest / length)
        self._tries[rows] = 0


class LbfgsAgent(LandscapeAgent):
    """L-BFGS on the loss."""

    name = "lbfgs"
    hyperparameters: ClassVar[type] = LbfgsHyperparameters

    def allocate(self, count: int) -> None:
        """Make room for pairs and trials."""
        self._descent = Descent(self.hyper, count, self.dimension)
        self._trying = np.zeros(count, np.bool_)  # what is seen next is a probe

    def clear(self, rows: Flags) -> None:
        """Forget pairs and trials where ``rows`` is True."""
        self._descent.clear(rows)
        self._trying[rows] = False

    def ask(self, seen: Seen, vectors: Array) -> Flags:
        """Move to good trials, probe the others."""
        moves = np.zeros(len(vectors), np.bool_)
        arrived, tried = np.flatnonzero(~self._trying), np.flatnonzero(self._trying)
        if len(arrived):
            self._descent.arrive(arrived, seen.loss[arrived], seen.gradient[arrived])
        if len(tried):
            moves[tried] = self._descent.judge(tried, seen.loss[tried])
        vectors[:] = self._descent.trial(np.arange(len(vectors)))
        self._trying = ~moves
        return moves
