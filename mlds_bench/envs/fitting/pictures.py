"""The picture of a test: the fit over its target, and how far it is off."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure

from mlds_bench.common.canvas import (
    ACCENT,
    HEIGHTS,
    INK,
    POSITIVE,
    SHADES,
    add_panels,
    new_figure,
    save,
    styled,
)
from mlds_bench.envs.core import Recorder
from mlds_bench.envs.fitting.scoring import predictions
from mlds_bench.envs.fitting.specs import Array, Settings

LINE_POINTS = 4_000
"""Most points of a line: more than a picture has columns."""
BINS = {1: 400, 2: 128}
"""Most bins along an axis in which the largest error is shown, by dimension."""
DECADE = 10.0
"""Errors that differ by more than this factor are shown by their logarithms."""
SMALLEST = 1e-16
"""Bottom of the errors shown: below, float64 holds nothing but rounding."""


def draw(recording: Recorder, folder: Path, settings: Settings) -> list[Path]:
    """Write ``fit.png`` and return its path.

    Args:
        recording: of the test split.
        folder: an existing folder.
        settings: of the environment.
    """
    with styled():
        return [save(fit(recording, settings), folder / "fit.png")]


def watched_instances(settings: Settings) -> int:
    """Instances that have to play for the picture: the whole grid of the test."""
    return settings.test_points


def fit(recording: Recorder, settings: Settings) -> Figure:
    """The predictions of a test over the function, and the largest errors.

    Args:
        recording: of the test split.
        settings: of the environment.
    """
    target = settings.make_target()
    x, predicted, truth = predictions(recording, target)
    error = np.abs(predicted - truth)
    off = f"root mean squared error {np.sqrt(np.mean(error**2)):.3g}, largest {error.max():.3g}"
    note = f"{target.formula}; {off}, at {len(x):,} points"
    figure = new_figure(10.6, 4.6, f"{target.name}: the fit", note)
    if target.dimension == 1:
        left, right = add_panels(figure, 2)
        _plot_fit(left, x[:, 0], predicted, truth)
        _plot_error(right, x[:, 0], error)
    else:
        left, right = add_panels(figure, 2, right=1.1, gap=1.7)
        _show_fit(left, x, predicted, truth)
        _show_error(right, x, error)
    return figure


def _plot_fit(axes: Axes, x: Array, predicted: Array, truth: Array) -> None:
    order = np.argsort(x, kind="stable")
    some = order[np.linspace(0, len(x) - 1, min(len(x), LINE_POINTS)).round().astype(int)]
    looks: tuple[tuple[str, Array, str, dict[str, Any]], ...] = (
        ("agent", predicted, ACCENT, {"linewidth": 1.8}),
        ("function", truth, INK, {"linewidth": 1.0, "linestyle": (0, (4, 2))}),
    )
    for label, y, color, look in looks:
        dot = {"marker": "o"} if len(some) == 1 else look
        axes.plot(x[some], y[some], color=color, label=label, **dot)
    axes.legend(loc="lower right", bbox_to_anchor=(1.0, 1.0), ncols=2, borderaxespad=0.2)
    axes.set(xlabel="x", ylabel="y", title="")
    axes.grid(visible=True, axis="y")


def _plot_error(axes: Axes, x: Array, error: Array) -> None:
    bins = min(BINS[1], max(len(x) // 4, 1))
    largest = np.zeros(bins)
    np.maximum.at(largest, _bin(x, bins), error)
    middle = (np.arange(bins) + 0.5) / bins
    largest = np.maximum(largest, SMALLEST)
    if largest.max() > DECADE * largest.min():
        axes.semilogy()
    style = "-" if bins > 1 else "o"
    axes.plot(middle, largest, style, color=POSITIVE, linewidth=1.1)
    axes.set(xlabel="x", title=f"largest error within 1/{bins}")
    axes.grid(visible=True, axis="y")


def _show_fit(axes: Axes, x: Array, predicted: Array, truth: Array) -> None:
    places, side = _cells(x)
    total = np.bincount(places, predicted, side**2)
    with np.errstate(invalid="ignore"):
        mean = total / np.bincount(places, minlength=side**2)
    norm = Normalize(float(truth.min()), float(truth.max()))
    _show(axes, mean, norm, HEIGHTS, "mean prediction")
    axes.set_title("the agent, in the colors of the function")


def _show_error(axes: Axes, x: Array, error: Array) -> None:
    places, side = _cells(x)
    largest = np.full(side**2, np.nan)
    np.fmax.at(largest, places, np.maximum(error, SMALLEST))
    low, high = np.nanmin(largest), np.nanmax(largest)
    norm = LogNorm(low, high) if high > DECADE * low else Normalize(low, high)
    _show(axes, largest, norm, SHADES, "largest error")
    axes.set_title(f"largest error within 1/{side} x 1/{side}")


def _show(axes: Axes, values: Array, norm: Normalize, colors: str, label: str) -> None:
    """An image of values (side * side,) over the unit square, with its scale."""
    figure, side = axes.get_figure(), round(len(values) ** 0.5)
    assert isinstance(figure, Figure)
    image = values.reshape(side, side).T
    shown = axes.imshow(image, norm=norm, cmap=colors, origin="lower", extent=(0, 1, 0, 1))
    scale = figure.colorbar(shown, cax=axes.inset_axes((1.03, 0.0, 0.04, 1.0)))
    scale.set_label(label)
    axes.set(xlabel="x1", ylabel="x2")


def _cells(x: Array) -> tuple[np.ndarray[tuple[int], np.dtype[np.int64]], int]:
    """The cell of each point (n, 2), numbered, and how many there are along an axis."""
    side = min(BINS[2], max(int(len(x) ** 0.5) // 2, 1))
    return _bin(x[:, 0], side) * side + _bin(x[:, 1], side), side


def _bin(x: Array, bins: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.clip((x * bins).astype(np.int64), 0, bins - 1)
