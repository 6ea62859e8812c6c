"""Scores against a hyper-parameter, from results alone: one agent with many values of it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from mlds_bench.common.canvas import INK, SERIES, add_panels, new_figure, styled
from mlds_bench.leaderboard.curves import Array
from mlds_bench.leaderboard.fields import one_line
from mlds_bench.leaderboard.lines import SMALLEST
from mlds_bench.leaderboard.results import Result
from mlds_bench.leaderboard.rows import grouped

FEWEST = 4
"""Values of a hyper-parameter that make a sweep."""
ACCURACY = "accuracy"
"""Scores whose names end so share a panel."""
STYLES: tuple[Literal["-", "--", ":", "-."], ...] = ("-", "--", ":", "-.")
"""Line styles of what else differs, in turn."""
MOST_TICKS = 7
"""Values have ticks of their own where no two are closer than this part of the axis."""
PANEL, GAP, LEFT, HEIGHT, NARROWEST = 3.3, 0.75, 0.7, 4.2, 6.2
"""Inches: width of a panel, between two, before the first; height and least width of a figure."""
LETTER = 0.072
"""Inches of a letter of the legend."""
LONGEST_LABEL = 48


@dataclass(frozen=True)
class Sweep:
    """One agent on one variant with many values of one hyper-parameter.

    Attributes:
        agent: its name, without what was set.
        parameter: the hyper-parameter.
        lines: what else was set -> the results that share it, at least `FEWEST` values of the
            hyper-parameter each; the name is empty where nothing else differs.
    """

    agent: str
    parameter: str
    lines: Mapping[str, tuple[Result, ...]]


def find_sweeps(results: Sequence[Result]) -> list[Sweep]:
    """The sweeps among the results of one preset and one variant, by agent and hyper-parameter.

    Hyper-parameters that follow the swept one (the epochs that a batch size takes) are no
    difference; those that vary beside it make lines of their own.

    Args:
        results: of one preset and one variant; those without scores count nowhere.
    """
    scored = [result for result in results if result.state == "ok"]
    families = grouped(scored, lambda result: result.record.agent.partition("@")[0])
    return [
        Sweep(agent, name, lines)
        for agent, members in families.items()
        for name in _numbers(members)
        if (lines := _lines(members, name))
    ]


def sweep_figure(sweep: Sweep) -> Figure:
    """Every score of the variant against the hyper-parameter.

    Returns:
        Accuracies share the first panel, every other score has one of its own. A line is the mean
        over the seeds, its band reaches from the least to the most of them. Accuracies lie between
        0 and 1. Any other axis is logarithmic where its values are positive and span more than a
        decade; a mean there is that of the logarithms.
    """
    shown = dict(list(sweep.lines.items())[: len(STYLES)])
    results = [result for members in shown.values() for result in members]
    task, panels, legend = results[0].task, _panels(results), _legend(sweep, _panels(results))
    seeds = len({result.record.seed for result in results})
    note = "one seed" if seeds == 1 else f"mean of {seeds} seeds; band: least and most of them"
    if len(shown) < len(sweep.lines):
        note += f"; the first {len(shown)} of {len(sweep.lines)} settings"
    right = 0.7 + LETTER * max(map(len, legend)) if legend else 0.3
    width = LEFT + len(panels) * (PANEL + GAP) - GAP + right
    with styled():
        title = f"{task.variant}: {one_line(sweep.agent)}, preset {task.preset}"
        figure = new_figure(max(width, NARROWEST), HEIGHT, title, note)
        drawn = add_panels(figure, len(panels), left=LEFT, right=right, gap=GAP)
        for axes, names in zip(drawn, panels, strict=True):
            _fill(axes, shown, sweep.parameter, names)
        if legend:
            _explain(drawn[-1], legend)
    return figure


def is_logarithmic(values: Iterable[float]) -> bool:
    """Whether values are positive and span more than a decade."""
    known = list(values)
    return min(known) > 0.0 and max(known) > 10.0 * min(known)


def _value(result: Result, name: str) -> float | None:
    """A hyper-parameter where it is a number; True is none."""
    value = result.record.training.params.get(name)
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def _numbers(members: Sequence[Result]) -> list[str]:
    """Hyper-parameters with enough different values, all of them numbers."""
    names = dict.fromkeys(name for one in members for name in one.record.training.params)
    found = []
    for name in names:
        values = [_value(one, name) for one in members]
        if None not in values and len(set(values)) >= FEWEST:
            found.append(name)
    return found


def _lines(members: Sequence[Result], name: str) -> dict[str, tuple[Result, ...]]:
    """Members that share what varies beside the hyper-parameter, where they have enough values."""
    beside = [
        other
        for other in dict.fromkeys(key for one in members for key in one.record.training.params)
        if other != name and _varies_beside(members, other, name)
    ]

    def setting(one: Result) -> str:
        params = one.record.training.params
        return ", ".join(f"{other}={_text(params.get(other))}" for other in beside)

    groups = grouped(members, setting)
    return {
        words: tuple(group)
        for words, group in groups.items()
        if len({_value(one, name) for one in group}) >= FEWEST
    }


def _varies_beside(members: Sequence[Result], other: str, name: str) -> bool:
    at = grouped(members, lambda one: _value(one, name))
    return any(
        len({_text(one.record.training.params.get(other)) for one in group}) > 1
        for group in at.values()
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _panels(results: Sequence[Result]) -> list[list[str]]:
    """Names of the scores of every panel, in the order of the task."""
    known = {name for result in results for name in result.record.test.scores}
    names = [score.name for score in results[0].task.scores if score.name in known]
    shared = [name for name in names if name.endswith(ACCURACY)]
    return ([shared] if shared else []) + [[name] for name in names if name not in shared]


def _legend(sweep: Sweep, panels: Sequence[Sequence[str]]) -> dict[str, Line2D]:
    """What has to be told apart: scores of one panel by color, settings by line style."""
    shared = next((names for names in panels if len(names) > 1), [])
    made = {
        name: Line2D([], [], color=color, linewidth=1.6, marker="o", markersize=3.5)
        for name, color in zip(shared, SERIES, strict=False)
    }
    if len(sweep.lines) > 1:
        for words, style in zip(sweep.lines, STYLES, strict=False):
            made[one_line(words, LONGEST_LABEL)] = Line2D([], [], color=INK, linestyle=style)
    return made


def _fill(
    axes: Axes, lines: Mapping[str, Sequence[Result]], parameter: str, names: Sequence[str]
) -> None:
    """One panel."""
    drawn = [
        (style, color, name, rows)
        for style, members in zip(STYLES, lines.values(), strict=False)
        for color, name in zip(SERIES, names, strict=False)
        if (rows := _rows(members, parameter, name))
    ]
    x = sorted({place for *_, rows in drawn for place in rows})
    y = [value for *_, rows in drawn for values in rows.values() for value in values]
    axes.grid(visible=True, axis="y")
    is_share = names[0].endswith(ACCURACY)
    logarithmic = not is_share and is_logarithmic(y)
    if logarithmic:
        axes.set_yscale("log")
    if is_share:
        axes.set_ylim(-0.02, 1.02)
    if is_logarithmic(x):
        axes.set_xscale("log")
    if _have_room(np.log(x) if is_logarithmic(x) else np.array(x)):
        axes.xaxis.set_major_locator(FixedLocator(x))
        axes.xaxis.set_minor_locator(NullLocator())
        axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.10g}"))
    for style, color, name, rows in drawn:
        middle, low, high = _band(list(rows.values()), logarithmic=logarithmic)
        look: dict[str, Any] = {"color": color, "linestyle": style, "label": name}
        axes.plot(list(rows), middle, linewidth=1.6, marker="o", markersize=3.5, **look)
        if len(max(rows.values(), key=len)) > 1:
            axes.fill_between(list(rows), low, high, color=color, alpha=0.15, linewidth=0)
    axes.set(xlabel=one_line(parameter), title=names[0] if len(names) == 1 else ACCURACY)


def _have_room(places: Array) -> bool:
    """Whether a tick at each of these places leaves room for its number."""
    return bool(np.diff(places).min() >= np.ptp(places) / MOST_TICKS)


def _rows(members: Sequence[Result], parameter: str, name: str) -> dict[float, list[float]]:
    """Values of a score at every value of the hyper-parameter, rising."""
    scored = [one for one in members if name in one.record.test.scores]
    at = grouped(scored, lambda one: _value(one, parameter) or 0.0)
    return {place: [one.record.test.scores[name] for one in at[place]] for place in sorted(at)}


def _band(rows: Sequence[Sequence[float]], *, logarithmic: bool) -> tuple[Array, Array, Array]:
    """Mean, least and most of every row."""
    least, most = (np.array([end(row) for row in rows], np.float64) for end in (min, max))
    if not logarithmic:
        return np.array([np.mean(row) for row in rows], np.float64), least, most
    middle = [np.exp(np.mean(np.log(np.maximum(row, SMALLEST)))) for row in rows]
    return np.array(middle, np.float64), least, most


def _explain(axes: Axes, legend: Mapping[str, Line2D]) -> None:
    """One legend for all panels, beside the last."""
    made = axes.legend(
        list(legend.values()), list(legend), loc="upper left", bbox_to_anchor=(1.02, 1.0)
    )
    for text in made.get_texts():
        text.set_parse_math(False)  # a name with dollars is no formula
