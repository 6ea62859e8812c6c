"""Optimizers that know the curvature: the Hessian is measured by probes, then one move is made.

A probe at theta + h e_i tells column i of the Hessian as a difference of gradients, so that a move
costs d + 1 queries with forward differences and 2 d + 1 with central ones. With H = V diag(w) V^T
and c = V^T g the step is -V (c / u), where

- ``newton``: u = w. It goes to the critical point of the quadratic model, whatever its kind.
- ``saddle-free-newton``: u = |w| (Dauphin et al. 2014): the step leads downhill along every
  eigenvector, away from saddles. Flat directions are taken to be no flatter than ``flattest``.
- ``levenberg-marquardt``: u = w + max(0, -min w) + damping (Levenberg 1944, Marquardt 1963, here on
  the Hessian): the step is probed, and made only if the loss goes down; then the damping shrinks,
  else it grows and a shorter step is probed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import numpy.typing as npt

from mlds_bench.agents.landscape.first_order import check_positive
from mlds_bench.agents.landscape.optimizer import (
    Array,
    Flags,
    LandscapeAgent,
    Rows,
    Seen,
    norms,
)

LARGEST_DAMPING = 1e12


@dataclass(frozen=True)
class NewtonHyperparameters:
    """Settings of Newton's method, with or without a sense of direction.

    Attributes:
        probe: distance h of a probe.
        central: two probes a coordinate instead of one: errors of h^2 instead of h.
        flattest: eigenvalues count as at least this share of the largest one (in absolute value);
            Newton itself makes no step along flatter eigenvectors.
        longest_step: steps beyond this length are shortened to it.
    """

    probe: float = 1e-5
    central: bool = False
    flattest: float = 1e-6
    longest_step: float = 10.0

    def __post_init__(self) -> None:
        check_positive(probe=self.probe, flattest=self.flattest, longest_step=self.longest_step)


@dataclass(frozen=True)
class SaddleFreeHyperparameters(NewtonHyperparameters):
    """Settings of saddle-free Newton, as `NewtonHyperparameters`."""

    flattest: float = 1e-2
    longest_step: float = 1.0


@dataclass(frozen=True)
class LevenbergMarquardtHyperparameters:
    """Settings of the damped Newton method.

    Attributes:
        probe: distance h of a probe.
        central: two probes a coordinate instead of one.
        damping: at the start of an episode.
        factor: by which it shrinks after a success and grows after a failure.
    """

    probe: float = 1e-5
    central: bool = False
    damping: float = 1e-2
    factor: float = 4.0

    def __post_init__(self) -> None:
        check_positive(probe=self.probe, damping=self.damping)
        if not 1.0 < self.factor < np.inf:
            raise ValueError(f"factor must be a finite number above 1, got {self.factor!r}")


class SecondOrderAgent(LandscapeAgent):
    """Measures the Hessian, column by column, and hands its eigenvalues to `decide`."""

    def prepare(self) -> None:
        """Count the probes of a move.

        Raises:
            Unsupported: the budget does not allow a single move.
        """
        super().prepare()
        self._sides = 2 if self.hyper.central else 1
        self._probes = self._sides * self.dimension
        self.require_queries(self._probes + 1)

    def allocate(self, count: int) -> None:
        """Make room for a Hessian (d, d) an instance."""
        d = self.dimension
        self._stage = np.zeros(count, np.int64)  # probes asked for since the last move
        self._origin = np.zeros((count, d))  # the gradient at the current point
        self._loss = np.zeros(count)
        self._hessian = np.zeros((count, d, d))

    def clear(self, rows: Flags) -> None:
        """Forget the probes where ``rows`` is True."""
        self._stage[rows] = 0

    def ask(self, seen: Seen, vectors: Array) -> Flags:
        """Probe on, or step."""
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
        vectors[probing, coordinate] = side * self.hyper.probe
        self._stage[probing] += 1
        if len(fresh):
            self._decompose(fresh)
            vectors[fresh], moves[fresh] = self.decide(fresh)
        if len(tried):
            vectors[tried], moves[tried] = self.judge(tried, seen.loss[tried])
        self._stage[moves] = 0
        return moves

    def decide(self, rows: Rows) -> tuple[Array, Flags]:
        """Step (len(rows), d) from fresh eigenvalues, and who moves; the rest are judged next."""
        return self.step(rows), np.ones(len(rows), np.bool_)

    def judge(self, rows: Rows, loss: Array) -> tuple[Array, Flags]:
        """What follows the probe of a step that `decide` only tried, given the loss there."""
        raise NotImplementedError

    def step(self, rows: Rows) -> Array:
        """The step (len(rows), d)."""
        curvature = self.scale(rows)
        slopes = np.einsum("nij,ni->nj", self._vectors[rows], self._origin[rows])
        step: Array = -np.einsum("nij,nj->ni", self._vectors[rows], slopes / curvature)
        return step

    def scale(self, rows: Rows) -> Array:
        """What slopes along the eigenvectors are divided by, (len(rows), d); inf is no step."""
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
        weight = side / (self._sides * self.hyper.probe)
        difference = gradient[rows] - self._origin[rows]
        self._hessian[rows, :, coordinate] += weight[:, None] * difference

    def _probe(self, ordinal: npt.NDArray[np.int64]) -> tuple[Rows, Array]:
        """Coordinate and sign of the probes of these ordinals."""
        coordinate, side = np.divmod(ordinal, self._sides)
        return coordinate, 1.0 - 2.0 * side


class NewtonAgent(SecondOrderAgent):
    """Newton's method, attracted by every critical point."""

    name = "newton"
    hyperparameters: ClassVar[type] = NewtonHyperparameters

    def scale(self, rows: Rows) -> Array:
        """The eigenvalues; inf where they are too flat."""
        values = self._values[rows]
        floor = self.hyper.flattest * np.abs(values).max(axis=1, keepdims=True)
        return np.where(np.abs(values) > floor, values, np.inf)

    def step(self, rows: Rows) -> Array:
        """Newton's step, shortened if need be."""
        return shortened(super().step(rows), self.hyper.longest_step)


class SaddleFreeNewtonAgent(SecondOrderAgent):
    """Newton's method with the absolute values of the eigenvalues, repelled by saddles."""

    name = "saddle-free-newton"
    hyperparameters: ClassVar[type] = SaddleFreeHyperparameters

    def scale(self, rows: Rows) -> Array:
        """The absolute eigenvalues, none too small; inf where the surface is a plane."""
        values = np.abs(self._values[rows])
        floor = self.hyper.flattest * values.max(axis=1, keepdims=True)
        return np.where(floor > 0.0, np.maximum(values, floor), np.inf)

    def step(self, rows: Rows) -> Array:
        """The step, shortened if need be."""
        return shortened(super().step(rows), self.hyper.longest_step)


class LevenbergMarquardtAgent(SecondOrderAgent):
    """Newton's method with a damping that learns from failures."""

    name = "levenberg-marquardt"
    hyperparameters: ClassVar[type] = LevenbergMarquardtHyperparameters

    def prepare(self) -> None:
        """Count the queries of a move: the Hessian's, the trial's, its own."""
        super().prepare()
        self.require_queries(self._probes + 2)

    def allocate(self, count: int) -> None:
        """Make room for the damping and the trial step."""
        super().allocate(count)
        self._damping = np.full(count, self.hyper.damping)
        self._trial = np.zeros((count, self.dimension))

    def clear(self, rows: Flags) -> None:
        """Forget probes and damping where ``rows`` is True."""
        super().clear(rows)
        self._damping[rows] = self.hyper.damping

    def scale(self, rows: Rows) -> Array:
        """The eigenvalues, lifted above 0 and damped."""
        values = self._values[rows]
        lift = np.maximum(0.0, -values[:, :1]) + self._damping[rows, None]
        lifted: Array = values + lift
        return lifted

    def decide(self, rows: Rows) -> tuple[Array, Flags]:
        """Probe the step."""
        self._stage[rows] = self._probes + 1
        self._trial[rows] = self.step(rows)
        return self._trial[rows], np.zeros(len(rows), np.bool_)

    def judge(self, rows: Rows, loss: Array) -> tuple[Array, Flags]:
        """Make the step that lowers the loss, else probe one with more damping."""
        better, factor = loss < self._loss[rows], self.hyper.factor
        damping = self._damping[rows] * np.where(better, 1.0 / factor, factor)
        self._damping[rows] = np.clip(damping, 1.0 / LARGEST_DAMPING, LARGEST_DAMPING)
        if not better.all():
            worse = rows[~better]
            self._trial[worse] = self.step(worse)
        return self._trial[rows], better


def shortened(steps: Array, longest: float) -> Array:
    """Steps (N, d), none longer than ``longest``."""
    shares = np.minimum(1.0, longest / np.maximum(norms(steps), 1e-300))
    short: Array = steps * shares[:, None]
    return short
