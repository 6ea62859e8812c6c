"""Optimizers that use the curvature: they measure the Hessian by probes, then make one move.

A probe at theta + h e_i gives column i of the Hessian as a difference of gradients, so a move costs
d + 1 queries with forward differences and 2 d + 1 with central ones. With H = V diag(w) V^T and
c = V^T g, the step is -V (c / u), where

- ``newton``: u = w. It goes to the critical point of the quadratic model, whatever its kind.
- ``saddle-free-newton``: u = |w| (Dauphin et al. 2014). The step goes downhill along every
  eigenvector, away from saddles. Eigenvalues are bounded below by ``min_eigenvalue_ratio``.
- ``levenberg-marquardt``: u = w + max(0, -min w) + damping (Levenberg 1944, Marquardt 1963, here on
  the Hessian). The step is probed, and made only if the loss decreases, after which the damping
  shrinks; otherwise the damping grows and a shorter step is probed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from mlds_bench.agents.landscape.optimizer import (
    Array,
    Flags,
    LandscapeAgent,
    Rows,
    Seen,
    norms,
)
from mlds_bench.common.bounds import above

LARGEST_DAMPING = 1e12


@dataclass(frozen=True)
class NewtonHyperparameters:
    """Hyper-parameters of Newton's method.

    Attributes:
        probe_distance: distance h of a probe.
        central_differences: two probes per coordinate instead of one: errors of order h^2 instead
            of h.
        min_eigenvalue_ratio: eigenvalues that are smaller than this share of the largest one (in
            absolute value) are flat: no step is made along their eigenvectors.
        max_step_norm: longer steps are shortened to this length.
    """

    probe_distance: float = 1e-5
    central_differences: bool = False
    min_eigenvalue_ratio: float = 1e-6
    max_step_norm: float = 10.0

    def __post_init__(self) -> None:
        above(
            0.0,
            probe_distance=self.probe_distance,
            min_eigenvalue_ratio=self.min_eigenvalue_ratio,
            max_step_norm=self.max_step_norm,
        )


@dataclass(frozen=True)
class SaddleFreeHyperparameters(NewtonHyperparameters):
    """Hyper-parameters of saddle-free Newton, like `NewtonHyperparameters` with one difference.

    Attributes:
        min_eigenvalue_ratio: absolute eigenvalues count as at least this share of the largest one.
    """

    min_eigenvalue_ratio: float = 1e-2
    max_step_norm: float = 1.0


@dataclass(frozen=True)
class LevenbergMarquardtHyperparameters:
    """Hyper-parameters of the damped Newton method.

    Attributes:
        probe_distance: distance h of a probe.
        central_differences: two probes per coordinate instead of one.
        damping: at the start of an episode.
        damping_factor: the damping is divided by it after a success and multiplied by it after a
            failure.
    """

    probe_distance: float = 1e-5
    central_differences: bool = False
    damping: float = 1e-2
    damping_factor: float = 4.0

    def __post_init__(self) -> None:
        above(0.0, probe_distance=self.probe_distance, damping=self.damping)
        above(1.0, damping_factor=self.damping_factor)


class SecondOrderAgent(LandscapeAgent):
    """Measures the Hessian column by column; a subclass makes a step from its eigenvalues."""

    def prepare(self) -> None:
        """Count the probes that a move needs.

        Raises:
            Unsupported: if the query budget does not allow a single move.
        """
        super().prepare()
        self._sides = 2 if self.hyper.central_differences else 1
        self._probes = self._sides * self.dimension
        self.require_queries(self._probes + 1)

    def allocate(self, count: int) -> None:
        """Allocate one Hessian (d, d) per instance."""
        d = self.dimension
        self._stage = np.zeros(count, np.int64)  # probes since the last move
        self._origin = np.zeros((count, d))  # the gradient at the current point
        self._loss = np.zeros(count)
        self._hessian = np.zeros((count, d, d))

    def clear(self, rows: Flags) -> None:
        """Drop the probes where ``rows`` (N,) is True."""
        self._stage[rows] = 0

    def ask(self, seen: Seen, vectors: Array) -> Flags:
        """Probe the next coordinate, or make a step."""
        vectors[:] = 0.0
        moves = np.zeros(len(vectors), np.bool_)
        begins = self._stage == 0
        self._origin[begins], self._loss[begins] = seen.gradient[begins], seen.loss[begins]
        self._hessian[begins] = 0.0
        measured = (self._stage > 0) & (self._stage <= self._probes)
        self._measure(np.flatnonzero(measured), seen.gradient)
        fresh = np.flatnonzero(self._stage == self._probes)
        tried = np.flatnonzero(self._stage > self._probes)
        probing = np.flatnonzero(self._stage < self._probes)
        coordinate, side = self._probe(self._stage[probing])
        vectors[probing, coordinate] = side * self.hyper.probe_distance
        self._stage[probing] += 1
        if len(fresh):
            self._decompose(fresh)
            vectors[fresh], moves[fresh] = self.decide(fresh)
        if len(tried):
            vectors[tried], moves[tried] = self.judge(tried, seen.loss[tried])
        self._stage[moves] = 0
        return moves

    def decide(self, rows: Rows) -> tuple[Array, Flags]:
        """Steps (len(rows), d) from fresh eigenvalues, and which are made; the rest are probed."""
        return self.step(rows), np.ones(len(rows), np.bool_)

    def judge(self, rows: Rows, loss: Array) -> tuple[Array, Flags]:
        """Steps (len(rows), d) after a probe of `decide`, given the loss there; which are made."""
        raise NotImplementedError

    def step(self, rows: Rows) -> Array:
        """Steps (len(rows), d)."""
        curvature = self.scale(rows)
        slopes = np.einsum("nij,ni->nj", self._vectors[rows], self._origin[rows])
        step: Array = -np.einsum("nij,nj->ni", self._vectors[rows], slopes / curvature)
        return step

    def scale(self, rows: Rows) -> Array:
        """Divisors (len(rows), d) of the slopes along the eigenvectors; inf makes no step."""
        raise NotImplementedError

    def _decompose(self, rows: Rows) -> None:
        hessian = self._hessian[rows]
        values, vectors = np.linalg.eigh(0.5 * (hessian + hessian.transpose(0, 2, 1)))
        if len(rows) == len(self._stage):
            self._values, self._vectors = values, vectors
            return
        if not hasattr(self, "_values") or len(self._values) != len(self._stage):
            self._values, self._vectors = np.zeros_like(self._origin), np.zeros_like(self._hessian)
        self._values[rows], self._vectors[rows] = values, vectors

    def _measure(self, rows: Rows, gradient: Array) -> None:
        coordinate, side = self._probe(self._stage[rows] - 1)
        weight = side / (self._sides * self.hyper.probe_distance)
        difference = gradient[rows] - self._origin[rows]
        self._hessian[rows, :, coordinate] += weight[:, None] * difference

    def _probe(self, ordinal: npt.NDArray[np.int64]) -> tuple[Rows, Array]:
        """Coordinates and signs of the probes with these ordinal numbers."""
        coordinate, side = np.divmod(ordinal, self._sides)
        return coordinate, 1.0 - 2.0 * side


class NewtonAgent(SecondOrderAgent):
    """Newton's method, which is attracted by every critical point."""

    name = "newton"
    hyperparameters: ClassVar[type] = NewtonHyperparameters

    def scale(self, rows: Rows) -> Array:
        """The eigenvalues (len(rows), d); inf where they are flat."""
        values = self._values[rows]
        floor = self.hyper.min_eigenvalue_ratio * np.abs(values).max(axis=1, keepdims=True)
        return np.where(np.abs(values) > floor, values, np.inf)

    def step(self, rows: Rows) -> Array:
        """Steps (len(rows), d), shortened to ``max_step_norm``."""
        return shortened(super().step(rows), self.hyper.max_step_norm)


class SaddleFreeNewtonAgent(SecondOrderAgent):
    """Newton's method with absolute eigenvalues, which is repelled by saddles."""

    name = "saddle-free-newton"
    hyperparameters: ClassVar[type] = SaddleFreeHyperparameters

    def scale(self, rows: Rows) -> Array:
        """Absolute eigenvalues (len(rows), d), bounded below; inf where all are 0."""
        values = np.abs(self._values[rows])
        floor = self.hyper.min_eigenvalue_ratio * values.max(axis=1, keepdims=True)
        return np.where(floor > 0.0, np.maximum(values, floor), np.inf)

    def step(self, rows: Rows) -> Array:
        """Steps (len(rows), d), shortened to ``max_step_norm``."""
        return shortened(super().step(rows), self.hyper.max_step_norm)


class LevenbergMarquardtAgent(SecondOrderAgent):
    """Newton's method with a damping that adapts to successes and failures."""

    name = "levenberg-marquardt"
    hyperparameters: ClassVar[type] = LevenbergMarquardtHyperparameters

    def prepare(self) -> None:
        """Count the queries of a move: those of the Hessian, the trial, and the move itself."""
        super().prepare()
        self.require_queries(self._probes + 2)

    def allocate(self, count: int) -> None:
        """Allocate Hessians, damping and trial steps."""
        super().allocate(count)
        self._damping = np.full(count, self.hyper.damping)
        self._trial = np.zeros((count, self.dimension))

    def clear(self, rows: Flags) -> None:
        """Reset probes and damping where ``rows`` (N,) is True."""
        super().clear(rows)
        self._damping[rows] = self.hyper.damping

    def scale(self, rows: Rows) -> Array:
        """Eigenvalues (len(rows), d), shifted above 0 and damped."""
        values = self._values[rows]
        lift = np.maximum(0.0, -values[:, :1]) + self._damping[rows, None]
        lifted: Array = values + lift
        return lifted

    def decide(self, rows: Rows) -> tuple[Array, Flags]:
        """Probe the step before it is made."""
        self._stage[rows] = self._probes + 1
        self._trial[rows] = self.step(rows)
        return self._trial[rows], np.zeros(len(rows), np.bool_)

    def judge(self, rows: Rows, loss: Array) -> tuple[Array, Flags]:
        """Make the step if it lowers the loss, otherwise probe one with more damping."""
        better, factor = loss < self._loss[rows], self.hyper.damping_factor
        damping = self._damping[rows] * np.where(better, 1.0 / factor, factor)
        self._damping[rows] = np.clip(damping, 1.0 / LARGEST_DAMPING, LARGEST_DAMPING)
        if not better.all():
            worse = rows[~better]
            self._trial[worse] = self.step(worse)
        return self._trial[rows], better


def shortened(steps: Array, longest: float) -> Array:
    """Steps (N, d), shortened to a length of at most ``longest``."""
    shares = np.minimum(1.0, longest / np.maximum(norms(steps), 1e-300))
    short: Array = steps * shares[:, None]
    return short
