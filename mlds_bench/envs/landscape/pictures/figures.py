"""Pictures of a test: the runs from above, their descent, the ground they end on.

`draw` makes the files. The figures that it saves are made by functions of a `Study`, one per file.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import numpy as np
from matplotlib.figure import Figure

from mlds_bench.common.canvas import SERIES, add_panels, new_figure, save, styled
from mlds_bench.envs.core import Recorder
from mlds_bench.envs.landscape.pictures.panels import (
    contour,
    draw_path,
    explain_marks,
    mark_solved,
    plot_ratio,
    plot_runs,
    plot_share,
    plot_spectrum,
    relief,
)
from mlds_bench.envs.landscape.pictures.scenes import (
    around_scene,
    heights,
    largest_layer,
    layer_scene,
    whole_scene,
)
from mlds_bench.envs.landscape.pictures.study import Study, read_study
from mlds_bench.envs.landscape.scoring import hessian_cap
from mlds_bench.envs.landscape.specs import LIMIT, Settings
from mlds_bench.measures.hessian import count_signs, eigenvalues

MOST_NUMBERS = 4_000_000
"""Most entries that all Hessians of one picture may have: at d = 982, four Hessians."""
SCENE_SEED = 0
"""Seed of the random directions around an end: the same for all recordings."""


def draw(recording: Recorder, folder: Path, settings: Settings) -> list[Path]:
    """Write the pictures of a test and return their paths.

    Args:
        recording: of the test split, with its trace.
        folder: an existing folder.
        settings: of the environment.
    """
    study = read_study(recording, settings)
    written = []
    with styled():
        for name, make in FIGURES.items():
            if study.problem.dimension > 1 or name not in PLANAR:
                written.append(save(make(study), folder / f"{name}.png"))
    return written


def trajectories(study: Study) -> Figure:
    """The traced runs from above: in the plane where they spread most, and in one layer's."""
    layer = largest_layer(study.problem) if study.problem.dimension > 2 else None
    scenes = {"whole model": whole_scene(study, study.runs)}
    if layer is not None:
        scenes[layer.name] = layer_scene(study, layer)
    plane = study.problem.dimension == 2
    note = "the loss surface" if plane else "surface: the slice through the end of the best run"
    figure = new_figure(5.75 * len(scenes) + 0.15, 5.6, _title(study, "paths"), note)
    panels = add_panels(figure, len(scenes), right=1.2, gap=1.75)
    for axes, (name, scene) in zip(panels, scenes.items(), strict=True):
        contour(axes, heights(study, scene))
        for index, (run, path) in enumerate(zip(study.runs, scene.paths, strict=True)):
            draw_path(axes, run, path, SERIES[index], is_best=index == study.best)
        axes.set(
            xlabel=scene.labels[0],
            ylabel=scene.labels[1],
            xlim=(scene.low[0], scene.high[0]),
            ylim=(scene.low[1], scene.high[1]),
            title="" if plane else name,
        )
    explain_marks(panels[-1], loc="lower right", bbox_to_anchor=(0.94, 1.0), borderaxespad=0.2)
    return figure


def descent(study: Study) -> Figure:
    """Loss and gradient norm of the traced runs against queries; share of all that are solved."""
    note = f"{_count(len(study.runs), 'run')}, dark: their median"
    figure = new_figure(11.6, 4.4, _title(study, "descent"), note)
    loss, norm, share = add_panels(figure, 3)
    is_bounded = study.problem.spec.solved > 0.0
    if is_bounded:
        title = "loss" if study.problem.bottom == 0.0 else "loss above the bottom"
        plot_runs(study, loss, lambda points: points.excess, title)
    else:
        plot_runs(study, loss, lambda points: points.loss, "loss", logarithmic=False)
    plot_runs(study, norm, lambda points: points.gradient_norm, "gradient norm")
    mark = norm if study.objective == "gradient_norm" else loss
    level = study.solved if is_bounded or mark is norm else study.problem.bottom + study.solved
    mark_solved(mark, level)
    plot_share(study, share)
    explain_marks(figure, loc="upper right")
    return figure


def surface(study: Study) -> Figure:
    """The landscape in relief with the path of the best run, and around its end."""
    best = study.runs[study.best]
    is_plane = study.problem.dimension == 2
    runs = study.runs if is_plane else (best,)
    scenes = [whole_scene(study, runs)]
    note = f"{_count(len(runs), 'run')}" if is_plane else "left: the best run in its own plane"
    if not is_plane:
        scenes.append(around_scene(study, np.random.default_rng(SCENE_SEED)))
        note += "; right: around its end, in filter-normalized random directions"
    figure = new_figure(5.4 * len(scenes) + 0.2, 5.2, _title(study, "surface"), note)
    for place, scene in enumerate(scenes):
        width = 1.0 / len(scenes)
        axes = figure.add_axes((place * width, 0.05, width, 0.83), projection="3d")
        relief(axes, heights(study, scene), scene)
    return figure


def curvature(study: Study) -> Figure:
    """Eigenvalues of the Hessian at the end of the best run; minimal ratio and loss of all ends."""
    problem, path = study.problem, study.runs[study.best].path
    alive = np.flatnonzero(study.ends.excess < LIMIT)[: _most_hessians(problem.dimension)]
    ends, theta = study.ends.part(alive), study.ends.theta[alive]
    points = np.vstack([path.theta[-1:], theta])
    spectra = eigenvalues(problem.loss, points, hessians=problem.hessians)
    positive, zero, negative = count_signs(spectra)
    known = np.flatnonzero(np.isfinite(spectra[1:]).all(1))
    figure = new_figure(10.6, 4.6, _title(study, "curvature"))
    left, right = add_panels(figure, 2, gap=1.0, right=1.05)
    plot_spectrum(left, spectra[0])
    left.set_title(
        "Hessian at the end of the best run\n"
        f"{positive[0]} positive, {zero[0]} zero, {negative[0]} negative"
    )
    plot_ratio(right, ends.part(known), positive[1:][known] / problem.dimension)
    return figure


FIGURES: Mapping[str, Callable[[Study], Figure]] = MappingProxyType(
    {
        "trajectories": trajectories,
        "descent": descent,
        "surface": surface,
        "curvature": curvature,
    }
)
"""File name without its ending -> what makes the figure."""
PLANAR = frozenset({"trajectories", "surface"})
"""Those that need two dimensions."""


def _most_hessians(dimension: int) -> int:
    return min(hessian_cap(dimension), max(MOST_NUMBERS // dimension**2, 1))


def _title(study: Study, what: str) -> str:
    d = study.problem.dimension
    return f"{study.problem.name}, {_count(d, 'parameter')}: {what}"


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}" if number == 1 else f"{number:,} {noun}s"
