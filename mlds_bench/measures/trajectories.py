"""Paths of an optimizer in the plane where they spread most: principal components of points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlds_bench.measures.batches import Points
from mlds_bench.measures.points import Array, Block
from mlds_bench.measures.surface import Plane


@dataclass(frozen=True)
class PrincipalPlane:
    """The two directions in which the points of some runs spread most, and the runs seen there.

    Attributes:
        mean: (d,) float64, of all points.
        directions: (2, d) float64, orthonormal, zero outside the block; the largest entry of each
            is positive (the first of them, where several are as large).
        explained_variance_ratio: float64, the share of the block's variance along every principal
            direction, falling; the first two are the plane's. All 0 where nothing moved.
        coordinates: (..., 2) float64, of the points (..., d) along the directions, from the mean.
    """

    mean: Array
    directions: Array
    explained_variance_ratio: Array
    coordinates: Array

    def through(self, point: Array) -> Plane:
        """The plane of these directions through a point (d,), say the end of a path.

        It is measured as ``coordinates`` are, so that paths can be drawn on its surface.
        """
        shift = (point - self.mean) @ self.directions.T
        return Plane(point - shift @ self.directions, self.directions)


def principal_plane(runs: Points, *, block: Block | None = None) -> PrincipalPlane:
    """The principal plane of the points of one or more runs.

    Args:
        runs: (T, d), or (R, T, d) for R runs in common coordinates.
        block: the layer to look at; the whole point unless given.

    Raises:
        ValueError: runs of another shape or not finite, a block beyond d, or less than two points
            or entries.
    """
    points = np.asarray(runs, np.float64)
    if points.ndim not in (2, 3) or not np.isfinite(points).all():
        raise ValueError(f"runs must be finite, (T, d) or (R, T, d), got shape {points.shape}")
    dimension = points.shape[-1]
    rows = points.reshape(-1, dimension)
    place = slice(block.start, block.stop) if block else slice(0, dimension)
    if place.stop > dimension or min(place.stop - place.start, len(rows)) < 2:
        raise ValueError(
            f"a plane needs two points and two entries within d = {dimension}: got {len(rows)} "
            f"points, entries {place.start}..{place.stop - 1}"
        )
    mean = rows.mean(0)
    _, spread, basis = np.linalg.svd((rows - mean)[:, place], full_matrices=False)
    directions = np.zeros((2, dimension))
    directions[:, place] = _with_fixed_signs(basis[:2])
    variance = spread**2
    ratio = variance / max(float(variance.sum()), np.finfo(np.float64).tiny)
    return PrincipalPlane(mean, directions, ratio, (points - mean) @ directions.T)


def _with_fixed_signs(basis: Array) -> Array:
    """Rows turned so that the largest entry of each is positive."""
    size = np.abs(basis)
    is_largest = size >= size.max(1, keepdims=True) * (1.0 - 1e-9)
    first = is_largest.argmax(1)
    return basis * np.where(basis[np.arange(len(basis)), first] < 0.0, -1.0, 1.0)[:, None]
