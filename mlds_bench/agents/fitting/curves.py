"""A curve through samples, with jumps where the samples jump, and integrals over it.

A free-knot fit to the samples alone would minimize a sum; wanted is the minimum of an integral. So
the samples are interpolated first, by shape-preserving cubics (Fritsch and Carlson 1980) between
jumps, which are integrated by Gaussian quadrature between every two samples.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.interpolate import PchipInterpolator

Array: TypeAlias = npt.NDArray[np.float64]

NEIGHBORS = 10
JUMP_RATIO = 20.0
"""A step is a jump if it is more than this many times the median step of its neighbors."""
JUMP_SHARE = 1e-3
"""A step is not a jump if it is less than this share of the range of the values."""
FEWEST = 2
"""Samples that a branch at an end of the interval needs."""
_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(4)


def find_jumps(y: Array) -> list[tuple[int, int]]:
    """Index pairs (last sample before, first sample after) of the jumps in samples sorted by x.

    Samples within a jump (for example labels halfway up) lie between the two indices.
    """
    steps = np.abs(np.diff(y))
    size = min(2 * NEIGHBORS + 1, len(steps))
    windows = np.lib.stride_tricks.sliding_window_view(steps, size)
    centers = np.clip(np.arange(len(steps)) - size // 2, 0, len(windows) - 1)
    usual = np.median(windows, axis=1)[centers]
    large = (steps > JUMP_RATIO * usual) & (steps > JUMP_SHARE * np.ptp(y))
    edges = np.flatnonzero(np.diff(np.concatenate([[False], large, [False]])))
    return [(int(first), int(last)) for first, last in edges.reshape(-1, 2)]


@dataclass(frozen=True)
class Curve:
    """A function on [0, 1], smooth between jumps.

    Attributes:
        jumps: sorted positions of the jumps, (J,).
        branches: J + 1 interpolants, one on each side of every jump.
        gaps: sorted ends of the intervals on which it is one cubic; 0, 1 and the jumps included.
    """

    jumps: Array
    branches: tuple[PchipInterpolator, ...]
    gaps: Array

    @classmethod
    def through(cls, x: Array, y: Array) -> Curve:
        """The curve through samples (n,) with distinct, sorted x in [0, 1]."""
        pairs = find_jumps(y)
        starts = [0, *(after for _, after in pairs)]
        stops = [*(before + 1 for before, _ in pairs), len(x)]
        if pairs and stops[0] < FEWEST:  # a stray sample at an end is not a branch
            pairs, starts, stops = pairs[1:], starts[1:], stops[1:]
        if pairs and stops[-1] - starts[-1] < FEWEST:
            pairs, starts, stops = pairs[:-1], starts[:-1], stops[:-1]
        jumps = np.array([(x[before] + x[after]) / 2.0 for before, after in pairs])
        branches = tuple(
            _branch(x[start:stop], y[start:stop]) for start, stop in zip(starts, stops, strict=True)
        )
        return cls(jumps, branches, np.unique(np.concatenate([[0.0], x, jumps, [1.0]])))

    def __call__(self, x: Array) -> Array:
        """Values (n,) at x (n,)."""
        branch = np.searchsorted(self.jumps, x)
        values = np.empty_like(x)
        for k in np.unique(branch):
            values[branch == k] = self.branches[k](x[branch == k])
        return values

    def nodes(self, cuts: Array) -> tuple[Array, Array, Array]:
        """Gauss nodes, weights and values, (n,) each, between all gaps and cuts."""
        ends = np.unique(np.concatenate([self.gaps, cuts]))
        half, middle = np.diff(ends) / 2.0, (ends[1:] + ends[:-1]) / 2.0
        x = (middle[:, None] + half[:, None] * _NODES).ravel()
        return x, (half[:, None] * _WEIGHTS).ravel(), self(x)


def _branch(x: Array, y: Array) -> PchipInterpolator:
    if len(x) == 1:  # a value between two jumps stands for a constant
        x, y = np.array([x[0], x[0] + 1.0]), np.array([y[0], y[0]])
    return PchipInterpolator(x, y, extrapolate=True)


@dataclass(frozen=True)
class Lines:
    """A piecewise linear function, which may jump at its knots.

    Attributes:
        knots: inner knots, sorted (n - 1,); a knot belongs to the piece on its left.
        centers: centers of the pieces (n,).
        values: values of the lines at the centers (n,).
        slopes: slopes of the lines (n,).
    """

    knots: Array
    centers: Array
    values: Array
    slopes: Array

    def __call__(self, x: Array) -> Array:
        """Values (n,) at x (n,)."""
        return self.on(np.searchsorted(self.knots, x), x)

    def on(self, piece: npt.NDArray[np.intp], x: Array) -> Array:
        """Values (n,) at x (n,) of the lines of the given pieces (n,)."""
        values: Array = self.values[piece] + self.slopes[piece] * (x - self.centers[piece])
        return values


def fit_lines(curve: Curve, knots: Array) -> tuple[Lines, float]:
    """The best line on every piece between sorted inner knots, and the mean squared error."""
    x, weights, values = curve.nodes(knots)
    piece = np.searchsorted(knots, x)
    ends = np.concatenate([[0.0], knots, [1.0]])
    centers, widths = (ends[1:] + ends[:-1]) / 2.0, np.diff(ends)
    offset = x - centers[piece]
    count = len(centers)
    means = np.bincount(piece, weights * values, count) / widths
    slopes = np.bincount(piece, weights * values * offset, count) / (widths**3 / 12.0)
    lines = Lines(knots, centers, means, slopes)
    return lines, float(np.sum(weights * (values - lines.on(piece, x)) ** 2))
