"""Principal planes of optimizers' paths."""

from __future__ import annotations

import numpy as np
import pytest

from mlds_bench.measures.points import Array, Block
from mlds_bench.measures.surface import surface
from mlds_bench.measures.trajectories import principal_plane
from tests.measures.small import draw, quadratic

RUNS = draw(3, 20, 6).numpy() * np.array([1.0, 2.0, 5.0, 0.5, 3.0, 0.1]) + 4.0


def by_covariance(rows: Array) -> tuple[Array, Array]:
    """Variances and directions of the two largest, from the covariance matrix."""
    values, vectors = np.linalg.eigh(np.cov(rows.T))
    return values[::-1] / values.sum(), vectors[:, ::-1].T[:2]


def test_directions_are_those_of_the_covariance() -> None:
    """A second implementation, up to the sign; runs share their coordinates."""
    plane = principal_plane(RUNS)
    rows = RUNS.reshape(-1, 6)
    ratio, directions = by_covariance(rows)
    assert plane.explained_variance_ratio == pytest.approx(ratio)
    assert np.abs((plane.directions * directions).sum(1)) == pytest.approx(1.0)
    assert plane.mean == pytest.approx(rows.mean(0))
    assert plane.coordinates.shape == (3, 20, 2)
    flat = plane.coordinates.reshape(-1, 2)
    assert flat == pytest.approx((rows - rows.mean(0)) @ plane.directions.T)
    assert flat.var(0) / rows.var(0).sum() == pytest.approx(ratio[:2])
    assert principal_plane(rows).coordinates == pytest.approx(flat)


def test_a_path_in_a_plane_is_told_whole() -> None:
    """An ellipse in 50 dimensions: its axes, all its variance, and its points back again."""
    angle = np.linspace(0.0, 2.0 * np.pi, 100, endpoint=False)
    axes = np.zeros((2, 50))
    axes[0, [3, 4]], axes[1, [10, 20]] = (0.6, 0.8), (0.8, -0.6)
    path = 7.0 + np.column_stack([5.0 * np.cos(angle), 2.0 * np.sin(angle)]) @ axes
    plane = principal_plane(path)
    assert plane.directions == pytest.approx(axes, abs=1e-12)
    assert plane.explained_variance_ratio[:3] == pytest.approx([25 / 29, 4 / 29, 0.0])
    assert plane.mean + plane.coordinates @ plane.directions == pytest.approx(path)


def test_a_block_is_looked_at_alone() -> None:
    """One layer's principal plane is that of its entries; all others stay where they are."""
    block = Block("layer 2 weight", 2, (2, 2))
    plane, alone = principal_plane(RUNS, block=block), principal_plane(RUNS[..., 2:6])
    assert plane.directions[:, 2:6] == pytest.approx(alone.directions)
    assert not plane.directions[:, :2].any()
    assert plane.coordinates == pytest.approx(alone.coordinates)
    assert plane.explained_variance_ratio == pytest.approx(alone.explained_variance_ratio)


def test_signs_do_not_depend_on_the_order() -> None:
    """Runs read backwards, or mirrored, have the same directions; the largest entry is positive."""
    plane = principal_plane(RUNS)
    for other in (RUNS[:, ::-1], RUNS[::-1], -RUNS):
        assert principal_plane(other).directions == pytest.approx(plane.directions, abs=1e-12)
    assert (plane.directions.max(1) == np.abs(plane.directions).max(1)).all()


def test_of_equal_entries_the_first_is_positive() -> None:
    """Rounding does not choose between (1, -1) and (-1, 1)."""
    steps = np.arange(5.0)[:, None]
    for scale in (0.1, 0.3, 0.7, 1.1):
        for slope in ([scale, -scale], [-scale, scale]):
            path = steps * slope + np.array([0.3, 1.7])
            first = principal_plane(path).directions[0]
            assert first == pytest.approx([np.sqrt(0.5), -np.sqrt(0.5)])


def test_a_surface_carries_the_path() -> None:
    """On the plane through a path's end, the path's points have the coordinates of the runs."""
    plane = principal_plane(RUNS)
    end = RUNS[1, -1]
    drawn = plane.through(end)
    assert drawn.coordinates(RUNS) == pytest.approx(plane.coordinates)
    a, b = plane.coordinates[1, -1]
    here = surface(quadratic(np.eye(6)), drawn, np.array([a]), np.array([b]))
    assert here[0, 0] == pytest.approx(end @ end / 2.0)


def test_what_does_not_move_has_no_variance() -> None:
    """A path that stays, or moves on a line, is drawn all the same."""
    still = principal_plane(np.ones((4, 3)))
    assert not still.explained_variance_ratio.any()
    assert not still.coordinates.any()
    assert still.directions @ still.directions.T == pytest.approx(np.eye(2))
    straight = principal_plane(np.arange(4.0)[:, None] * np.array([1.0, 2.0, 2.0]))
    assert straight.explained_variance_ratio == pytest.approx([1.0, 0.0, 0.0])
    assert straight.directions[0] == pytest.approx(np.array([1.0, 2.0, 2.0]) / 3.0)


@pytest.mark.parametrize("runs", [np.zeros(3), np.full((3, 3), np.nan), np.zeros((1, 2, 3, 4))])
def test_runs_of_another_shape_are_refused(runs: Array) -> None:
    """Or with points that diverged."""
    with pytest.raises(ValueError, match=r"runs must be finite, \(T, d\) or \(R, T, d\), got"):
        principal_plane(runs)


@pytest.mark.parametrize(
    ("runs", "block"),
    [
        (np.zeros((1, 5)), None),
        (np.zeros((5, 1)), None),
        (np.zeros((5, 5)), Block("b", 4, (2,))),
        (np.zeros((5, 5)), Block("b", 4, (1,))),
    ],
)
def test_too_little_for_a_plane_is_refused(runs: Array, block: Block | None) -> None:
    """One point, one entry, or entries that are not there."""
    with pytest.raises(ValueError, match="a plane needs two points and two entries within d = "):
        principal_plane(runs, block=block)
