"""How sharp a minimum is: the highest loss in a box around it, and the largest curvature."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.optimize import Bounds, minimize
from torch import Tensor

from mlds_bench.measures.batches import Loss, Points, as_points, differentiate
from mlds_bench.measures.hessian import hessian_operator
from mlds_bench.measures.points import Array
from mlds_bench.measures.spectra import extreme_eigenvalues

EPSILON = 1e-3
ITERATIONS = 10
"""Of L-BFGS-B, as in the paper."""
SUBSPACE = 100
"""Directions of a random subspace, as in the paper."""
FIRST_STEP = 1e-3
"""Share of the box that the start is moved by."""


@dataclass(frozen=True)
class Sharpness:
    """What was found in a box.

    Attributes:
        loss: at its center.
        highest: the highest loss found: a lower bound of the maximum.
        evaluations: of loss and gradient, that it took.
    """

    loss: float
    highest: float
    evaluations: int

    @property
    def value(self) -> float:
        """100 (highest - loss) / (1 + loss): the metric of the paper."""
        return 100.0 * (self.highest - self.loss) / (1.0 + self.loss)


def box_sharpness(
    loss: Loss,
    theta: Points,
    *,
    generator: np.random.Generator,
    epsilon: float = EPSILON,
    subspace: Tensor | None = None,
    iterations: int = ITERATIONS,
) -> Sharpness:
    """The highest loss near x, by some iterations of L-BFGS-B.

    The box is |z_i| <= epsilon (|(A+ x)_i| + 1), the loss is looked at in x + A z. The paper does
    not say how the problem was scaled, and it matters: at a flat minimum a gradient step is far
    shorter than the box, and in ten of them nobody leaves the center. Here z is measured in sides
    of the box, and the loss in such a unit that a gradient step from the start reaches the sides in
    a coordinate of mean slope. At a critical point there would be no way out, so the start is moved
    by a random thousandth of the box.

    Source: Keskar, Mudigere, Nocedal, Smelyanskiy and Tang 2017, "On large-batch training for deep
    learning: generalization gap and sharp minima", equations 3 and 4 (metric 2.1).

    Args:
        loss: of one point (d,).
        theta: x, (d,).
        generator: of the start.
        epsilon: of the box; the paper has 1e-3 and 5e-4.
        subspace: A, (d, p), such as `random_subspace`; None for the full space.
        iterations: of L-BFGS-B.

    Raises:
        ValueError: x is no point, epsilon is not positive, or the loss at x is not finite.
    """
    center = as_points(theta)
    if center.ndim != 1 or not epsilon > 0.0:
        raise ValueError(
            f"a box needs one point (d,) and epsilon > 0, got {tuple(center.shape)} and {epsilon}"
        )
    sides = epsilon * (np.abs(_coordinates(center, subspace)) + 1.0)
    search = _Search(loss, center, subspace, sides)
    at_center, _ = search.rise(np.zeros_like(sides))
    if not np.isfinite(at_center):
        raise ValueError(f"the loss at the center must be finite, got {at_center}")
    start = FIRST_STEP * generator.uniform(-1.0, 1.0, len(sides))
    _, slope = search.rise(start)
    unit = float(np.abs(slope).mean())

    def fall(share: Array) -> tuple[float, Array]:
        value, slope = search.rise(share)
        return -value / unit, -slope / unit

    if unit > 0.0:
        minimize(
            fall,
            start,
            jac=True,
            method="L-BFGS-B",
            bounds=Bounds(-1.0, 1.0),
            options={"maxiter": iterations, "ftol": 0.0, "gtol": 0.0},
        )
    return Sharpness(at_center, search.highest, search.evaluations)


def random_subspace(
    dimension: int,
    generator: np.random.Generator,
    *,
    columns: int = SUBSPACE,
    dtype: torch.dtype = torch.float64,
) -> Tensor:
    """A (d, p) for `box_sharpness`: independent standard normal numbers.

    Args:
        dimension: d.
        generator: of the numbers.
        columns: p; the paper has 100.
        dtype: float32 halves the memory of large ones: 8 d p bytes in float64.
    """
    drawn = torch.empty(dimension, columns, dtype=dtype)
    for column in range(columns):  # one at a time: no second copy
        drawn[:, column] = torch.from_numpy(generator.standard_normal(dimension))
    return drawn


def spectral_sharpness(
    loss: Loss,
    theta: Points,
    *,
    generator: np.random.Generator,
    epsilon: float = EPSILON,
    tolerance: float = 1e-3,
    most_steps: int = 100,
) -> float:
    """||H||_2 epsilon^2 / (2 (1 + L)): the rise at a minimum within a ball, to second order.

    The spectral norm is the largest absolute eigenvalue of the Hessian, by Lanczos. No percentage:
    100 times this compares with `Sharpness.value`.

    Source: MLDS 2018, homework 1-3, "sharpness"; Dinh, Pascanu, Bengio and Bengio 2017, "Sharp
    minima can generalize for deep nets", section 2.

    Args:
        loss: of one point (d,).
        theta: (d,).
        generator: of the start of the iteration.
        epsilon: radius of the ball.
        tolerance: see `extreme_eigenvalues`.
        most_steps: see there; each keeps one vector (d,).
    """
    center = as_points(theta)
    ends = extreme_eigenvalues(
        hessian_operator(loss, center),
        len(center),
        generator=generator,
        tolerance=tolerance,
        most_steps=most_steps,
    )
    norm = max(abs(float(ends.lowest[0])), abs(float(ends.highest[-1])))
    with torch.no_grad():
        value = float(loss(center))
    return norm * epsilon**2 / (2.0 * (1.0 + value))


class _Search:
    """The loss in a box by shares (p,) of its half sides, and the highest that was seen."""

    def __init__(self, loss: Loss, center: Tensor, subspace: Tensor | None, sides: Array) -> None:
        self._loss, self._center, self._subspace, self._sides = loss, center, subspace, sides
        self.highest = -np.inf
        self.evaluations = 0

    def rise(self, share: Array) -> tuple[float, Array]:
        """Loss and its gradient (p,) by the shares."""
        step = torch.from_numpy(share * self._sides)
        subspace = self._subspace
        moved = step if subspace is None else (subspace @ step.to(subspace.dtype)).double()
        _, values, slopes = differentiate(self._loss, (self._center + moved)[None])
        slope = slopes[0] if subspace is None else subspace.T @ slopes[0].to(subspace.dtype)
        value = float(values.detach())
        self.highest = max(self.highest, value)
        self.evaluations += 1
        return value, slope.double().numpy(force=True) * self._sides


def _coordinates(center: Tensor, subspace: Tensor | None) -> Array:
    """A+ x, (p,): by the normal equations, since the columns are few and far from parallel."""
    if subspace is None:
        return center.numpy()
    gram = (subspace.T @ subspace).double()
    seen = (subspace.T @ center.to(subspace.dtype)).double()
    coordinates: Array = torch.linalg.solve(gram, seen).numpy()
    return coordinates
