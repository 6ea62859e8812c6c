"""The Hessian of a loss: products with vectors, the matrix, its eigenvalues, the minimal ratio.

Products are reverse over reverse: the gradient's own backward pass. Forward over reverse would do
less work, but PyTorch 2.13 has no forward derivative of the mean squared error's backward pass.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mlds_bench.measures.batches import (
    WORKING_BYTES,
    Loss,
    Points,
    as_batch,
    as_points,
    differentiate,
    losses,
    points_per_piece,
)
from mlds_bench.measures.points import Array, Hessians

Counts: TypeAlias = npt.NDArray[np.int64]
Operator: TypeAlias = Callable[[Tensor], Tensor]
"""A symmetric matrix by its products: (M, d) -> (M, d)."""

MEMORY_LIMIT = 2**30
"""Bytes that a Hessian and the copy that its eigenvalues are computed in may take."""
TOLERANCE = 1e-8
"""Eigenvalues within this share of the largest absolute one count as zero."""


class HessianTooLarge(ValueError):
    """A Hessian that would not fit under the memory guard."""


def hessian_operator(loss: Loss, theta: Points) -> Operator:
    """The Hessian at one point (d,), as a function of vectors (M, d) -> (M, d) float64.

    The gradient is computed once and kept; each call costs one backward pass per vector.
    """
    point = as_points(theta)
    if point.ndim != 1:
        raise ValueError(f"an operator belongs to one point (d,), got {tuple(point.shape)}")
    leaf, _, gradient = differentiate(loss, point[None], twice=True)
    rows = points_per_piece(loss, point)

    def multiply(vectors: Tensor) -> Tensor:
        products = torch.empty_like(vectors)
        for first in range(0, len(vectors), rows):
            piece = vectors[first : first + rows, None]
            products[first : first + rows] = _products(gradient, leaf, piece)[:, 0]
        return products

    return multiply


def hessian(loss: Loss, theta: Points, *, memory_limit: int = MEMORY_LIMIT) -> Tensor:
    """The Hessian (d, d) at a point (d,), or (N, d, d) at points (N, d); symmetric, float64.

    Args:
        loss: of one point (d,).
        theta: see above.
        memory_limit: bytes that the result and a copy of one matrix may take.

    Raises:
        HessianTooLarge: when they would take more.
    """
    points, rows = as_points(theta), as_batch(theta)
    dimension = points.shape[-1]
    _guard(len(rows), dimension, memory_limit)
    # NumPy's memory: glibc never reuses the holes that PyTorch's aligned matrices leave.
    matrices = torch.from_numpy(np.empty((len(rows), dimension, dimension)))
    if len(rows):
        at_once = points_per_piece(loss, rows[0])
        group = max(at_once // dimension, 1)
        for first in range(0, len(rows), group):
            piece = slice(first, first + group)
            _write(loss, rows[piece], matrices[piece], at_once)
    for index in range(len(rows)):
        both = matrices.numpy()[index]
        both += both.T
        both *= 0.5
    return matrices.reshape(*points.shape, dimension)


def eigenvalues(
    loss: Loss,
    theta: Points,
    *,
    hessians: Hessians | None = None,
    memory_limit: int = MEMORY_LIMIT,
) -> Array:
    """All eigenvalues of the Hessian, ascending: (d,) at a point (d,), (N, d) at points (N, d).

    Where the Hessian is not finite they are NaN.

    Args:
        loss: of one point (d,).
        theta: see above.
        hessians: its Hessians, where they have a closed form; else the loss is differentiated.
        memory_limit: see below.

    Raises:
        HessianTooLarge: when one matrix and a copy would take more than ``memory_limit`` bytes.
    """
    points, rows = as_points(theta), as_batch(theta)
    dimension = points.shape[-1]
    _guard(1, dimension, memory_limit)
    spectrum = np.full(rows.shape, np.nan)
    size = max(WORKING_BYTES // (8 * dimension**2), 1)
    for first in range(0, len(rows), size):
        piece = rows[first : first + size]
        if hessians is None:
            matrices = hessian(loss, piece, memory_limit=memory_limit).numpy()
        else:
            matrices = hessians(piece.numpy())
        is_finite = np.isfinite(matrices).all((1, 2))
        if not is_finite.all():
            matrices = matrices[is_finite]
        spectrum[first : first + size][is_finite] = np.linalg.eigvalsh(matrices)
    return spectrum.reshape(points.shape)


def count_signs(spectrum: Array, *, tolerance: float = TOLERANCE) -> tuple[Counts, Counts, Counts]:
    """How many of the eigenvalues (..., d) are positive, zero and negative: (...) int64 each.

    An eigenvalue is zero within ``tolerance`` times the largest absolute one of its matrix. A
    spectrum with NaN has no counts: all three are 0.
    """
    band = tolerance * np.abs(spectrum).max(-1, keepdims=True)
    signs = (spectrum > band, np.abs(spectrum) <= band, spectrum < -band)
    positive, zero, negative = (np.asarray(sign.sum(-1), np.int64) for sign in signs)
    return positive, zero, negative


def minimal_ratio_counts(
    loss: Loss,
    thetas: Points,
    *,
    hessians: Hessians | None = None,
    tolerance: float = TOLERANCE,
    memory_limit: int = MEMORY_LIMIT,
) -> tuple[Counts, Counts, Counts]:
    """Eigenvalues of the exact Hessian that are positive, zero and negative, (N,) int64 each.

    Args:
        loss: of one point (d,).
        thetas: (N, d).
        hessians: as in `eigenvalues`.
        tolerance: as in `count_signs`.
        memory_limit: as in `eigenvalues`.

    Returns:
        (positive, zero, negative); they sum to d, or to 0 where the Hessian is not finite.

    Source: MLDS 2018, homework 1-2, "when the gradient is almost zero".
    """
    points = as_batch(thetas)
    spectrum = eigenvalues(loss, points, hessians=hessians, memory_limit=memory_limit)
    return count_signs(spectrum, tolerance=tolerance)


def minimal_ratio(
    loss: Loss, thetas: Points, *, tolerance: float = TOLERANCE, memory_limit: int = MEMORY_LIMIT
) -> Array:
    """The share of eigenvalues > 0 at points (N, d), (N,) float64; see `minimal_ratio_counts`.

    NaN where the Hessian is not finite.
    """
    counts = minimal_ratio_counts(loss, thetas, tolerance=tolerance, memory_limit=memory_limit)
    return _share_positive(*counts)


def sampled_minimal_ratio(
    loss: Loss,
    thetas: Points,
    *,
    generator: np.random.Generator,
    samples: int = 1000,
    radius: float = 1e-3,
) -> Array:
    """The share of neighbors with a higher loss, (N,) float64: the course's cheap variant.

    It is no estimate of `minimal_ratio`: at a critical point of a quadratic with eigenvalues l it
    is the probability that sum_i l_i u_i^2 > 0 over directions u, which large eigenvalues decide;
    where there is a gradient it tends to 1/2 as the radius shrinks.

    Args:
        loss: of one point (d,).
        thetas: (N, d).
        generator: of the directions; the same ones at every point.
        samples: neighbors of each point.
        radius: their distance; directions are uniform.
    """
    points = as_batch(thetas)
    directions = generator.standard_normal((samples, points.shape[1]))
    directions *= radius / np.linalg.norm(directions, axis=1, keepdims=True)
    offsets = torch.from_numpy(np.vstack([np.zeros_like(directions[:1]), directions]))
    around = (losses(loss, point + offsets) for point in points)
    return np.array([np.mean(values[1:] > values[0]) for values in around], np.float64)


def _guard(count: int, dimension: int, memory_limit: int) -> None:
    needed = 8 * dimension**2 * (max(count, 1) + 1)
    if needed > memory_limit:
        many = f"{count} Hessians" if count > 1 else "the Hessian"
        raise HessianTooLarge(
            f"{many} of d = {dimension} parameters would take {needed / 1e9:.3g} GB with a copy, "
            f"above the guard of {memory_limit / 1e9:.3g} GB: use extreme_eigenvalues, trace or "
            f"spectral_density, or raise memory_limit"
        )


def _write(loss: Loss, points: Tensor, matrices: Tensor, at_once: int) -> None:
    """The Hessians (N, d, d) at some points (N, d), some rows of all at a time."""
    count, dimension = points.shape
    leaf, _, gradients = differentiate(loss, points, twice=True)
    for first in range(0, dimension, at_once):
        units = points.new_zeros(min(at_once, dimension - first), 1, dimension)
        units[:, 0].diagonal(first).fill_(1.0)
        rows = _products(gradients, leaf, units.expand(-1, count, -1))
        matrices[:, first : first + at_once] = rows.transpose(0, 1)


def _products(gradients: Tensor, leaf: Tensor, vectors: Tensor) -> Tensor:
    """H v at each of N points, for vectors (M, N, d): (M, N, d)."""
    if not gradients.requires_grad:  # the loss is linear
        return torch.zeros_like(vectors)
    if len(vectors) == 1:  # three times as fast as a batch of one
        return torch.stack(torch.autograd.grad(gradients, leaf, vectors[0], retain_graph=True))
    (products,) = torch.autograd.grad(
        gradients, leaf, vectors, retain_graph=True, is_grads_batched=True
    )
    return products


def _share_positive(positive: Counts, zero: Counts, negative: Counts) -> Array:
    total = positive + zero + negative
    return np.where(total > 0, positive / np.maximum(total, 1), np.nan)
