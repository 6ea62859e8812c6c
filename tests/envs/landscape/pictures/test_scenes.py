"""Where pictures look: planes, windows and heights."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from mlds_bench.envs.landscape.pictures.scenes import (
    FINEST_GRID,
    MOST_DECADES,
    Heights,
    Scene,
    around_scene,
    heights,
    largest_layer,
    layer_scene,
    whole_scene,
)
from mlds_bench.measures.points import Array
from tests.envs.landscape.played import descend, leap, stay, study_of


def test_two_parameters_are_seen_as_they_are() -> None:
    """Heights are losses, paths are points, axes have the names of the formula."""
    study = study_of("monkey-saddle", descend(0.1))
    scene = whole_scene(study, study.runs)
    assert scene.labels == ("x", "y")
    for run, path in zip(study.runs, scene.paths, strict=True):
        np.testing.assert_array_equal(path, run.path.theta)
    ground = heights(study, scene)
    x, y = np.meshgrid(ground.a, ground.b, indexing="ij")
    np.testing.assert_allclose(ground.height, x**3 - 3 * x * y**2, atol=1e-12)
    assert ground.label == "loss"


def test_the_window_is_square_and_holds_every_path() -> None:
    study = study_of("xor", descend(0.1))
    scene = whole_scene(study, study.runs)
    size = scene.high - scene.low
    assert size[0] == pytest.approx(size[1])
    every = np.concatenate(scene.paths)
    assert (every > scene.low).all()
    assert (every < scene.high).all()
    assert np.ptp(every, axis=0).max() > 0.6 * size[0]


def test_the_surface_passes_through_the_end_of_the_best_run() -> None:
    """Its height there is log10 of that run's last loss."""
    study = study_of("xor", descend(0.1))
    scene = whole_scene(study, study.runs)
    end = study.runs[study.best].path
    place = scene.paths[study.best][-1]
    point = scene.plane.points(place[:1], place[1:])[0, 0]
    np.testing.assert_allclose(point, end.theta[-1], atol=1e-12)
    loss = study.problem.loss(torch.from_numpy(point))
    assert float(loss) == pytest.approx(end.loss[-1])


def test_a_layer_is_looked_at_alone() -> None:
    """The plane moves no other layer."""
    study = study_of("sinc", descend(0.1), queries=5)
    layer = largest_layer(study.problem)
    assert layer is not None
    assert (layer.name, layer.shape) == ("layer 2 weight", (10, 10))
    scene = layer_scene(study, layer)
    outside = np.ones(141, bool)
    outside[layer.start : layer.stop] = False
    assert not scene.plane.directions[:, outside].any()
    assert scene.plane.directions[:, ~outside].any(1).all()


def test_a_problem_without_a_matrix_has_no_layer() -> None:
    assert largest_layer(study_of("deep-linear", stay, queries=2).problem) is None
    assert largest_layer(study_of("dead-relu", stay, queries=2).problem) is None


def test_around_an_end_the_end_is_in_the_middle() -> None:
    study = study_of("xor", descend(0.1))
    scene = around_scene(study, np.random.default_rng(0))
    np.testing.assert_array_equal(scene.plane.center, study.runs[study.best].path.theta[-1])
    assert scene.low.tolist() == [-1.0, -1.0]
    assert scene.high.tolist() == [1.0, 1.0]


@pytest.mark.parametrize("rule", [stay, leap])
def test_runs_that_go_nowhere_have_a_window(rule: object) -> None:
    """One point alone, too."""
    for runs in (1, 3):
        study = study_of("xor", rule, queries=3, runs=runs)  # type: ignore[arg-type]
        for seen in (study.runs, study.runs[:1]):
            scene = whole_scene(study, seen)
            assert (scene.high - scene.low >= 0.1).all()
            assert np.isfinite(heights(study, scene).height).all()


def test_heights_are_logarithms_within_a_few_decades() -> None:
    """Above the bottom, where the bottom is not zero."""
    study = study_of("dead-relu", descend(0.001))
    ground = heights(study, whole_scene(study, study.runs))
    assert ground.label == "log10 excess loss"
    assert 0.0 < np.ptp(ground.height) <= MOST_DECADES
    assert ground.height.shape == (FINEST_GRID, FINEST_GRID)


def test_a_grid_is_coarser_where_points_are_long() -> None:
    study = study_of("digits", stay, queries=1, runs=2)
    assert heights(study, whole_scene(study, study.runs)).height.shape == (45, 45)


def test_what_is_not_finite_is_as_high_as_the_highest() -> None:
    """Sixty factors far out overflow."""
    study = study_of("deep-linear", stay, depth=60, queries=1, runs=2)
    plane = whole_scene(study, study.runs).plane
    corner = np.full(2, 1e7)
    scene = Scene(plane, -corner, corner, (), ("", ""))
    assert np.isfinite(heights(study, scene).height).all()


def test_heights_between_the_grid_s_points_are_linear() -> None:
    """Exact for a plane, at its edges and beyond the last cell, too."""

    def slope(a: Array, b: Array) -> Array:
        return 2.0 * a - 3.0 * b + 1.0

    a, b = np.linspace(-1, 2, 7), np.linspace(0, 4, 5)
    ground = Heights(a, b, slope(a[:, None], b), "height")
    places = np.array([[-1.0, 0.0], [2.0, 4.0], [0.3, 1.7], [1.99, 0.01]])
    np.testing.assert_allclose(ground.at(places), slope(*places.T))


def test_a_run_that_never_moved_has_a_window_all_the_same() -> None:
    """Whatever rounding makes of its one place: heights and path are numbers."""
    study = study_of("teacher-student", stay, queries=4, k=10)
    scene = whole_scene(study, study.runs[:1])
    assert (scene.high - scene.low > 0.5).all()
    ground = heights(study, scene)
    assert np.isfinite(ground.at(scene.paths[0])).all()
