"""Curves through samples, and lines fitted to them."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest

from mlds_bench.agents.fitting.curves import Curve, find_jumps, fit_lines
from mlds_bench.envs.fitting.specs import Settings

X: npt.NDArray[np.float64] = np.arange(1, 1001) / 1000


def sampled(name: str, x: npt.NDArray[np.float64] = X) -> Curve:
    """The curve through samples of a target."""
    return Curve.through(x, Settings(target=name).make_target().function(x[:, None]))


def test_jumps_are_found_between_samples_and_at_samples() -> None:
    """A step between two samples, and one with a sample halfway up."""
    y = np.where(X < 0.3005, -1.0, 1.0)
    y[X > 0.7] = 0.0
    y[699] = 0.5
    assert find_jumps(y) == [(299, 300), (698, 700)]


@pytest.mark.parametrize("noise", [0.0, 0.01, 1.0])
def test_smooth_and_noisy_samples_have_no_jumps(noise: float) -> None:
    """Steep is not a jump, and noise is its own measure."""
    generator = np.random.default_rng(0)
    assert find_jumps(np.sin(30.0 * X) + noise * generator.normal(size=1000)) == []


def test_few_samples_have_no_jumps() -> None:
    """With fewer samples than neighbors there is no usual step to compare with."""
    assert find_jumps(np.array([0.0, 1.0])) == []
    assert find_jumps(np.array([0.0, 1.0, 2.0, 3.0])) == []


def test_the_jumps_of_the_square_wave() -> None:
    """Four in the interval; the stray sample at the end of it (sgn 0 = 0) is no branch."""
    curve = sampled("sgn")
    assert curve.jumps == pytest.approx([0.2, 0.4, 0.6, 0.8], abs=1e-15)
    x = np.array([1e-5, 0.1999999, 0.2000001, 0.5, 0.9999999])
    assert curve(x).tolist() == [1.0, 1.0, -1.0, 1.0, 1.0]


def test_a_stray_sample_at_the_start_is_no_branch() -> None:
    """The curve goes on to 0 as it is after the sample."""
    y = np.ones(1000)
    y[0] = 0.0
    curve = Curve.through(X, y)
    assert len(curve.jumps) == 0
    assert curve(np.array([0.0, 0.5])).tolist() == [1.0, 1.0]


def test_a_value_between_two_jumps_is_a_constant() -> None:
    """A plateau of two samples, too short for a cubic of its own."""
    y = np.where(X > 0.5, 1.0, -1.0)
    y[499:501] = 0.0
    curve = Curve.through(X, y)
    assert curve(np.array([0.25, 0.75])).tolist() == [-1.0, 1.0]


@pytest.mark.parametrize("name", ["sinc", "square", "composed"])
def test_the_curve_is_close_to_the_function_between_samples(name: str) -> None:
    """On the course's 10,000 points, to 1e-8 in the mean."""
    x = np.arange(1, 10_001) / 10_000
    dense = (np.arange(65_536) + 0.4) / 65_536
    error = sampled(name, x)(dense) - Settings(target=name).make_target().function(dense[:, None])
    assert float(np.sqrt(np.mean(error**2))) < 1e-8


def test_nodes_integrate_exactly_up_to_the_degree_of_the_squares() -> None:
    """Cubic pieces, squared: x^3 and x^6 on [0, 1] with any cuts."""
    x, weights, _ = sampled("square").nodes(np.array([0.12345, 0.5]))
    for degree in (0, 3, 6):
        assert float(weights @ x**degree) == pytest.approx(1.0 / (degree + 1), abs=1e-14)


def test_lines_are_the_least_squares_lines() -> None:
    """On x^2 between 0 and 1: x - 1/6, and on two halves their own."""
    curve = sampled("square", np.arange(1, 10_001) / 10_000)
    lines, error = fit_lines(curve, np.array([]))
    assert (lines.slopes[0], lines.values[0]) == pytest.approx((1.0, 1.0 / 3.0), abs=1e-8)
    assert error == pytest.approx(1.0 / 180.0, abs=1e-9)
    lines, error = fit_lines(curve, np.array([0.5]))
    assert lines.slopes == pytest.approx([0.5, 1.5], abs=1e-8)
    assert lines.values == pytest.approx([1.0 / 12.0, 7.0 / 12.0], abs=1e-8)
    assert error == pytest.approx(1.0 / 180.0 / 16.0, abs=1e-9)


def test_a_knot_belongs_to_the_piece_on_its_left() -> None:
    """At a jump the value is the left one's."""
    lines, _ = fit_lines(sampled("sgn"), np.array([0.2]))
    assert lines(np.array([0.2]))[0] == pytest.approx(1.0)
