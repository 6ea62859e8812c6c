"""Where to look: planes through a landscape that show some runs, and the heights on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from mlds_bench.envs.landscape.pictures.study import Run, Study
from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.problems.surfaces import SURFACES
from mlds_bench.measures.points import Array, Block
from mlds_bench.measures.surface import Plane, random_plane, surface
from mlds_bench.measures.trajectories import principal_plane

POINTS_A_RUN = 50
"""Most points of a run that a principal plane is computed from."""
MARGIN = 0.15
ROUNDING = 1e-12
"""Paths that spread less than this share of their size have not moved."""
MOST_DECADES = 4.0
MOST_NUMBERS = 2_000_000
"""Most coordinates that the points of a grid may have together: at d = 982, 45 by 45 points."""
FINEST_GRID = 71


@dataclass(frozen=True)
class Scene:
    """A plane, the window to look through, and the runs seen there.

    Attributes:
        plane: see `mlds_bench.measures.surface.Plane`.
        low: (2,) float64, lower left corner of the window.
        high: (2,) float64, upper right corner.
        paths: (T, 2) float64 of every run that is shown, up to where it leaves sight.
        labels: of the two axes.
    """

    plane: Plane
    low: Array
    high: Array
    paths: tuple[Array, ...]
    labels: tuple[str, str]


@dataclass(frozen=True)
class Heights:
    """The landscape on a window.

    Attributes:
        a: (A,) float64, along the first direction.
        b: (B,) float64, along the second.
        height: (A, B) float64, finite.
        label: what it is.
    """

    a: Array
    b: Array
    height: Array
    label: str

    def at(self, points: Array) -> Array:
        """Heights (T,) at points (T, 2) of the window, linear between those of the grid."""
        rows, row_share = _cell(self.a, points[:, 0])
        columns, column_share = _cell(self.b, points[:, 1])
        corner = self.height[rows, columns] * (1 - row_share) * (1 - column_share)
        corner += self.height[rows + 1, columns] * row_share * (1 - column_share)
        corner += self.height[rows, columns + 1] * (1 - row_share) * column_share
        corner += self.height[rows + 1, columns + 1] * row_share * column_share
        return corner


def whole_scene(study: Study, runs: Sequence[Run]) -> Scene:
    """The runs in the plane where they spread most; on the plane itself where d = 2."""
    problem = study.problem
    if problem.dimension == 2:
        names = ("x", "y") if problem.name in SURFACES else ("w1", "w2")
        paths = tuple(run.path.theta for run in runs)
        return _scene(Plane(np.zeros(2), np.eye(2)), paths, names)
    return _principal_scene(study, runs, None)


def layer_scene(study: Study, block: Block) -> Scene:
    """The runs in the plane where one layer spreads most."""
    return _principal_scene(study, study.runs, block)


def largest_layer(problem: Problem) -> Block | None:
    """The weight matrix with the most entries, at least two; None where there is none."""
    matrices = [b for b in problem.blocks if len(b.shape) > 1 and b.stop - b.start > 1]
    return max(matrices, key=lambda block: block.stop - block.start, default=None)


def around_scene(study: Study, generator: np.random.Generator) -> Scene:
    """Filter-normalized random directions around the end of the best run."""
    end = study.runs[study.best].path.theta[-1]
    plane = random_plane(end, generator=generator, blocks=study.problem.blocks)
    corner = np.ones(2)
    labels = ("random direction 1", "random direction 2")
    return Scene(plane, -corner, corner, (np.zeros((1, 2)),), labels)


def heights(study: Study, scene: Scene) -> Heights:
    """The landscape on a scene: the loss itself in the plane, else log10 of its excess."""
    problem = study.problem
    count = int(min(FINEST_GRID, (MOST_NUMBERS / problem.dimension) ** 0.5))
    a, b = (np.linspace(low, high, count) for low, high in zip(scene.low, scene.high, strict=True))
    loss = surface(problem.loss, scene.plane, a, b)
    if problem.dimension == 2:
        return Heights(a, b, _bounded(loss), "loss")
    above = np.where(loss > problem.bottom, loss - problem.bottom, 0.0)
    logarithm = np.log10(np.maximum(above, 1e-30), where=np.isfinite(above), out=above)
    highest = float(np.max(logarithm, where=np.isfinite(logarithm), initial=-30.0))
    bounded = _bounded(np.maximum(logarithm, highest - MOST_DECADES))
    return Heights(a, b, bounded, "log10 loss" if problem.bottom == 0.0 else "log10 excess loss")


def _principal_scene(study: Study, runs: Sequence[Run], block: Block | None) -> Scene:
    paths = [run.path.theta for run in runs]
    rows = np.concatenate([path[_some(len(path))] for path in paths])
    principal = principal_plane(rows if len(rows) > 1 else np.tile(rows, (2, 1)), block=block)
    plane = principal.through(study.runs[study.best].path.theta[-1])
    seen = tuple((path - principal.mean) @ principal.directions.T for path in paths)
    if not np.ptp(rows, axis=0).any():
        return _scene(plane, seen, ("some direction", "another"))
    first, second = principal.explained_variance_ratio[:2]
    return _scene(
        plane, seen, (f"PC 1, {first:.0%} of variance", f"PC 2, {second:.0%} of variance")
    )


def _scene(plane: Plane, paths: tuple[Array, ...], labels: tuple[str, str]) -> Scene:
    """A square window around the paths."""
    every = np.concatenate(paths)
    low, high = every.min(0), every.max(0)
    middle, half = (low + high) / 2.0, float((high - low).max()) / 2.0
    if half <= ROUNDING * float(np.abs(every).max(initial=1.0)):
        half = 1.0  # nobody moved: the extent is nothing but rounding
    half *= 1.0 + 2.0 * MARGIN
    return Scene(plane, middle - half, middle + half, paths, labels)


def _some(count: int) -> npt.NDArray[np.int64]:
    """Rows of a path, evenly spaced, first and last among them."""
    return np.unique(np.linspace(0, count - 1, min(count, POINTS_A_RUN)).round().astype(np.int64))


def _bounded(height: Array) -> Array:
    """Heights that are not finite become the highest finite one; all are 0 if there is none."""
    finite = height[np.isfinite(height)]
    highest = finite.max() if len(finite) else 0.0
    return np.nan_to_num(height, nan=highest, posinf=highest, neginf=highest)


def _cell(grid: Array, places: Array) -> tuple[npt.NDArray[np.int64], Array]:
    """The interval of a grid that each place lies in, and how far along."""
    position = (places - grid[0]) / (grid[1] - grid[0])
    index = np.clip(position.astype(np.int64), 0, len(grid) - 2)
    return index, np.clip(position - index, 0.0, 1.0)
