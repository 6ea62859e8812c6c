"""Each closed form against a second implementation: numerical least squares over free knots."""

from __future__ import annotations

import math
from collections.abc import Callable
from itertools import combinations, pairwise
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pytest
from scipy.integrate import quad
from scipy.optimize import minimize

from mlds_bench.envs.fitting.optimum import (
    PARABOLA,
    parabola_error,
    parabola_error_on_grid,
    pieces_constant,
    relu_error,
    sawtooth_error,
)
from mlds_bench.envs.fitting.specs import Settings, sinc_second_derivative

Array: TypeAlias = npt.NDArray[np.float64]
Columns: TypeAlias = Callable[[Array, Array], list[Array]]

GRID: Array = (np.arange(20_000) + 0.5) / 20_000


def smallest_error(knots: int, columns: Columns) -> float:
    """RMSE on x^2 of the best combination of columns(x, knots), knots free, from many starts."""

    def error(inner: Array) -> float:
        basis = np.column_stack(columns(GRID, inner))
        weights = np.linalg.lstsq(basis, GRID**2, rcond=None)[0]
        return float(np.sqrt(np.mean((basis @ weights - GRID**2) ** 2)))

    generator = np.random.default_rng(0)
    starts = [np.sort(generator.random(knots)) for _ in range(4)]
    if knots == 0:
        return error(starts[0])
    return min(
        float(minimize(error, start, method="Nelder-Mead", options={"fatol": 1e-12}).fun)
        for start in starts
    )


@pytest.mark.parametrize("pieces", [1, 2, 3])
def test_free_pieces_with_jumps_reach_the_closed_form(pieces: int) -> None:
    """n lines, each on its own piece between free knots."""

    def columns(x: Array, knots: Array) -> list[Array]:
        ends = [-np.inf, *np.sort(knots), np.inf]
        inside = [(x > low) & (x <= high) for low, high in pairwise(ends)]
        return [part * power for part in inside for power in (np.ones_like(x), x)]

    assert smallest_error(pieces - 1, columns) == pytest.approx(parabola_error(pieces), rel=1e-5)


@pytest.mark.parametrize("units", [1, 2, 3])
@pytest.mark.parametrize("skip", [True, False])
def test_relu_units_reach_the_closed_form(units: int, skip: bool) -> None:
    """m ReLU units, a constant and, with a skip, a line; units may face either way."""
    best = math.inf
    for leftward in range(units + 1):

        def columns(x: Array, knots: Array, leftward: int = leftward) -> list[Array]:
            signs = [-1.0] * leftward + [1.0] * (units - leftward)
            bends = [np.maximum(s * (x - t), 0.0) for s, t in zip(signs, knots, strict=True)]
            return [np.ones_like(x), *bends, *([x] if skip else [])]

        best = min(best, smallest_error(units, columns))
    assert best == pytest.approx(relu_error(units, skip=skip), rel=1e-4)


@pytest.mark.parametrize("layers", [1, 2, 5])
def test_the_corrected_interpolant_reaches_the_closed_form(layers: int) -> None:
    """x^2 interpolated at multiples of 2^-m, its mean error taken off, has RMSE E(2^m)."""
    knots = np.linspace(0.0, 1.0, 2**layers + 1)
    error = np.interp(GRID, knots, knots**2) - GRID**2
    assert float(error.mean()) == pytest.approx(1.0 / (6.0 * 4.0**layers), rel=1e-3)
    assert float(error.std()) == pytest.approx(sawtooth_error(layers), rel=1e-3)


@pytest.mark.parametrize("points", [5, 12, 13])
@pytest.mark.parametrize("pieces", [1, 2, 3, 4])
def test_runs_on_a_grid_reach_the_closed_form(points: int, pieces: int) -> None:
    """All partitions of a small grid into runs, a line through each by least squares."""
    x = (np.arange(points) + 0.3) / points

    def left(start: int, stop: int) -> float:
        if stop - start < 3:
            return 0.0
        part = x[start:stop]
        return float(np.sum((np.polyval(np.polyfit(part, part**2, 1), part) - part**2) ** 2))

    cuts = combinations(range(1, points), pieces - 1)
    total = min(sum(left(a, b) for a, b in pairwise([0, *inner, points])) for inner in cuts)
    expected = parabola_error_on_grid(pieces, points)
    assert math.sqrt(total / points) == pytest.approx(expected, abs=1e-12)


def test_fine_grids_tend_to_the_continuous_optimum() -> None:
    """On the test grid the difference is far below the tolerance of 1e-9."""
    assert parabola_error_on_grid(16, 65_536) == pytest.approx(parabola_error(16), abs=1e-9)
    assert parabola_error_on_grid(16, 65_536) < parabola_error(16)
    assert parabola_error_on_grid(40_000, 65_536) == 0.0


@pytest.mark.parametrize(
    ("name", "degree", "constant"),
    [
        ("square", None, PARABOLA),
        ("power", 2, PARABOLA),
        ("power", 3, 6.0 / 1.4**2.5 / (12.0 * math.sqrt(5.0))),
        ("power", 1, 0.0),
    ],
)
def test_the_constant_of_powers_is_known(name: str, degree: int | None, constant: float) -> None:
    """By hand: x^3 has f'' = 6 x, and the integral of (6 x)^(2/5) is 6^(2/5) / 1.4."""
    assert pieces_constant(Settings(target=name, degree=degree).make_target()) == pytest.approx(
        constant, rel=1e-6
    )


def test_the_constant_of_the_sinc_by_adaptive_quadrature() -> None:
    """scipy's quadrature, told where f'' changes sign, gives the same."""
    x = np.linspace(1e-9, 1.0, 100_001)
    sign_changes = x[np.flatnonzero(np.diff(np.sign(sinc_second_derivative(x))))]

    def integrand(at: float) -> float:
        return float(np.abs(sinc_second_derivative(np.array([at]))[0]) ** 0.4)

    ends = [0.0, *sign_changes, 1.0]
    integral = sum(quad(integrand, low, high, limit=200)[0] for low, high in pairwise(ends))
    expected = integral**2.5 / (12.0 * math.sqrt(5.0))
    assert pieces_constant(Settings(target="sinc").make_target()) == pytest.approx(
        expected, rel=1e-5
    )


@pytest.mark.parametrize("name", ["sgn", "product"])
def test_no_constant_where_there_is_no_second_derivative(name: str) -> None:
    """A jump, or a second variable, has no such constant."""
    assert pieces_constant(Settings(target=name).make_target()) is None
