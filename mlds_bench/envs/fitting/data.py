"""The points that a function is learnt from and judged on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from hashlib import sha256

import numpy as np

from mlds_bench.envs.fitting.specs import Array, make_target

DECIMALS = 6
"""Values are hashed to this many decimals: libraries differ in the last bits of a sine."""


def training_points(points: int, dimension: int) -> Array:
    """The fixed training grid of (0, 1]^d, (points, d) float64.

    Args:
        points: how many; a square number for d = 2.
        dimension: d.
    """
    return _grid(_side("points", points, dimension), np.zeros(dimension))


def evaluation_grid(points: int, dimension: int, offset: Array) -> Array:
    """The dense grid of the test, (points, d) float64, in order along the last axis.

    Args:
        points: how many; a square number for d = 2.
        dimension: d.
        offset: (d,) in [0, 1), the share of a cell by which each axis is moved down.
    """
    return _grid(_side("test_points", points, dimension), offset)


def checksum(
    *,
    target: str = "sinc",
    degree: int | None = None,
    coefficients: Sequence[float] | None = None,
    points: int = 10_000,
    noise: float = 0.0,
    test_points: int = 65_536,
) -> str:
    """sha256 of the data that an environment with these keyword arguments is made of."""
    function = make_target(target, degree=degree, coefficients=coefficients)
    centre = np.full(function.dimension, 0.5)
    digest = sha256(f"{function.dimension} {float(noise)!r}".encode())
    for grid in (
        training_points(points, function.dimension),
        evaluation_grid(test_points, function.dimension, centre),
    ):
        values = np.column_stack([grid, function.function(grid)])
        digest.update(np.rint(values * 10.0**DECIMALS).astype("<i8").tobytes())
    return digest.hexdigest()


def _side(name: str, points: int, dimension: int) -> int:
    if isinstance(points, bool) or not isinstance(points, int) or points < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {points!r}")
    side = points if dimension == 1 else math.isqrt(points)
    if side**dimension != points:
        near = round(math.sqrt(points)) ** 2
        raise ValueError(
            f"{name} must be a square number in two dimensions, got {points}: {near} is the nearest"
        )
    return side


def _grid(side: int, offset: Array) -> Array:
    axes = [(np.arange(1.0, side + 1.0) - shift) / side for shift in offset]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(offset))
