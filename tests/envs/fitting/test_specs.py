"""The targets: literals, second derivatives by differences, errors in one line."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from mlds_bench.envs.fitting.specs import (
    BOUND,
    FIXED,
    NAMES,
    PARAMETRIC,
    Array,
    Settings,
    Target,
)

ARGUMENTS: dict[str, dict[str, Any]] = {
    "power": {"degree": 5},
    "polynomial": {"coefficients": (0.5, -1.0, 0.0, 2.0)},
}
ALL = [Settings(target=name, **ARGUMENTS.get(name, {})).make_target() for name in NAMES]


@pytest.mark.parametrize(
    ("name", "point", "value"),
    [
        ("sinc", (0.1,), 2.0 / math.pi),
        ("sinc", (0.3,), -2.0 / (3.0 * math.pi)),
        ("sinc", (1e-12,), 1.0),
        ("sgn", (0.1,), 1.0),
        ("sgn", (0.3,), -1.0),
        ("sgn", (0.6,), 0.0),
        ("sgn", (1.0,), 0.0),
        ("composed", (math.pi / 4.0,), -1.0),
        ("composed", (0.5,), math.cos(2.0)),
        ("product", (0.25, 0.5), 0.125),
        ("square", (0.5,), 0.25),
        ("power", (0.5,), 1.0 / 32.0),
        ("polynomial", (0.5,), 0.25),
    ],
)
def test_values_are_those_of_the_formula(name: str, point: tuple[float, ...], value: float) -> None:
    """Each target at points where its value is known in closed form."""
    target = Settings(target=name, **ARGUMENTS.get(name, {})).make_target()
    assert target.function(np.array([point])) == pytest.approx([value], abs=1e-15)


@pytest.mark.parametrize("target", ALL, ids=lambda target: target.name)
def test_targets_can_be_answered(target: Target) -> None:
    """Values are float64, a number a point, within the bound of the actions."""
    points = np.random.default_rng(0).random((1000, target.dimension))
    values = target.function(points)
    assert values.shape == (1000,)
    assert values.dtype == np.float64
    assert np.abs(values).max() <= BOUND


@pytest.mark.parametrize(
    "target", [t for t in ALL if t.second_derivative], ids=lambda target: target.name
)
def test_second_derivatives_are_those_of_the_function(target: Target) -> None:
    """f'' agrees with a central difference, near zero as well."""
    assert target.second_derivative is not None
    x = np.linspace(1e-3, 0.999, 777, dtype=np.float64)
    h = 1e-4
    f = [target.function((x + shift)[:, None]) for shift in (-h, 0.0, h)]
    assert target.second_derivative(x) == pytest.approx((f[0] - 2 * f[1] + f[2]) / h**2, abs=2e-4)


def test_rounding_decides_nothing_at_the_jumps() -> None:
    """On the course's 10,000 points sgn is the sign of the sine with its rounding taken off."""
    x = np.arange(1, 10_001) / 10_000
    expected = np.sign(np.round(np.sin(5.0 * np.pi * x), 9))
    assert np.array_equal(Settings(target="sgn").make_target().function(x[:, None]), expected)


def test_jumps_are_where_the_function_jumps() -> None:
    """Within 1e-9 of each named jump, and nowhere else on a fine grid, the value changes."""
    target = Settings(target="sgn").make_target()
    jumps = np.array(target.jumps)
    before, after = (target.function((jumps + shift)[:, None]) for shift in (-1e-9, 1e-9))
    assert np.array_equal(np.abs(after - before), np.full(4, 2.0))
    grid: Array = (np.arange(1000) + 0.5) / 1000
    assert np.count_nonzero(np.diff(target.function(grid[:, None]))) == len(jumps)


@pytest.mark.parametrize(
    ("arguments", "coefficient"),
    [
        ({"target": "square"}, 1.0),
        ({"target": "power", "degree": 2}, 1.0),
        ({"target": "power", "degree": 3}, None),
        ({"target": "polynomial", "coefficients": (0.1, 0.2, -0.5)}, -0.5),
        ({"target": "polynomial", "coefficients": (0.1, 0.2, -0.5, 0.0)}, -0.5),
        ({"target": "polynomial", "coefficients": (0.1, 0.2)}, None),
        ({"target": "sinc"}, None),
    ],
)
def test_parabolas_are_known_as_such(arguments: dict[str, Any], coefficient: float | None) -> None:
    """The closed form of the optimum belongs to parabolas, however they are asked for."""
    assert Settings(**arguments).make_target().quadratic_coefficient == coefficient


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "sync"}, r"unknown target 'sync': did you mean 'sinc'\?"),
        ({"target": "q"}, "unknown target 'q': there are sinc, sgn, .*"),
        ({"target": "power"}, "target 'power' needs degree: it belongs to 'power'"),
        ({"target": "sinc", "degree": 3}, "target 'sinc' takes no degree: it belongs to 'power'"),
        ({"target": "power", "degree": 0}, "degree must be a whole number in 1..64, got 0"),
        ({"target": "power", "degree": 2.5}, "degree must be a whole number in 1..64, got 2.5"),
        ({"target": "power", "degree": True}, "degree must be a whole number in 1..64, got True"),
        ({"target": "polynomial"}, "target 'polynomial' needs coefficients: .*"),
        (
            {"target": "polynomial", "coefficients": ()},
            "coefficients must be a list of 1 to 65 finite .*",
        ),
        (
            {"target": "polynomial", "coefficients": (math.nan,)},
            "coefficients must be a list of 1 to 65 .*",
        ),
        (
            {"target": "polynomial", "coefficients": (0.0, 8.0)},
            r"the polynomial reaches 8 on \(0, 1\], beyond .* bound 2: divide .* by 4",
        ),
    ],
)
def test_wrong_arguments_get_one_clear_line(arguments: dict[str, Any], message: str) -> None:
    """The error names the value, the bound and what to do."""
    with pytest.raises(ValueError, match=f"^{message}$") as error:
        Settings(**arguments).make_target()
    assert "\n" not in str(error.value)


def test_the_names_are_all_there_is() -> None:
    """The list of names and the ways to make a target agree."""
    assert [target.name for target in ALL] == [*FIXED, *PARAMETRIC] == list(NAMES)
