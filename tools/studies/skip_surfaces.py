"""What skip connections do to the landscape of a deep network: the lecture's pair of pictures.

Two networks of 30 layers on the embedded digits, alike but for the skip connections, on the plane
of two filter-normalized random directions around the end of their training (Li et al. 2018), and
the spectra of their Hessians there: ``python -m tools.studies.skip_surfaces``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from torch import Tensor, nn

from mlds_bench.common.canvas import FAINT, HEIGHTS, SERIES, new_figure, save, styled
from mlds_bench.measures.hessian import hessian_operator, sampled_minimal_ratio
from mlds_bench.measures.networks import (
    evaluate_all,
    flat_loss,
    flat_parameters,
    parameter_blocks,
)
from mlds_bench.measures.points import Array
from mlds_bench.measures.spectra import (
    SpectralDensity,
    extreme_eigenvalues,
    spectral_density,
    trace,
)
from mlds_bench.measures.surface import random_plane, surface
from tools.studies.report import Report
from tools.studies.training import digits, part, seeded, train

WIDTH, BLOCKS = 32, 14
BATCH_SIZE, EPOCHS, LEARNING_RATE, SEED = 128, 100, 1e-3, 0
MEASURED_ON = 500
"""First training images, that the loss is measured on."""
HALF_WIDTH, POINTS = 0.6, 51
"""Of the window, in lengths of the filters, and its grid."""
CHANCE = float(np.log(10.0))
UNBENT = 0.1
"""Size of eigenvalues up to which their axis is linear."""
EIGENVALUES = (-100, -10, -1, 0, 1, 10, 100, 1000)
FAINTEST = 1e-6
LOWEST, HIGHEST = -4.0, 4.0
"""Heights shown, log10 of the loss."""
NAMES = {True: "with skip connections", False: "without skip connections"}


class ResidualBlock(nn.Module):
    """Two layers with batch norm, and what they are given added to what they make of it."""

    def __init__(self, *, skip: bool) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(WIDTH, WIDTH),
            nn.BatchNorm1d(WIDTH),
            nn.ReLU(),
            nn.Linear(WIDTH, WIDTH),
            nn.BatchNorm1d(WIDTH),
        )
        self.skip = skip

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return torch.relu(x + y if self.skip else y)


@dataclass(frozen=True)
class Landscape:
    """A network's surroundings.

    Attributes:
        loss: (A, A) on the plane.
        density: of the Hessian's eigenvalues at its center.
        numbers: for the report.
    """

    loss: Array
    density: SpectralDensity
    numbers: dict[str, Any]


def network(*, skip: bool) -> nn.Module:
    """One layer in, 28 in blocks, one out."""
    first = [nn.Linear(64, WIDTH), nn.BatchNorm1d(WIDTH), nn.ReLU()]
    blocks = [ResidualBlock(skip=skip) for _ in range(BLOCKS)]
    return nn.Sequential(*first, *blocks, nn.Linear(WIDTH, 10))


def explore(report: Report, *, skip: bool) -> Landscape:
    """Train one network and look around it."""
    trained_on, tested_on = digits()
    made = seeded(lambda: network(skip=skip), SEED)
    train(
        made,
        trained_on,
        batch_size=BATCH_SIZE,
        epochs=EPOCHS,
        seed=SEED,
        learning_rate=LEARNING_RATE,
    )
    scores = evaluate_all(made, {"train": trained_on, "test": tested_on})
    report.say(f"{NAMES[skip]}: trained, {scores}")
    theta, loss = flat_parameters(made), flat_loss(made, part(trained_on, MEASURED_ON))
    generator = np.random.default_rng(SEED)
    plane = random_plane(theta, generator=generator, blocks=parameter_blocks(made))
    grid = np.linspace(-HALF_WIDTH, HALF_WIDTH, POINTS)
    heights = surface(loss, plane, grid, grid)
    report.say(f"{NAMES[skip]}: {POINTS} x {POINTS} points of the surface")
    multiply, size = hessian_operator(loss, theta), len(theta)
    density = spectral_density(multiply, size, generator=generator, probes=6, steps=50)
    ends = extreme_eigenvalues(multiply, size, generator=generator, tolerance=1e-3)
    sums, error = trace(multiply, size, generator=generator, probes=50)
    higher = sampled_minimal_ratio(loss, theta, generator=generator, samples=100, radius=0.1)
    numbers = {
        "parameters": size,
        **{f"{split}_accuracy": accuracy for split, (_, accuracy) in scores.items()},
        **{f"{split}_loss": value for split, (value, _) in scores.items()},
        "loss_at_center": float(heights[POINTS // 2, POINTS // 2]),
        "share_of_window_below_chance": float((heights < CHANCE).mean()),
        "local_minima_on_the_plane": local_minima(heights),
        "highest_loss": float(heights.max()),
        "lowest_eigenvalue": float(ends.lowest[0]),
        "highest_eigenvalue": float(ends.highest[-1]),
        "trace": sums,
        "trace_error": error,
        "share_of_higher_neighbors": float(higher[0]),
    }
    report.say(f"{NAMES[skip]}: {numbers}")
    return Landscape(heights, density, numbers)


def local_minima(heights: Array) -> int:
    """Points of the inner grid that are lower than all eight neighbors."""
    inner = heights[1:-1, 1:-1]
    rows, columns = heights.shape
    around = [
        heights[i : rows - 2 + i, j : columns - 2 + j]
        for i in range(3)
        for j in range(3)
        if (i, j) != (1, 1)
    ]
    return int((inner < np.min(around, axis=0)).sum())


def picture(landscapes: dict[bool, Landscape]) -> Figure:
    """The pair of surfaces, and both spectra."""
    note = (
        f"30 layers of {WIDTH} neurons with batch norm, digits; log10 loss on filter-normalized "
        "random directions; white: loss of guessing"
    )
    with styled():
        figure = new_figure(13.2, 5.4, "What skip connections do to a landscape", note)
        for place, (skip, landscape) in enumerate(landscapes.items()):
            axes = figure.add_axes((0.01 + 0.345 * place, 0.03, 0.34, 0.80), projection="3d")
            _relief(axes, landscape.loss)
            accuracy = landscape.numbers["train_accuracy"]
            axes.set_title(f"{NAMES[skip]}\ntraining accuracy {accuracy:.3f}", loc="center", y=1.0)
        _plot_density(figure.add_axes((0.765, 0.14, 0.215, 0.62)), landscapes)
    return figure


def _relief(axes: Any, loss: Array) -> None:
    grid = np.linspace(-HALF_WIDTH, HALF_WIDTH, POINTS)
    a, b = np.meshgrid(grid, grid, indexing="ij")
    height = np.clip(np.log10(loss), LOWEST, HIGHEST)
    floor = LOWEST - 3.0
    axes.computed_zorder = False
    shared: dict[str, Any] = {"vmin": LOWEST, "vmax": HIGHEST, "cmap": HEIGHTS}
    levels = np.linspace(LOWEST, HIGHEST, 25)
    axes.contourf(a, b, height, levels, zdir="z", offset=floor, alpha=0.8, zorder=0, **shared)
    look: dict[str, Any] = {"colors": "white", "linewidths": 1.2}
    axes.contour(a, b, height, [np.log10(CHANCE)], zdir="z", offset=floor, zorder=0.5, **look)
    axes.plot_surface(a, b, height, rcount=POINTS, ccount=POINTS, linewidth=0, **shared)
    axes.set(xlabel="direction 1", ylabel="direction 2", zlabel="log10 loss")
    axes.set_zlim(floor, HIGHEST)
    axes.set_zticks(range(int(LOWEST), int(HIGHEST) + 1, 2))
    axes.locator_params(axis="x", nbins=4)
    axes.locator_params(axis="y", nbins=4)
    axes.view_init(elev=24, azim=-58)
    axes.set_box_aspect((1.0, 1.0, 1.15), zoom=0.9)
    for side in (axes.xaxis, axes.yaxis, axes.zaxis):
        side.pane.set_facecolor("white")


def _plot_density(axes: Axes, landscapes: dict[bool, Landscape]) -> None:
    """Densities per unit of arcsinh: linear in the eigenvalue near 0, in its logarithm far away."""
    every = np.concatenate([one.density.nodes.ravel() for one in landscapes.values()])
    low, high = _bent(every.min()) - 0.5, _bent(every.max()) + 0.5
    grid = np.linspace(low, high, 800)
    for color, (skip, one) in zip(SERIES, landscapes.items(), strict=False):
        bent = SpectralDensity(_bent(one.density.nodes), one.density.weights)
        density, _ = bent.smoothed(grid, 0.2)
        axes.fill_between(grid, FAINTEST, density, color=color, alpha=0.2, linewidth=0)
        axes.plot(grid, density, color=color, linewidth=1.4, label=NAMES[skip].split()[0])
    ticks = [value for value in EIGENVALUES if low <= _bent(value) <= high]
    axes.set_xticks([_bent(value) for value in ticks], [f"{value:g}" for value in ticks])
    axes.axvline(0.0, color=FAINT, linewidth=0.8, linestyle=":")
    axes.set(yscale="log", ylim=(FAINTEST, 100.0), xlim=(low, high), xlabel="eigenvalue")
    axes.set_title("the Hessian's eigenvalues\nat the center: density")
    axes.legend(loc="upper right", handlelength=1.2)


def _bent(eigenvalues: Any) -> Any:
    return np.arcsinh(eigenvalues / UNBENT)


def main() -> None:
    """Both networks, the numbers, the picture."""
    report = Report("skip_surfaces")
    landscapes = {skip: explore(report, skip=skip) for skip in (True, False)}
    report.write(
        {
            "question": "Are landscapes smoother with skip connections?",
            "source": "Li et al. 2018, section 5, on other networks and data",
            "settings": {
                "layers": 2 * BLOCKS + 2,
                "width": WIDTH,
                "batch_size": BATCH_SIZE,
                "epochs": EPOCHS,
                "learning_rate": LEARNING_RATE,
                "seed": SEED,
                "half_width": HALF_WIDTH,
                "points": POINTS,
                "measured_on": f"the first {MEASURED_ON} training images",
            },
            **{NAMES[skip]: one.numbers for skip, one in landscapes.items()},
        }
    )
    save(picture(landscapes), report.picture)


if __name__ == "__main__":
    main()
