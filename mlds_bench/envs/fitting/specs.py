"""The target functions, as data: formula, dimension, curvature, jumps, source; and the settings.

All targets are defined on (0, 1]^d and stay within `BOUND`, so that every value can be an action.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.common.checks import is_finite, shown
from mlds_bench.common.settings import BaseSettings, checked, known_name, number, whole

Array: TypeAlias = npt.NDArray[np.float64]
Function: TypeAlias = Callable[[Array], Array]

BOUND = 2.0
"""Actions lie in [-BOUND, BOUND]; so do all targets."""
MAXIMUM_DEGREE = 64
MOST_POINTS = 2**24
"""Of a grid, which is kept in memory: 16,777,216 points."""
MOST_NOISE = 1e6
"""Beyond it, squared errors would soon overflow."""


@dataclass(frozen=True)
class Target:
    """A function to fit.

    Attributes:
        name: what ``target=`` selects it by.
        formula: in plain text.
        dimension: d.
        function: points (n, d) float64 -> values (n,) float64.
        source: where the target comes from.
        second_derivative: x (n,) -> f''(x) (n,), for d = 1 where f is twice differentiable.
        jumps: where f is discontinuous in (0, 1).
        quadratic_coefficient: c2 of c0 + c1 x + c2 x^2; None if f is no such parabola.
    """

    name: str
    formula: str
    dimension: int
    function: Function
    source: str
    second_derivative: Function | None = None
    jumps: tuple[float, ...] = ()
    quadratic_coefficient: float | None = None


def sinc(points: Array) -> Array:
    """sin(5 pi x) / (5 pi x), (n, 1) -> (n,)."""
    return np.asarray(np.sinc(5.0 * points[:, 0]), dtype=np.float64)


def sinc_second_derivative(x: Array) -> Array:
    """Second derivative of sin(5 pi x) / (5 pi x), (n,) -> (n,)."""
    z = 5.0 * np.pi * x
    near = np.abs(z) < 0.1
    safe = np.where(near, 1.0, z)
    exact = (2.0 * np.sin(safe) / safe - 2.0 * np.cos(safe) - safe * np.sin(safe)) / safe**2
    series = -1.0 / 3.0 + z**2 / 10.0 - z**4 / 168.0 + z**6 / 6480.0
    return (5.0 * np.pi) ** 2 * np.where(near, series, exact)


def sgn(points: Array) -> Array:
    """Sign of sin(5 pi x), by parity: rounding decides nothing at the jumps; (n, 1) -> (n,)."""
    half_waves = 5.0 * points[:, 0]
    whole = np.floor(half_waves)
    return np.where(half_waves == whole, 0.0, 1.0 - 2.0 * (whole % 2.0))


def composed(points: Array) -> Array:
    """2 (2 cos^2 x - 1)^2 - 1, the lecture's composed example, which is cos 4x; (n, 1) -> (n,)."""
    inner = 2.0 * np.cos(points[:, 0]) ** 2 - 1.0
    return 2.0 * inner**2 - 1.0


def composed_second_derivative(x: Array) -> Array:
    """Second derivative of cos 4x, (n,) -> (n,)."""
    return -16.0 * np.cos(4.0 * x)


def product(points: Array) -> Array:
    """x1 x2, (n, 2) -> (n,)."""
    return points[:, 0] * points[:, 1]


COURSE = "MLDS 2018, homework 1-1"
LECTURE = "MLDS 2018, lecture on deep structures"

FIXED: Mapping[str, Target] = MappingProxyType(
    {
        target.name: target
        for target in (
            Target("sinc", "sin(5 pi x) / (5 pi x)", 1, sinc, COURSE, sinc_second_derivative),
            Target("sgn", "sgn(sin(5 pi x))", 1, sgn, COURSE, jumps=(0.2, 0.4, 0.6, 0.8)),
            Target(
                "composed",
                "2 (2 cos^2 x - 1)^2 - 1",
                1,
                composed,
                LECTURE,
                composed_second_derivative,
            ),
            Target("product", "x1 x2", 2, product, LECTURE),
        )
    }
)
PARAMETRIC = ("square", "power", "polynomial")
NAMES: tuple[str, ...] = (*FIXED, *PARAMETRIC)


def _at_points(series: np.polynomial.Polynomial, points: Array) -> Array:
    return _at(series, points[:, 0])


def _at(series: np.polynomial.Polynomial, x: Array) -> Array:
    return np.asarray(series(x), dtype=np.float64)


def polynomial(name: str, formula: str, coefficients: Sequence[float]) -> Target:
    """The target sum_k coefficients[k] x^k."""
    series = np.polynomial.Polynomial(coefficients)
    trimmed = np.trim_zeros(coefficients, "b")
    return Target(
        name,
        formula,
        1,
        partial(_at_points, series),
        LECTURE,
        partial(_at, series.deriv(2)),
        quadratic_coefficient=coefficients[2] if len(trimmed) == 3 else None,
    )


def side_length(name: str, points: int, dimension: int) -> int:
    """Points along one axis of a grid of so many points.

    Raises:
        ValueError: there are none, or no square number of them in two dimensions.
    """
    if isinstance(points, bool) or not isinstance(points, int) or points < 1:
        raise ValueError(f"{name} must be a whole number of at least 1, got {points!r}")
    side = points if dimension == 1 else math.isqrt(points)
    if side**dimension != points:
        near = round(math.sqrt(points)) ** 2
        raise ValueError(
            f"{name} must be a square number in two dimensions, got {points}: {near} is the nearest"
        )
    return side


def _check_coefficients(name: str, coefficients: Any) -> tuple[float, ...]:
    is_row = isinstance(coefficients, (list, tuple)) or (
        isinstance(coefficients, np.ndarray) and coefficients.ndim == 1
    )
    if not (is_row and 1 <= len(coefficients) <= MAXIMUM_DEGREE + 1) or not all(
        map(is_finite, coefficients)
    ):
        raise ValueError(
            f"{name} must be a list of 1 to {MAXIMUM_DEGREE + 1} finite numbers c0, c1, ..., "
            f"got {shown(coefficients)}"
        )
    values = tuple(float(c) for c in coefficients)
    with np.errstate(over="ignore", invalid="ignore"):  # beyond the bound it is refused
        reached = np.abs(np.polynomial.Polynomial(values)(np.linspace(0.0, 1.0, 4097)))
    largest = float(np.nan_to_num(reached, nan=np.inf).max())
    if largest > BOUND:
        raise ValueError(
            f"the polynomial reaches {largest:g} on (0, 1], beyond the actions' bound {BOUND:g}: "
            f"divide its {name} by {largest / BOUND:.3g}"
        )
    return values


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Keyword arguments of `FunctionFitting`.

    Attributes:
        target: what to fit, one of `NAMES`.
        degree: n of ``power``, x^n; no other target takes it.
        coefficients: c0, c1, ... of ``polynomial``; no other target takes them.
        points: size of the training grid, a square number for d = 2.
        noise: standard deviation of the noise in the training labels.
        test_points: size of the test grid, a square number for d = 2.
    """

    target: str = known_name("sinc", NAMES)
    degree: int | None = whole(None, 1, MAXIMUM_DEGREE)
    coefficients: tuple[float, ...] | None = checked(None, _check_coefficients)
    points: int = whole(10_000, 1, MOST_POINTS)
    noise: float = number(0.0, 0.0, MOST_NOISE)
    test_points: int = whole(65_536, 1, MOST_POINTS)

    def __post_init__(self) -> None:
        super().__post_init__()
        for key, value, owner in (
            ("degree", self.degree, "power"),
            ("coefficients", self.coefficients, "polynomial"),
        ):
            if (value is None) == (self.target == owner):
                verb = "needs" if value is None else "takes no"
                raise ValueError(f"target {self.target!r} {verb} {key}: it belongs to {owner!r}")
        dimension = self.make_target().dimension
        side_length("points", self.points, dimension)
        side_length("test_points", self.test_points, dimension)

    def make_target(self) -> Target:
        """The function to fit."""
        if self.degree is not None:
            return polynomial("power", f"x^{self.degree}", (0.0,) * self.degree + (1.0,))
        if self.coefficients is not None:
            terms = " + ".join(f"{c:g} x^{k}" for k, c in enumerate(self.coefficients))
            return polynomial("polynomial", terms, self.coefficients)
        if self.target == "square":
            return polynomial("square", "x^2", (0.0, 0.0, 1.0))
        return FIXED[self.target]
