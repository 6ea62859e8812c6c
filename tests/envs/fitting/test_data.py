"""The grids and the checksum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlds_bench.envs.fitting.data import checksum, evaluation_grid, training_points
from mlds_bench.envs.fitting.specs import Settings


def test_the_training_grid_is_the_course_s() -> None:
    """10,000 equidistant points of (0, 1], the end included."""
    grid = training_points(10_000, 1)
    assert grid.shape == (10_000, 1)
    assert grid[[0, 1, -1], 0].tolist() == [1e-4, 2e-4, 1.0]


def test_in_two_dimensions_the_grid_is_a_product() -> None:
    """Four points of (0, 1]^2, the last axis running fastest."""
    assert training_points(4, 2).tolist() == [[0.5, 0.5], [0.5, 1.0], [1.0, 0.5], [1.0, 1.0]]


def test_the_offset_moves_the_evaluation_grid_within_its_cell() -> None:
    """Without offset the grid ends at 1; a share of a cell moves it down, each axis by its own."""
    assert evaluation_grid(4, 1, np.array([0.5]))[:, 0].tolist() == [0.125, 0.375, 0.625, 0.875]
    moved = evaluation_grid(4, 2, np.array([0.0, 0.5]))
    assert moved.tolist() == [[0.5, 0.25], [0.5, 0.75], [1.0, 0.25], [1.0, 0.75]]


@pytest.mark.parametrize(
    ("points", "dimension", "message"),
    [
        (0, 1, "points must be a whole number of at least 1, got 0"),
        (10.0, 1, r"points must be a whole number of at least 1, got 10\.0"),
        (True, 1, "points must be a whole number of at least 1, got True"),
        (99, 2, "points must be a square number in two dimensions, got 99: 100 is the nearest"),
    ],
)
def test_impossible_grids_are_refused(points: Any, dimension: int, message: str) -> None:
    """One line that names the number and the nearest possible one."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        training_points(points, dimension)


def test_the_checksum_is_that_of_the_published_data() -> None:
    """The default data, pinned: if this changes, so does the version of the environment."""
    assert (
        checksum(Settings()) == "da5ca51aa6e95c41554d3eed281ecd00427cfcf53a1a32e886571c94ce807535"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        {"target": "sgn"},
        {"target": "product"},
        {"target": "power", "degree": 3},
        {"target": "power", "degree": 4},
        {"target": "polynomial", "coefficients": (0.0, 1.0)},
        {"points": 9_999},
        {"test_points": 65_535},
        {"noise": 0.1},
    ],
)
def test_every_argument_enters_the_checksum(arguments: dict[str, Any]) -> None:
    """Other data, another checksum; the same data, the same one."""
    assert (
        checksum(Settings(**arguments)) == checksum(Settings(**arguments)) != checksum(Settings())
    )
