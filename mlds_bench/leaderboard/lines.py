"""Lines of a figure: the mean of several seeds with its band, single seeds where they differ."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import FuncFormatter, LogFormatter, MaxNLocator

from mlds_bench.leaderboard.curves import Array

GRID = 200
"""Places at which the curves of several seeds are averaged."""
THIN = 0.8
"""Width of the lines of single seeds, and of what agents claim."""
SMALLEST = 1e-30
"""Least value on a logarithmic axis: the square of a float64's rounding."""
Line = tuple[Array, Array]
UNITS = ((120.0, 1.0, "seconds"), (7_200.0, 60.0, "minutes"), (np.inf, 3_600.0, "hours"))
"""Up to so many seconds, in units of so many seconds, which are called so."""


def unit_of_time(longest: float) -> tuple[float, str]:
    """Seconds per unit, and the name of the unit, for an axis up to so many seconds."""
    return next((size, name) for most, size, name in UNITS if longest <= most)


def scale(axes: Axes, *, logarithmic: bool, counts: bool) -> None:
    """Set the scales of empty axes: from 0 on, or logarithmic.

    Args:
        axes: without lines yet: limits that are set later follow from the lines.
        logarithmic: whether both axes are.
        counts: whether the horizontal axis counts things, and so has whole ticks.
    """
    axes.grid(visible=True, axis="y")
    if logarithmic:
        axes.loglog()
        for axis in (axes.xaxis, axes.yaxis):  # 9e-02 is narrower than 9 x 10^-2
            axis.set_minor_formatter(LogFormatter(minor_thresholds=(1, 0.4)))
    elif counts:
        axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: short_count(value)))


def short_count(value: float) -> str:
    """A count on an axis: 800, 10k, 2.5M."""
    for size, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= size:
            return f"{value / size:g}{letter}"
    return f"{value:g}"


def plot_lines(axes: Axes, lines: Sequence[Line], *, label: str, width: float, **look: Any) -> None:
    """Draw the mean of some lines over what all share, with its band, and single lines elsewhere.

    On a logarithmic axis the mean is that of the logarithms. A line of one point is a dot.

    Args:
        axes: where; its scale is set.
        lines: x (T,), rising, and y (T,) of each.
        label: of all of them together.
        width: of the mean.
        **look: color and line style.
    """
    logarithmic = axes.get_yscale() == "log"
    shown = [_positive(*line) for line in lines] if logarithmic else list(lines)
    shown = [line for line in shown if len(line[0])]
    dots = [line for line in shown if len(line[0]) == 1]
    curves = [line for line in shown if len(line[0]) > 1]
    if not curves or not _plot_mean(axes, curves, label=label, width=width, look=look):
        axes.plot([], [], label=label, linewidth=width, marker="" if curves else "o", **look)
    for x, y in dots:
        axes.plot(x, y, "o", color=look["color"], markersize=4.0)


def _plot_mean(
    axes: Axes, lines: Sequence[Line], *, label: str, width: float, look: dict[str, Any]
) -> bool:
    """Draw lines of two points and more; returns whether they share anything that has a mean."""
    logarithmic = axes.get_yscale() == "log"
    to, back = (np.log10, lambda v: np.power(10.0, v)) if logarithmic else (_same, _same)
    flat = [(to(x), to(y)) for x, y in lines]
    begin, end = max(x[0] for x, _ in flat), min(x[-1] for x, _ in flat)
    rest = flat
    if begin < end:
        grid = np.linspace(begin, end, GRID)
        values = np.array([np.interp(grid, x, y) for x, y in flat])
        axes.plot(back(grid), back(values.mean(0)), label=label, linewidth=width, **look)
        if len(lines) > 1:
            low, high = back(values.min(0)), back(values.max(0))
            axes.fill_between(back(grid), low, high, color=look["color"], alpha=0.15, linewidth=0)
        rest = [part for line in flat for part in _outside(*line, begin, end)]
    for x, y in rest:
        axes.plot(back(x), back(y), linewidth=min(width, THIN), **look)
    return bool(begin < end)


def _same(values: Array) -> Array:
    return values


def _positive(x: Array, y: Array) -> Line:
    """What a logarithmic axis can show of a line."""
    kept = x > 0.0
    return x[kept], np.maximum(y[kept], SMALLEST)


def _outside(x: Array, y: Array, begin: float, end: float) -> list[Line]:
    """The parts of a line before and after what all share, up to its edge."""
    parts = []
    if x[0] < begin:
        before = x < begin
        parts.append((np.append(x[before], begin), np.append(y[before], np.interp(begin, x, y))))
    if x[-1] > end:
        after = x > end
        parts.append((np.append(end, x[after]), np.append(np.interp(end, x, y), y[after])))
    return parts
