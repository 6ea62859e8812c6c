"""Panels that pictures of the landscape are put together from: each draws into given axes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.colorbar import Colorbar
from matplotlib.colors import LogNorm, Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patheffects import Normal, Stroke
from matplotlib.ticker import MaxNLocator, PercentFormatter, ScalarFormatter
from scipy.stats import spearmanr

from mlds_bench.common.canvas import ACCENT, FAINT, HEIGHTS, INK, NEGATIVE, POSITIVE, SERIES, SHADES
from mlds_bench.envs.landscape.pictures.scenes import Heights, Scene
from mlds_bench.envs.landscape.pictures.study import Points, Run, Study
from mlds_bench.measures.hessian import TOLERANCE
from mlds_bench.measures.points import Array

LOWEST = 1e-16
"""Bottom of logarithmic axes: below, float64 holds nothing but rounding."""
HIGHEST = 1e3
"""Top of logarithmic axes, in units of the largest starting value."""
UNEVEN = 8
"""If the longest run is this many times as long as a short one, the query axis is logarithmic."""
MOST_STEMS = 64
"""So many eigenvalues are drawn one by one; more become a histogram."""
BINS_A_DECADE, BINS = 5, 60
FEW = 100.0
"""Eigenvalues that differ by more than this factor are drawn on logarithmic axes."""
FEWEST_RANKED = 10
"""A rank correlation is shown for at least this many points."""


def contour(axes: Axes, ground: Heights) -> None:
    """The landscape from above, low ground dark, with a scale beside it."""
    low, high = float(ground.height.min()), float(ground.height.max())
    levels = np.linspace(low, high if high > low else low + 1.0, 25)
    grid = ground.a, ground.b, ground.height.T
    filled = axes.contourf(*grid, levels, cmap=HEIGHTS, alpha=0.75)
    axes.contour(*grid, levels[2::2], colors="white", linewidths=0.5, linestyles="solid")
    axes.set_aspect("equal")
    _scale(axes, filled, ground.label).locator = MaxNLocator(6)


def draw_path(axes: Axes, run: Run, path: Array, color: str, *, is_best: bool) -> None:
    """The path (T, 2) of a run, its start and its end; the best run's is wider."""
    outline = [Stroke(linewidth=4.0 if is_best else 2.6, foreground="white"), Normal()]
    x, y = path.T
    axes.plot(x, y, color=color, linewidth=2.4 if is_best else 1.3, path_effects=outline)
    axes.plot(x[:1], y[:1], "o", color="white", markeredgecolor=color, markersize=5.5)
    marker, size = ("*", 13.0) if run.ending == "solved" else ("X", 8.5)
    axes.plot(x[-1:], y[-1:], marker, color=color, markeredgecolor="white", markersize=size)


def explain_marks(place: Figure | Axes, **where: Any) -> None:
    """A legend of the marks at the ends of paths."""
    gray: dict[str, Any] = {"linestyle": "none", "color": FAINT}
    marks = [
        Line2D([], [], marker="o", markerfacecolor="white", label="start", **gray),
        Line2D([], [], marker="*", markersize=10, label="solved", **gray),
        Line2D([], [], marker="X", markersize=7, label="not solved", **gray),
    ]
    place.legend(handles=marks, ncols=3, handletextpad=0.1, columnspacing=1.2, **where)


def plot_runs(
    study: Study,
    axes: Axes,
    quantity: Callable[[Points], Array],
    title: str,
    *,
    logarithmic: bool = True,
) -> None:
    """A quantity of every traced run against queries, and the median of the runs."""
    series = [quantity(run.points) for run in study.runs]
    starts = max(abs(float(values[0])) for values in series)
    if logarithmic:
        highest = HIGHEST * max(starts, LOWEST)
        lowest = min(max(float(np.concatenate(series).min()), LOWEST), starts or 1.0)
        series = [values.clip(lowest, highest) for values in series]
        axes.set_yscale("log")
    else:
        series = [values.clip(-HIGHEST * starts, HIGHEST * starts) for values in series]
    for index, (run, values) in enumerate(zip(study.runs, series, strict=True)):
        axes.plot(run.queries, values, color=SERIES[index], linewidth=1.1, alpha=0.9)
        marker, size = ("*", 11.0) if run.ending == "solved" else ("X", 7.0)
        axes.plot(
            run.queries[-1:],
            values[-1:],
            marker,
            color=SERIES[index],
            markeredgecolor="white",
            markersize=size,
            clip_on=False,
            zorder=4,
        )
    if len(series) > 2:
        every, middle = _median(study.runs, series)
        axes.plot(every, middle, color=INK, linewidth=2.2, zorder=3)
    _queries_axis(axes, study)
    axes.set_title(title)
    axes.grid(visible=True)


def mark_solved(axes: Axes, level: float) -> None:
    """A line at the value that counts as solved, where the axis can show it."""
    if level <= 0.0 and axes.get_yscale() == "log":
        return
    axes.axhline(level, color=ACCENT, linewidth=1.0, linestyle=(0, (4, 3)))
    axes.annotate(
        "solved",
        (0.0, level),
        (4, 3),
        xycoords=("axes fraction", "data"),
        textcoords="offset points",
        color=ACCENT,
        size=8,
    )


def plot_share(study: Study, axes: Axes) -> None:
    """The share of all instances that are solved against queries."""
    total, longest = len(study.lengths), int(study.lengths.max())
    lengths = np.sort(study.lengths[study.is_solved])
    queries = np.concatenate([[0], lengths, [longest]])
    share = np.concatenate([[0], np.arange(1, len(lengths) + 1), [len(lengths)]]) / total
    axes.fill_between(queries, share, step="post", color=POSITIVE, alpha=0.15, linewidth=0)
    axes.step(queries, share, where="post", color=POSITIVE, linewidth=2.0)
    _queries_axis(axes, study)
    axes.set_ylim(0.0, 1.02)
    axes.yaxis.set_major_formatter(PercentFormatter(1.0))
    axes.set_title(f"solved: {share[-1]:.1%} of {total:,} runs")
    axes.grid(visible=True)


def relief(axes: Any, ground: Heights, scene: Scene) -> None:
    """The landscape in relief above its own map, and the paths of a scene laid on both.

    ``axes`` are three-dimensional ones, for which matplotlib has no types.
    """
    a, b = np.meshgrid(ground.a, ground.b, indexing="ij")
    low, high = float(ground.height.min()), float(ground.height.max())
    height = (high - low) or 1.0
    floor = low - 0.45 * height
    axes.computed_zorder = False
    axes.contourf(
        a, b, ground.height, 20, cmap=HEIGHTS, zdir="z", offset=floor, alpha=0.6, zorder=0
    )
    axes.plot_surface(
        a, b, ground.height, cmap=HEIGHTS, rcount=61, ccount=61, linewidth=0, zorder=1
    )
    for path in scene.paths:
        x, y = path.T
        z = ground.at(path) + 0.01 * height
        outline = [Stroke(linewidth=3.6, foreground="white"), Normal()]
        axes.plot(x, y, floor, color=ACCENT, linewidth=1.2, alpha=0.7, zorder=0.5)
        axes.plot(x, y, z, color=ACCENT, linewidth=2.0, zorder=5, path_effects=outline)
        end = {"color": ACCENT, "markersize": 11, "markeredgecolor": "white", "zorder": 6}
        axes.plot(x[-1:], y[-1:], z[-1:], "o", **end)
    axes.set(xlabel=scene.labels[0], ylabel=scene.labels[1], zlabel=ground.label)
    axes.set_zlim(floor, high)
    axes.locator_params(nbins=5)
    axes.view_init(elev=32, azim=-60)
    axes.set_box_aspect((1.0, 1.0, 0.85), zoom=0.9)
    for side in (axes.xaxis, axes.yaxis, axes.zaxis):
        side.pane.set_facecolor("white")


def plot_spectrum(axes: Axes, spectrum: Array) -> None:
    """Eigenvalues (d,), ascending: one by one, or as a histogram where they are many.

    What counts as zero is drawn at zero; all else on logarithmic axes on both sides of it.
    """
    if not np.isfinite(spectrum).all():
        _say(axes, "the Hessian is not finite")
        return
    size = np.abs(spectrum)
    scale = float(size.max()) or 1.0
    spectrum = np.where(size > TOLERANCE * scale, spectrum, 0.0)
    smallest = float(np.min(size, where=spectrum != 0.0, initial=scale))
    if len(spectrum) <= MOST_STEMS:
        _plot_stems(axes, spectrum, smallest, scale)
    else:
        _plot_histogram(axes, spectrum, smallest, scale)
    axes.grid(visible=True, axis="y")


def _plot_stems(axes: Axes, spectrum: Array, smallest: float, scale: float) -> None:
    rank = np.arange(1, len(spectrum) + 1)
    colors = [_color(value) for value in spectrum]
    axes.vlines(rank, 0.0, spectrum, colors=colors, linewidth=2.0)
    axes.scatter(rank, spectrum, c=colors, s=22, zorder=3)
    axes.axhline(0.0, color=FAINT, linewidth=0.8)
    axes.set(xlabel="rank", ylabel="eigenvalue")
    axes.xaxis.set_major_locator(MaxNLocator(8, integer=True))
    if scale > FEW * smallest:
        axes.set_yscale("symlog", linthresh=smallest, linscale=0.5)
        axes.set_yticks(_powers(spectrum, smallest, scale))
        axes.set_ylim(min(2.0 * float(spectrum.min()), -0.5 * smallest), 2.0 * scale)


def _plot_histogram(axes: Axes, spectrum: Array, smallest: float, scale: float) -> None:
    if scale > FEW * smallest:
        bins = int(BINS_A_DECADE * np.log10(scale / smallest)) + 2
        side = np.geomspace(0.99 * smallest, 1.01 * scale, bins)
        axes.set_xscale("symlog", linthresh=smallest, linscale=0.5)
        axes.set_xticks(_powers(spectrum, smallest, scale))
    else:
        side = np.linspace(0.99 * smallest, 1.01 * scale, BINS)
    edges = np.concatenate([-side[::-1], side])  # between the two sides lies zero
    count, _ = np.histogram(spectrum, edges)
    colors = [_color(middle) for middle in (edges[1:] + edges[:-1]) / 2.0]
    axes.bar(edges[:-1], count, np.diff(edges), align="edge", color=colors)
    axes.set_yscale("symlog", linthresh=1.0, linscale=0.5)
    axes.set(xlabel="eigenvalue", ylabel="eigenvalues in a bin", ylim=(0.0, 1.3 * count.max()))
    left = 1.5 * float(spectrum.min()) if spectrum.min() < 0.0 else -smallest
    axes.set_xlim(left, 1.1 * scale)


def _powers(spectrum: Array, smallest: float, scale: float) -> list[float]:
    """Zero and some powers of ten on both sides of it, none of them near zero."""
    exponents = np.arange(np.floor(np.log10(scale)), np.log10(smallest) + 0.7, -1.0)
    powers = 10.0 ** exponents[:: -(-len(exponents) // 5)]
    return [-p for p in powers if p < -spectrum.min()] + [0.0, *powers]


def plot_ratio(axes: Axes, ends: Points, ratio: Array) -> None:
    """Minimal ratio (K,) of ends against their loss, colored by the gradient norm."""
    axes.set(xlabel="minimal ratio (share of positive eigenvalues)", xlim=(-0.04, 1.04))
    if not len(ends):
        _say(axes, "every run diverged")
        return
    loss, norm = ends.loss, np.maximum(ends.gradient_norm, LOWEST)
    if _spans_decades(loss):
        axes.set_yscale("log")
        loss = np.maximum(loss, LOWEST)
    kind = LogNorm if _spans_decades(norm) else Normalize
    shown = axes.scatter(
        ratio,
        loss,
        c=norm,
        norm=kind(norm.min(), max(norm.max(), 1.001 * norm.min())),
        cmap=SHADES,
        s=36,
        alpha=0.8,
        edgecolors="white",
        linewidths=0.5,
        clip_on=False,
        zorder=3,
    )
    _scale(axes, shown, "gradient norm")
    axes.set(ylabel="loss", title=_about(ends.loss, ratio))
    axes.grid(visible=True)


def _scale(axes: Axes, drawn: Any, label: str) -> Colorbar:
    """A scale of colors to the right of the axes."""
    figure = axes.get_figure()
    assert isinstance(figure, Figure)
    scale = figure.colorbar(drawn, cax=axes.inset_axes((1.03, 0.0, 0.04, 1.0)))
    scale.set_label(label)
    if isinstance(scale.formatter, ScalarFormatter):  # a logarithmic scale has another
        scale.formatter.set_powerlimits((-2, 4))
    return scale


def _about(loss: Array, ratio: Array) -> str:
    first = f"last points of {len(ratio)} runs"
    if len(ratio) < FEWEST_RANKED or np.ptp(loss) == 0.0 or np.ptp(ratio) == 0.0:
        return f"{first}\nmean minimal ratio {ratio.mean():.2f}"
    return f"{first}\nSpearman(loss, minimal ratio) = {spearmanr(loss, ratio).statistic:+.2f}"


def _say(axes: Axes, text: str) -> None:
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", color=FAINT)


def _spans_decades(values: Array) -> bool:
    return bool(values.min() > 0.0 and values.max() > 10.0 * values.min())


def _color(eigenvalue: float) -> str:
    if eigenvalue == 0.0:
        return FAINT
    return POSITIVE if eigenvalue > 0.0 else NEGATIVE


def _queries_axis(axes: Axes, study: Study) -> None:
    """The same axis in all panels of a study."""
    longest = int(study.lengths.max())
    if longest > UNEVEN * np.quantile(study.lengths, 0.1):
        axes.set_xscale("symlog", linthresh=1.0, linscale=0.3)
    else:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set(xlabel="queries", xlim=(0.0, float(longest)))


def _median(runs: tuple[Run, ...], series: list[Array]) -> tuple[npt.NDArray[np.int64], Array]:
    """Median of the runs' values after every traced query; a run that ended stays at its end."""
    every = np.unique(np.concatenate([run.queries for run in runs]))
    rows = [
        values[np.searchsorted(run.queries, every, side="right") - 1]
        for run, values in zip(runs, series, strict=True)
    ]
    return every, np.median(rows, axis=0)
