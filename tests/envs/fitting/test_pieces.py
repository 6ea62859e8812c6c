"""Counting the linear pieces of a predictor."""

from __future__ import annotations

import numpy as np
import pytest

from mlds_bench.envs.fitting.pieces import linear_description
from mlds_bench.envs.fitting.specs import Array

GRID: Array = (np.arange(4096) + 0.5) / 4096


def described(runs: list[tuple[int, float, float]], size: int) -> Array:
    """The values that runs stand for, one by one."""
    values = np.empty(size)
    ends = [first for first, _, _ in runs[1:]] + [size]
    for (first, value, slope), end in zip(runs, ends, strict=True):
        for index in range(first, end):
            values[index] = value + slope * (index - first)
    return values


@pytest.mark.parametrize("pieces", [1, 2, 7, 100])
@pytest.mark.parametrize("jumps", [True, False])
def test_linear_pieces_are_counted_exactly(pieces: int, jumps: bool) -> None:
    """Random pieces, joined or not, come out as many and where they are."""
    generator = np.random.default_rng(pieces)
    starts = np.sort(generator.choice(np.arange(1, 1024), pieces - 1, replace=False)) * 4
    piece = np.searchsorted(starts, np.arange(4096), side="right")
    slopes = np.cumsum(generator.choice([-1.0, 1.0], pieces) * generator.uniform(1, 2, pieces))
    values = np.cumsum(slopes[piece]) / 4096.0
    if jumps:
        values += generator.uniform(0.1, 0.2, pieces)[piece]
    runs = linear_description(values, 1e-9)
    assert len(runs) == pieces if jumps else pieces <= len(runs) <= 2 * pieces
    assert described(runs, 4096) == pytest.approx(values, abs=2e-9)


def test_a_continuous_bend_between_grid_points_costs_no_extra_piece() -> None:
    """The values of a bend belong to the line on its left or to the line on its right."""
    values: Array = np.abs(GRID - 0.3) + 2.0 * np.maximum(GRID - 0.7, 0.0)
    assert [first for first, _, _ in linear_description(values, 1e-12)] == [0, 1229, 2867]


@pytest.mark.parametrize("tolerance", [1e-12, 1e-6, 1e-2])
def test_the_description_stays_within_the_tolerance(tolerance: float) -> None:
    """Whatever the predictor: smooth, noisy, or a staircase."""
    generator = np.random.default_rng(0)
    for values in (np.sin(9.0 * GRID), generator.normal(size=4096), np.floor(50.0 * GRID)):
        runs = linear_description(values, tolerance)
        assert np.abs(described(runs, 4096) - values).max() <= tolerance * (1.0 + 1e-6) + 1e-14


def test_noise_takes_very_many_pieces() -> None:
    """Two random numbers make a line, three seldom do."""
    noise = np.random.default_rng(0).normal(size=4096)
    assert len(linear_description(noise, 1e-9)) == 2048


def test_smooth_curves_take_pieces_as_their_curvature_says() -> None:
    """A line through a point of x^2 stays within e over 2 sqrt(e) to 2 sqrt(2 e)."""
    pieces = len(linear_description(GRID**2, 1e-4))
    assert 1.0 / (2.0 * np.sqrt(2e-4)) <= pieces <= 1.0 / (2.0 * np.sqrt(1e-4))


def test_a_single_value_is_one_piece() -> None:
    """The shortest grid there is."""
    assert linear_description(np.array([3.0]), 0.0) == [(0, 3.0, 0.0)]
