"""Pictures of a test: for every problem, and what stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from matplotlib.axes import Axes
from matplotlib.collections import PathCollection
from matplotlib.figure import Figure
from PIL import Image
from scipy.stats import spearmanr

from mlds_bench.common.canvas import ACCENT, INK, POSITIVE, SERIES, save, styled
from mlds_bench.envs.landscape.pictures.figures import (
    FIGURES,
    PLANAR,
    curvature,
    descent,
    draw,
    surface,
    trajectories,
)
from mlds_bench.envs.landscape.pictures.panels import FEWEST_RANKED, MOST_STEMS, plot_spectrum
from mlds_bench.envs.landscape.pictures.scenes import whole_scene
from mlds_bench.envs.landscape.specs import PROBLEMS, Settings
from mlds_bench.measures.hessian import minimal_ratio
from tests.envs.landscape.played import Rule, descend, leap, play, stay, study_of
from tests.inside import cut_off

SMALL: dict[str, dict[str, Any]] = {
    "digits": {"hidden": 3, "points": 20},
    "sinc": {"hidden": 4, "points": 20},
}
CASES: list[tuple[str, Rule, dict[str, Any]]] = [
    *((name, descend(0.05), SMALL.get(name, {})) for name in PROBLEMS),
    ("xor", leap, {}),
    ("jellyfish", stay, {"runs": 1}),
    ("saddle", stay, {"start_scale": 0.0, "objective": "gradient_norm"}),
    ("degenerate-minimum", descend(50.0), {}),
    ("deep-linear", descend(0.01), {"depth": 1}),
    ("deep-linear", leap, {"depth": 60}),
    ("monkey-saddle", leap, {"runs": 2}),
]


@pytest.fixture(autouse=True)
def look() -> Iterator[None]:
    with styled():
        yield


@pytest.mark.parametrize(("problem", "rule", "arguments"), CASES)
def test_every_problem_has_its_pictures(
    problem: str,
    rule: Rule,
    arguments: dict[str, Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whatever the runs do; without a warning, not blank, and with no label cut off."""
    beyond: list[str] = []

    def look_and_save(figure: Figure, path: Path) -> Path:
        beyond.extend(f"{path.name}: {what}" for what in cut_off(figure))
        return save(figure, path)

    monkeypatch.setattr("mlds_bench.envs.landscape.pictures.figures.save", look_and_save)
    recording = play(problem, rule, queries=12, **arguments)
    settings = Settings(problem=problem, query_budget=12, **without_runs(arguments))
    written = draw(recording, tmp_path, settings)
    assert beyond == []
    planar = arguments.get("depth") != 1
    assert [path.stem for path in written] == [n for n in FIGURES if planar or n not in PLANAR]
    assert sorted(written) == sorted(tmp_path.iterdir())
    for path in written:
        with Image.open(path) as image:
            shares = np.array([count for count, _ in image.getcolors() or ()], float)
        assert shares.sum() > 400 * 400
        assert shares.max() < 0.97 * shares.sum(), path.name
        assert path.stat().st_size < 120_000


def without_runs(arguments: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in arguments.items() if key != "runs"}


def lines(axes: Axes, color: str) -> list[np.ndarray[Any, Any]]:
    """Data (T, 2) of the lines of a color that are more than marks."""
    chosen = [line for line in axes.lines if line.get_color() == color]
    return [
        np.column_stack([np.asarray(line.get_xdata()), np.asarray(line.get_ydata())])
        for line in chosen
        if line.get_linestyle() != "None"
    ]


def titled(figure: Figure, title: str) -> Axes:
    (found,) = [axes for axes in figure.axes if axes.get_title(loc="left").startswith(title)]
    return found


def test_trajectories_show_every_run_in_both_planes() -> None:
    """Each in its color, from start to end."""
    study = study_of("xor", descend(0.1))
    figure = trajectories(study)
    scene = whole_scene(study, study.runs)
    for index, path in enumerate(scene.paths):
        (drawn,) = lines(titled(figure, "whole model"), SERIES[index])
        np.testing.assert_allclose(drawn, path)
        (drawn,) = lines(titled(figure, "layer 1 weight"), SERIES[index])
        assert len(drawn) == len(path)
    assert len(study.runs) == 8


def test_descent_shows_loss_gradient_norm_and_their_medians() -> None:
    """Values of every run after every query; the median of those that ended, too."""
    study = study_of("quadratic", descend(0.12), queries=80, runs=5)
    figure = descent(study)
    loss, norm = titled(figure, "loss"), titled(figure, "gradient norm")
    for index, run in enumerate(study.runs):
        (drawn,) = lines(loss, SERIES[index])
        np.testing.assert_allclose(drawn, np.column_stack([run.queries, run.points.loss]))
        (drawn,) = lines(norm, SERIES[index])
        np.testing.assert_allclose(drawn[:, 1], run.points.gradient_norm)
    longest = max(study.lengths)
    held = [np.pad(r.points.loss, (0, longest + 1 - len(r.points)), "edge") for r in study.runs]
    (median,) = lines(loss, INK)
    np.testing.assert_allclose(median[:, 1], np.median(held, axis=0))


def test_descent_shows_the_share_of_all_that_are_solved() -> None:
    """Of all instances, not only of those that are traced."""
    study = study_of("quadratic", descend(0.1), queries=30, runs=50, start_scale=2.0)
    axes = titled(descent(study), "solved: ")
    (share,) = lines(axes, POSITIVE)
    assert 0.0 < study.is_solved.mean() < 1.0
    assert share[-1].tolist() == [30.0, study.is_solved.mean()]
    assert f"{study.is_solved.mean():.1%} of 50 runs" in axes.get_title(loc="left")
    query = 25
    reached = share[share[:, 0] <= query][-1, 1]
    assert reached == np.mean(study.is_solved & (study.lengths <= query))


def test_a_saddle_s_loss_stands_on_a_linear_axis() -> None:
    """It has no lower bound; what counts as solved is a level."""
    study = study_of("saddle", descend(0.1), queries=60)
    axes = titled(descent(study), "loss")
    assert axes.get_yscale() == "linear"
    assert [line[0, 1] for line in lines(axes, ACCENT) if len(line) == 2] == [-1.0]


def test_the_surface_carries_the_best_path_or_all_of_two_parameters() -> None:
    """A path is drawn on the surface and on the map below it, and its end is marked."""
    for problem, paths, panels in (("saddle", 8, 1), ("xor", 1, 2)):
        figure = surface(study_of(problem, descend(0.1)))
        assert len(figure.axes) == panels
        assert len(figure.axes[0].lines) == 3 * paths


def test_curvature_shows_the_signs_of_a_saddle() -> None:
    """Eigenvalues -2 and 6, one by one."""
    axes = curvature(study_of("saddle", descend(0.1))).axes[0]
    assert "1 positive, 0 zero, 1 negative" in axes.get_title(loc="left")
    (marks,) = [c for c in axes.collections if isinstance(c, PathCollection)]
    np.testing.assert_allclose(np.asarray(marks.get_offsets()), [[1, -2], [2, 6]])


def test_curvature_shows_minimal_ratio_and_loss_of_the_ends() -> None:
    """As the score computes them, with their rank correlation."""
    study = study_of("jellyfish", descend(0.1), runs=30)
    axes = curvature(study).axes[1]
    ratio = minimal_ratio(study.problem.loss, torch.from_numpy(study.ends.theta))
    (marks,) = [c for c in axes.collections if isinstance(c, PathCollection)]
    shown = np.asarray(marks.get_offsets())
    np.testing.assert_allclose(shown, np.column_stack([ratio, study.ends.loss]))
    correlation = spearmanr(study.ends.loss, ratio).statistic
    assert f"= {correlation:+.2f}" in axes.get_title(loc="left")


def test_few_points_have_no_rank_correlation() -> None:
    study = study_of("jellyfish", descend(0.1), runs=FEWEST_RANKED - 1)
    title = curvature(study).axes[1].get_title(loc="left")
    assert "Spearman" not in title
    assert "mean minimal ratio" in title


def panel(spectrum: list[float]) -> Axes:
    axes = Figure().add_subplot()
    plot_spectrum(axes, np.array(sorted(spectrum)))
    return axes


def test_zeros_of_a_spectrum_are_drawn_at_zero() -> None:
    """What is below 1e-8 of the largest counts as zero, and only that."""
    axes = panel([-1e-3, 1e-12, 2e-6, 100.0])
    (marks,) = [c for c in axes.collections if isinstance(c, PathCollection)]
    assert np.asarray(marks.get_offsets())[:, 1].tolist() == [-1e-3, 0.0, 2e-6, 100.0]
    assert axes.get_yscale() == "symlog"
    assert panel([1.0, 6.0]).get_yscale() == "linear"


@pytest.mark.parametrize("smallest", [1e-6, 0.5])
def test_a_large_spectrum_is_a_histogram_that_counts_everything(smallest: float) -> None:
    """Negative, zero and positive ones apart, on logarithmic and on linear axes."""
    rest = [0.0] * 10 + [-smallest] * 20
    spectrum = rest + np.geomspace(smallest, 3.0, MOST_STEMS).tolist()
    bars = panel(spectrum).patches
    heights: dict[str, float] = {}
    for bar in bars:
        color = str(bar.get_facecolor())
        heights[color] = heights.get(color, 0.0) + bar.get_height()  # type: ignore[attr-defined]
    counts = sorted(heights.values())
    assert counts == sorted([10.0, 20.0, float(MOST_STEMS)])


def test_a_hessian_that_is_not_finite_says_so() -> None:
    axes = panel([np.nan, np.nan])
    assert [text.get_text() for text in axes.texts] == ["the Hessian is not finite"]


def test_the_same_recording_gives_the_same_bytes(tmp_path: Path) -> None:
    recording = play("xor", descend(0.1), queries=5)
    files = []
    for name in ("one", "two"):
        folder = tmp_path / name
        folder.mkdir()
        written = draw(recording, folder, Settings())
        files.append([path.read_bytes() for path in written])
    assert files[0] == files[1]
