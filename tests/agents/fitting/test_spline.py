"""The free-knot fit: at the closed form on x^2, near the asymptotic one elsewhere."""

from __future__ import annotations

import math
from itertools import combinations
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from mlds_bench.agents.base import Unsupported
from mlds_bench.agents.fitting.curves import Curve, fit_lines
from mlds_bench.agents.fitting.spline import (
    SplineAgent,
    best_lines,
    coarse_knots,
    segment_costs,
    squared_error,
)
from mlds_bench.envs.fitting.optimum import parabola_error, pieces_constant
from mlds_bench.envs.fitting.specs import Settings
from tests.agents.fitting.makers import learn, make_agent, points, scores

X: npt.NDArray[np.float64] = np.arange(1, 10_001) / 10_000
DENSE: npt.NDArray[np.float64] = (np.arange(65_536) + 0.37) / 65_536


def sampled(name: str, x: npt.NDArray[np.float64] = X) -> Curve:
    """The curve through samples of a target."""
    return Curve.through(x, Settings(target=name).make_target().function(x[:, None]))


def reached(name: str, pieces: int) -> float:
    """RMSE on the dense grid of the fit with that many pieces."""
    error = best_lines(sampled(name), pieces)(DENSE) - Settings(target=name).make_target().function(
        DENSE[:, None]
    )
    return float(np.sqrt(np.mean(error**2)))


@pytest.mark.parametrize("pieces", [1, 2, 3, 5, 16, 30, 100])
def test_on_the_parabola_the_closed_form_is_reached(pieces: int) -> None:
    """Within 1e-9 of sqrt(1/180) / n^2, whether or not the pieces fit the samples."""
    assert reached("square", pieces) == pytest.approx(parabola_error(pieces), abs=1e-9)


@pytest.mark.parametrize(("name", "pieces"), [("sinc", 128), ("composed", 64)])
def test_elsewhere_the_asymptotic_constant_is_approached(name: str, pieces: int) -> None:
    """Two derivations of C / n^2 agree: by quadrature of f'' and by fitting."""
    constant = pieces_constant(Settings(target=name).make_target())
    assert constant is not None
    assert reached(name, pieces) == pytest.approx(constant / pieces**2, rel=0.04)


@pytest.mark.parametrize("pieces", [5, 16])
def test_the_square_wave_is_five_pieces(pieces: int) -> None:
    """With the jumps found, nothing is left but rounding."""
    assert reached("sgn", pieces) < 1e-12


def test_too_few_pieces_for_the_square_wave() -> None:
    """One line leaves nearly everything: the wave is 1, -1, 1, -1, 1."""
    assert reached("sgn", 1) == pytest.approx(math.sqrt(1.0 - 0.2**2), rel=1e-3)


def test_more_pieces_fit_better() -> None:
    """On the sinc, piece by piece."""
    errors = [reached("sinc", pieces) for pieces in (1, 2, 3, 4, 6, 8)]
    assert errors == sorted(errors, reverse=True)


def test_the_coarse_knots_are_the_best_of_all() -> None:
    """Against all choices of two inner knots among nine."""
    curve, grid = sampled("sinc"), np.linspace(0.0, 1.0, 10)
    found = fit_lines(curve, coarse_knots(curve, grid, 3))[1]
    tried = [fit_lines(curve, np.array(knots))[1] for knots in combinations(grid[1:-1], 2)]
    assert found == pytest.approx(min(tried), rel=1e-9)


def test_segment_costs_are_those_of_least_squares() -> None:
    """x^2 from a to b leaves (b - a)^5 / 180; nothing runs backwards."""
    grid = np.array([0.0, 0.25, 0.5, 1.0])
    costs = segment_costs(sampled("square"), grid)
    lengths = grid[None] - grid[:, None]
    assert costs[lengths > 0] == pytest.approx(lengths[lengths > 0] ** 5 / 180.0, abs=1e-9)
    assert np.isinf(costs[lengths <= 0]).all()


def test_the_slope_by_the_knots_is_that_of_the_error() -> None:
    """Against central differences."""
    curve, knots, step = sampled("sinc"), np.array([0.1, 0.33, 0.72]), 1e-5
    _, slope = squared_error(curve, knots)
    for k in range(3):
        moved = [knots + sign * step * np.eye(3)[k] for sign in (1.0, -1.0)]
        up, down = (squared_error(curve, trial)[0] for trial in moved)
        assert slope[k] == pytest.approx((up - down) / (2.0 * step), rel=1e-3, abs=1e-7)


def test_the_agent_reaches_the_optimum_from_what_the_environment_shows() -> None:
    """Labels of the training points alone; scored on the dense grid; within a few steps."""
    agent = make_agent(SplineAgent, "square")
    env = learn(agent, 100, target="square")
    result = scores(agent, target="square", test_points=65_536)
    rmse = 10.0 ** (result["log10_mse"] / 2.0)
    assert rmse == pytest.approx(parabola_error(16), abs=1e-9)
    assert result["optimum_distance"] == pytest.approx(0.0, abs=1e-4)
    assert result["pieces"] == pytest.approx(16.0, rel=1e-5)
    assert env.env_steps <= 20 * agent.num_envs


def test_a_tiny_budget_is_enough_for_a_fit() -> None:
    """What the reset shows is used even without a step."""
    agent = make_agent(SplineAgent)
    learn(agent, 0)
    assert scores(agent)["log10_mse"] < -5.0


def test_noisy_labels_are_averaged() -> None:
    """With noise of 0.1 the fit is far better than the labels."""
    agent = make_agent(SplineAgent, pieces=8)
    learn(agent, 20, noise=0.1)
    assert scores(agent)["log10_mse"] < -3.0


def test_one_sample_is_not_enough_to_fit() -> None:
    """The agent answers 0, as before learning."""
    agent = make_agent(SplineAgent)
    learn(agent, 2, points=1)
    assert agent.act(points(3)).tolist() == [[0.0]] * 3


def test_saved_lines_act_the_same(tmp_path: Path) -> None:
    """Bit for bit, through JSON."""
    agent, other = make_agent(SplineAgent, pieces=5), make_agent(SplineAgent)
    learn(agent, 1)
    agent.save(tmp_path)
    other.load(tmp_path)
    assert np.array_equal(agent.act(points(1000)), other.act(points(1000)))


def test_two_variables_are_unsupported() -> None:
    """A line a piece is a matter of one variable."""
    with pytest.raises(Unsupported, match=r"^spline fits functions of one variable, not of 2$"):
        make_agent(SplineAgent, "product")


def test_wrong_settings_get_one_clear_line() -> None:
    """The bound is in the message."""
    with pytest.raises(ValueError, match=r"^pieces must be in 1..256, got 0$"):
        make_agent(SplineAgent, pieces=0)
