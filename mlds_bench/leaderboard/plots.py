"""Learning curves from results alone: a figure per variant, against steps and against time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Protocol
from warnings import warn

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from mlds_bench.common.canvas import FAINT, SERIES, add_panels, new_figure, save, styled
from mlds_bench.leaderboard.curves import (
    EPISODES,
    Array,
    Curve,
    episodes_of,
    is_error,
    read_claims,
    read_curve,
)
from mlds_bench.leaderboard.record import NoRecords
from mlds_bench.leaderboard.results import Result, read_results
from mlds_bench.leaderboard.rows import grouped

GRID = 200
"""Places at which the curves of several seeds are averaged."""
LOOKS = tuple(product(("-", "--"), SERIES))
"""Line style and color of agents, in turn."""
AXES = ("steps", "minutes")
THIN = 0.8
"""Width of the lines of single seeds, and of what agents claim."""
DASHES = ("--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)))
"""Of published curves, in turn; they are all gray."""


@dataclass(frozen=True)
class Learning:
    """What is drawn of one agent.

    Attributes:
        curves: one per seed that has any.
        claims: the validation scores that it reported, one curve per seed that has any.
    """

    curves: tuple[Curve, ...]
    claims: tuple[Curve, ...]


class PublishedCurve(Protocol):
    """A learning curve that others published: label, (T,) environment steps and (T,) value."""

    @property
    def label(self) -> str:
        """Agent and source, for the legend."""

    @property
    def steps(self) -> Array:
        """Environment steps, rising."""

    @property
    def value(self) -> Array:
        """What the axis shows of our agents, too."""


def learning_curves(
    results: Sequence[Result], published: Sequence[PublishedCurve] = ()
) -> Figure | None:
    """How the agents of one variant learned; None if none of them did.

    Args:
        results: of one preset and one variant.
        published: what others published, drawn behind the rest against steps.

    Returns:
        Two panels: against environment steps, and against minutes of training. Where the curves of
        all seeds overlap, a line is their mean and its band reaches from the least to the most of
        them; elsewhere each seed has a thin line of its own. Validation scores that an agent
        reported are thin dotted lines, named as its own claim. Agents are shown as far as there
        are `LOOKS`, those that end highest.
    """
    agents = _best_first(results)
    if not agents:
        return None
    task = results[0].task
    what, note = _words(results)
    if published:
        note += "; gray: published by others"
    if len(agents) > len(LOOKS):
        note += f"; the best {len(LOOKS)} of {len(agents)} agents"
    with styled():
        figure = new_figure(10.6, 4.4, f"{task.variant}: learning, preset {task.preset}", note)
        by_steps, by_time = panels = add_panels(figure, 2, right=2.6)
        for axes, name in zip(panels, AXES, strict=True):
            _plot_agents(axes, agents, name, errors=is_error(task))
        if published:
            _plot_published(by_steps, published, legend_of=by_time)
        by_steps.set(xlabel="environment steps", ylabel=what)
        by_time.set(xlabel="minutes of training")
        for axes in panels:
            _scale(axes, logarithmic=is_error(task))
        by_time.legend(title="agent (seeds)", loc="upper left", bbox_to_anchor=(1.02, 1.0))
    return figure


def write_curves(
    out: str | Path, published: Mapping[str, Sequence[PublishedCurve]] | None = None
) -> list[Path]:
    """Writes the learning curves of a run below its folder.

    Files that cannot be read are skipped, with a warning each that says what to do.

    Args:
        out: the folder of the run, `<out>/<preset>/...`.
        published: variant -> the curves that others published for it.

    Returns:
        The files written: `<out>/curves/<preset>/<homework>-<variant>.png`.

    Raises:
        NoRecords: the folder holds no record, or no agent has learned in them.
        OSError: the folder cannot be written.
    """
    results = read_results(out)
    for problem in results.problems:
        warn(f"skipped {problem}", stacklevel=2)
    groups = grouped(results, lambda result: (result.task.preset, result.task.variant))
    written = []
    for (preset, variant), group in groups.items():
        figure = learning_curves(group, (published or {}).get(variant, ()))
        if figure is not None:
            path = Path(out, "curves", preset, f"{variant.replace('/', '-')}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(save(figure, path))
    if not written:
        raise NoRecords(f"{out}: no agent has learned in its records, so there are no curves")
    return written


def _best_first(results: Sequence[Result]) -> dict[str, Learning]:
    """What is drawn of every agent that has a curve, those first that end highest."""
    found = {}
    for agent, members in grouped(results, lambda result: result.record.agent).items():
        curves = [curve for one in members if (curve := read_curve(one.record, one.task))]
        claims = [claim for one in members if (claim := read_claims(one.record))]
        if curves:
            found[agent] = Learning(tuple(curves), tuple(claims))
    ends = {
        agent: np.mean([curve.value[-1] for curve in one.curves]) for agent, one in found.items()
    }
    return {agent: found[agent] for agent in sorted(ends, key=lambda agent: -ends[agent])}


def _words(results: Sequence[Result]) -> tuple[str, str]:
    """What the curves show, for an axis, and how it is averaged, for a note."""
    band = "band: least and most of the seeds"
    drawn = [one.record for one in results if len(one.record.training.curve) > 1]
    ended = [r for r in drawn if any(p.episode_return is not None for p in r.training.curve)]
    what = "return per episode" if ended else "reward per step"
    if is_error(results[0].task):
        return f"minus {what}", f"minus {what} as the agent saw it; {band}"
    counted = [episodes_of(record) is not None for record in ended]
    last = f"{EPISODES} episodes or more" if any(counted) else "tenth"
    if any(counted) and not all(counted):
        last += ", or of the last tenth where they were not counted"
    return what, f"{what} as the agent saw it, mean of the last {last}; {band}"


def _plot_agents(axes: Axes, agents: Mapping[str, Learning], name: str, *, errors: bool) -> None:
    """Against the attribute ``name`` of the curves, as many agents as there are looks."""
    sign = -1.0 if errors else 1.0
    for (agent, one), (style, color) in zip(agents.items(), LOOKS, strict=False):
        lines = [(getattr(curve, name), sign * curve.value) for curve in one.curves]
        label = f"{agent} ({len(lines)})"
        _plot(axes, lines, color=color, linestyle=style, linewidth=1.6, label=label)
        # An error is drawn as it is, its score is reported as a logarithm.
        claims = [(getattr(c, name), 10.0**c.value if errors else c.value) for c in one.claims]
        if claims:
            label = f"{agent} (own claim)"
            _plot(axes, claims, color=color, linestyle=":", linewidth=THIN, label=label)


def _scale(axes: Axes, *, logarithmic: bool) -> None:
    axes.grid(visible=True, axis="y")
    if logarithmic:
        axes.loglog()
    else:
        axes.set_xlim(left=0.0)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))


def _plot(
    axes: Axes, lines: Sequence[tuple[Array, Array]], *, label: str, linewidth: float, **look: Any
) -> None:
    """The mean of some lines over what they all share with its band, and single lines elsewhere."""
    begin, end = max(x[0] for x, _ in lines), min(x[-1] for x, _ in lines)
    rest = lines
    if begin < end:
        grid = np.linspace(begin, end, GRID)
        values = np.array([np.interp(grid, x, y) for x, y in lines])
        axes.plot(grid, values.mean(0), label=label, linewidth=linewidth, **look)
        if len(lines) > 1:
            low, high = values.min(0), values.max(0)
            axes.fill_between(grid, low, high, color=look["color"], alpha=0.15, linewidth=0)
        rest = [part for line in lines for part in _outside(*line, begin, end)]
    else:
        axes.plot([], [], label=label, linewidth=linewidth, **look)
    for x, y in rest:
        axes.plot(x, y, linewidth=min(linewidth, THIN), **look)


def _outside(x: Array, y: Array, begin: float, end: float) -> list[tuple[Array, Array]]:
    """The parts of a line before and after what all share, up to its edge."""
    parts = []
    if x[0] < begin:
        before = x < begin
        parts.append((np.append(x[before], begin), np.append(y[before], np.interp(begin, x, y))))
    if x[-1] > end:
        after = x > end
        parts.append((np.append(end, x[after]), np.append(np.interp(end, x, y), y[after])))
    return parts


def _plot_published(axes: Axes, curves: Sequence[PublishedCurve], *, legend_of: Axes) -> None:
    """What others reached after so many steps, within the range shown; named in another legend."""
    left, right = axes.get_xlim()
    for curve, dashes in zip(curves, DASHES, strict=False):
        shown = curve.steps <= right
        look: dict[str, Any] = {
            "color": FAINT,
            "linewidth": 1.1,
            "linestyle": dashes,
            "label": curve.label,
        }
        axes.plot(curve.steps[shown], curve.value[shown], zorder=1.0, **look)
        legend_of.plot([], [], **look)
    axes.set_xlim(left, right)
