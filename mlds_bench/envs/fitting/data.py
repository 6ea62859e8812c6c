"""The points that a function is learned from and judged on."""

from __future__ import annotations

from hashlib import sha256

import numpy as np

from mlds_bench.envs.fitting.specs import Array, Settings, side_length

DECIMALS = 6
"""Values are hashed to this many decimals: libraries differ in the last bits of a sine."""


def training_points(points: int, dimension: int) -> Array:
    """The fixed training grid of (0, 1]^d, (points, d) float64.

    Args:
        points: how many; a square number for d = 2.
        dimension: d.
    """
    return _grid(side_length("points", points, dimension), np.zeros(dimension))


def evaluation_grid(points: int, dimension: int, offset: Array) -> Array:
    """The dense grid of the test, (points, d) float64, in order along the last axis.

    Args:
        points: how many; a square number for d = 2.
        dimension: d.
        offset: (d,) in [0, 1), the share of a cell by which each axis is moved down.
    """
    return _grid(side_length("test_points", points, dimension), offset)


def checksum(settings: Settings) -> str:
    """sha256 of the data that an environment with these settings is made of."""
    target = settings.make_target()
    center = np.full(target.dimension, 0.5)
    digest = sha256(f"{target.dimension} {settings.noise!r}".encode())
    for grid in (
        training_points(settings.points, target.dimension),
        evaluation_grid(settings.test_points, target.dimension, center),
    ):
        values = np.column_stack([grid, target.function(grid)])
        digest.update(np.rint(values * 10.0**DECIMALS).astype("<i8").tobytes())
    return digest.hexdigest()


def _grid(side: int, offset: Array) -> Array:
    axes = [(np.arange(1.0, side + 1.0) - shift) / side for shift in offset]
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(offset))
