"""The constructed network: its errors in closed form, its units counted, its files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mlds_bench.agents.base import Unsupported
from mlds_bench.agents.fitting.sawtooth import (
    SawtoothAgent,
    polynomial,
    power,
    product,
    square,
)
from mlds_bench.envs.fitting.optimum import sawtooth_error
from tests.agents.fitting.makers import make_agent, points, scores

GRID: npt.NDArray[np.float64] = ((np.arange(65_536) + 0.3) / 65_536)[:, None]


def rmse(values: npt.NDArray[np.float64], truth: npt.NDArray[np.float64]) -> float:
    """Root mean squared error."""
    return float(np.sqrt(np.mean((values - truth) ** 2)))


@pytest.mark.parametrize("layers", [1, 2, 3, 6, 10, 12])
def test_the_square_reaches_its_closed_form(layers: int) -> None:
    """RMSE sqrt(1/180) / 4^m within 1e-9, by 3 m - 1 units in m layers."""
    network = square(layers)
    assert rmse(network(GRID), GRID**2) == pytest.approx(math.sqrt(1 / 180) / 4**layers, abs=1e-9)
    assert rmse(network(GRID), GRID**2) == pytest.approx(sawtooth_error(layers), rel=0.01)
    assert (network.units, network.depth) == (3 * layers - 1, layers)


@pytest.mark.parametrize("layers", [1, 3, 7])
def test_the_square_is_the_interpolant_of_2_to_the_m_pieces(layers: int) -> None:
    """Minus the mean of its error, h^2 / 6: nothing but the ReLUs makes 2^m pieces."""
    knots = np.linspace(0.0, 1.0, 2**layers + 1)
    expected = np.interp(GRID, knots, knots**2) - 1.0 / (6.0 * 4.0**layers)
    assert square(layers)(GRID) == pytest.approx(expected, abs=1e-14)


def test_the_layers_are_those_of_the_construction() -> None:
    """Two layers by hand: teeth, half teeth and the running sum."""
    (first, bias), (second, second_bias), (last, last_bias) = square(2).layers
    assert first.tolist() == [[1.0], [1.0]]
    assert bias.tolist() == [0.0, -0.5]
    assert second.tolist() == [[2.0, -4.0], [2.0, -4.0], [0.5, 1.0]]
    assert second_bias.tolist() == [0.0, -0.5, 0.0]
    assert last.tolist() == [[-0.125, 0.25, 1.0]]
    assert last_bias.tolist() == [-1.0 / 96.0]


@pytest.mark.parametrize("layers", [2, 4, 8])
def test_products_are_three_squares(layers: int) -> None:
    """Error at most that of the squares: 4^-m / 2, by 3 (3 m - 1) units."""
    network, x = product(layers), points(20_000, 2)
    error = network(x)[:, 0] - x.prod(axis=1)
    assert np.abs(error).max() <= 0.5 / 4.0**layers
    assert rmse(error, np.zeros(1)) <= 2.5 * sawtooth_error(layers)
    assert network.units == 3 * (3 * layers - 1)


@pytest.mark.parametrize(
    ("degree", "squarings", "units"), [(1, 0, 0), (2, 1, 23), (4, 2, 46), (8, 3, 69)]
)
def test_powers_of_two_are_repeated_squares(degree: int, squarings: int, units: int) -> None:
    """x^(2^k) takes k squares of 3 m - 1 units each, here m = 8."""
    network = power(degree, 8)
    assert (network.units, network.depth) == (units, 8 * squarings)
    assert np.abs(network(GRID) - GRID**degree).max() < 3.0 * degree / 4.0**8


@pytest.mark.parametrize("degree", [3, 5, 6, 7, 64])
def test_powers_are_reached_by_squaring_and_multiplying(degree: int) -> None:
    """Each further layer divides the error by four."""
    coarse, fine = (
        float(np.abs(power(degree, layers)(GRID) - GRID**degree).max()) for layers in (8, 10)
    )
    assert fine < 1e-4
    assert coarse / fine == pytest.approx(16.0, rel=0.2)


@pytest.mark.parametrize(
    "coefficients",
    [
        (0.75,),
        (0.25, -1.0),
        (0.0, 0.0, 1.0),
        (1.0, -2.0, 1.0),
        (0.0, 0.0, 0.0, -1.0),
        (0.5, -1.0, 0.0, 2.0, -0.5),
        (0.0, 0.0),
    ],
)
def test_polynomials_are_summed_along_the_way(coefficients: tuple[float, ...]) -> None:
    """Any signs, zeros among the coefficients; constants and lines exactly."""
    truth = np.polynomial.Polynomial(coefficients)(GRID)
    error = np.abs(polynomial(coefficients, 8)(GRID) - truth).max()
    assert error <= (3.0 * len(coefficients) / 4.0**8 if len(coefficients) > 2 else 1e-15)


def test_polynomials_need_units_in_proportion_to_degree_and_layers() -> None:
    """O(n m) units: one more degree is one more product, whatever the degree."""
    units = [polynomial((0.0,) * degree + (1.0,), 10).units for degree in (3, 4, 5)]
    assert units[2] - units[1] == units[1] - units[0] == 3 * 29 + 2 * 10


@pytest.mark.parametrize(
    ("environment", "settings"),
    [
        ({"target": "square"}, {}),
        ({"target": "product"}, {}),
        ({"target": "power", "degree": 5}, {"target": "power", "degree": 5}),
        (
            {"target": "polynomial", "coefficients": (0.5, -1.0, 1.0)},
            {"target": "polynomial", "coefficients": (0.5, -1.0, 1.0)},
        ),
    ],
)
def test_the_agent_fits_what_it_is_built_for(
    environment: dict[str, Any], settings: dict[str, Any]
) -> None:
    """Far below a millionth of squared error, without learning, on the dense grid."""
    dimension = {"product": "product"}.get(environment["target"], "square")
    agent = make_agent(SawtoothAgent, dimension, **settings)
    assert scores(agent, **environment)["log10_mse"] < -11.0


def test_on_the_square_the_agent_is_at_the_optimum() -> None:
    """256 pieces, counted on the grid, and none could do better."""
    agent = make_agent(SawtoothAgent, "square", layers=8)
    result = scores(agent, target="square", test_points=65_536)
    assert result["pieces"] == pytest.approx(256.0, rel=1e-3)
    assert result["optimum_distance"] == pytest.approx(0.0, abs=1e-3)


def test_saved_networks_act_the_same(tmp_path: Path) -> None:
    """The file holds the weights, not the settings."""
    agent, other = (make_agent(SawtoothAgent, "square", layers=m) for m in (5, 2))
    agent.save(tmp_path)
    other.load(tmp_path)
    assert np.array_equal(agent.act(points(100)), other.act(points(100)))
    assert other.network.units == 14


def test_actions_stay_in_the_action_space() -> None:
    """A polynomial may leave it; its values are clipped."""
    agent = make_agent(SawtoothAgent, target="polynomial", coefficients=(9.0,))
    assert agent.act(points(3)).tolist() == [[2.0]] * 3


def test_the_number_of_variables_must_fit() -> None:
    """A product has two, a square one."""
    with pytest.raises(Unsupported, match=r"sawtooth builds product of 2 variable\(s\), .* has 1"):
        make_agent(SawtoothAgent, "square", target="product")
    with pytest.raises(Unsupported, match=r"sawtooth builds square of 1 variable\(s\), .* has 2"):
        make_agent(SawtoothAgent, "product", target="square")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"target": "sinc"}, "target must be one of auto, square, product, .*, got 'sinc'"),
        ({"layers": 0}, "layers must be in 1..24, got 0"),
        ({"degree": 65}, "degree must be in 1..64, got 65"),
        ({"coefficients": (1.0,)}, r"coefficients \(c0, c1, ...\) go with target='polynomial', .*"),
        ({"target": "polynomial"}, r"coefficients \(c0, c1, ...\) go with .*"),
        ({"target": "polynomial", "coefficients": (math.inf,)}, "coefficients must be finite, .*"),
    ],
)
def test_wrong_settings_get_one_clear_line(settings: dict[str, Any], message: str) -> None:
    """The error names the setting, its value and its bound."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_agent(SawtoothAgent, "square", **settings)
