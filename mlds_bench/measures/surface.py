"""Pictures of a loss: along the line between two points, and on planes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from mlds_bench.measures.batches import (
    WORKING_BYTES,
    Loss,
    Points,
    as_points,
    losses,
)
from mlds_bench.measures.points import Array, Block


@dataclass(frozen=True)
class Plane:
    """Points center + a first + b second.

    Attributes:
        center: (d,) float64.
        directions: (2, d) float64, not parallel; they need not be orthogonal.
    """

    center: Array
    directions: Array

    def points(self, a: Array, b: Array) -> Array:
        """Points (A, B, d) of a grid a (A,) x b (B,)."""
        first, second = self.directions
        grid: Array = self.center + (a[:, None] * first)[:, None] + (b[:, None] * second)[None]
        return grid

    def coordinates(self, points: Array) -> Array:
        """(..., 2): a and b of the points (..., d), or of those nearest to them on the plane."""
        offsets = np.asarray(points) - self.center
        return np.asarray(offsets @ np.linalg.pinv(self.directions), np.float64)


def line(first: Points, last: Points, positions: Array) -> Array:
    """Points (K, d): (1 - a) first + a last for a in ``positions`` (K,).

    The course looks at a in [-1, 2] (homework 1-3; Goodfellow, Vinyals and Saxe 2015).
    """
    start, end = as_points(first).numpy(), as_points(last).numpy()
    if start.ndim != 1 or start.shape != end.shape:
        raise ValueError(f"a line joins two points (d,), got {start.shape} and {end.shape}")
    points: Array = (1.0 - positions[:, None]) * start + positions[:, None] * end
    return points


def filter_normalized(direction: Array, theta: Array, blocks: Sequence[Block]) -> Array:
    """A direction (d,) in which every filter has the norm of that filter in theta (d,).

    A filter is a row of a weight matrix: the weights into one neuron. All else, biases and
    parameters of norm layers (blocks with one axis), is set to zero, as in the pictures of the
    paper (``ignore='biasbn'`` in its code): a ReLU layer multiplied by c > 0, its biases included,
    and the next one divided by c then give the same picture. Without blocks the whole point is one
    filter.

    Source: Li, Xu, Taylor, Studer and Goldstein 2018, "Visualizing the loss landscape of neural
    nets", section 4.

    Raises:
        ValueError: blocks that do not fit theta, or without any weight matrix.
    """
    matrices = [block for block in blocks or _whole(theta) if len(block.shape) > 1]
    if not matrices or max(block.stop for block in matrices) > len(theta):
        raise ValueError(
            f"blocks must hold a weight matrix and fit a point of d = {len(theta)}, got "
            f"{[(block.name, block.start, block.shape) for block in blocks]}"
        )
    result = np.zeros_like(theta)
    for block in matrices:
        place = slice(block.start, block.stop)
        rows = direction[place].reshape(block.shape[0], -1)
        wanted = np.linalg.norm(theta[place].reshape(rows.shape), axis=1, keepdims=True)
        found = np.linalg.norm(rows, axis=1, keepdims=True)
        result[place] = (rows * (wanted / found)).ravel()
    return result


def random_plane(
    theta: Points, *, generator: np.random.Generator, blocks: Sequence[Block] = ()
) -> Plane:
    """The plane at theta (d,) of two Gaussian directions, `filter_normalized`.

    As in the paper they are not made orthogonal: in many dimensions they nearly are.
    """
    center = as_points(theta).numpy()
    if center.shape[0] < 2 or center.ndim != 1:
        raise ValueError(f"a plane needs one point (d,) with d >= 2, got {center.shape}")
    draws = generator.standard_normal((2, len(center)))
    return Plane(center, np.array([filter_normalized(draw, center, blocks) for draw in draws]))


def surface(loss: Loss, plane: Plane, a: Array, b: Array) -> Array:
    """Losses (A, B) on a plane, at the grid a (A,) x b (B,); not finite where the loss is not."""
    rows = max(WORKING_BYTES // (8 * len(b) * len(plane.center)), 1)
    pieces = (a[first : first + rows] for first in range(0, len(a), rows))
    return np.concatenate([_losses_on_grid(loss, plane.points(piece, b)) for piece in pieces])


def _losses_on_grid(loss: Loss, points: Array) -> Array:
    return losses(loss, points.reshape(-1, points.shape[-1])).reshape(points.shape[:-1])


def _whole(theta: Array) -> tuple[Block]:
    return (Block("all", 0, (1, len(theta))),)
