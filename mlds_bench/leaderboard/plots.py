"""Learning curves from records alone: a figure a variant, against steps and against time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import EngFormatter

from mlds_bench.common.canvas import FAINT, SERIES, add_panels, new_figure, save, styled
from mlds_bench.leaderboard.curves import EPISODES, Array, Curve, episodes_of, is_error, read_curve
from mlds_bench.leaderboard.record import NoRecords, Record, read_records
from mlds_bench.leaderboard.rows import grouped

GRID = 200
"""Places at which the curves of several seeds are compared."""
LOOKS = tuple(product(("-", "--"), SERIES))
"""Line style and colour of agents, in turn."""
AXES = ("steps", "minutes")
DASHES = ("--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)))
"""Of published curves, in turn; they are all grey."""


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
    records: Sequence[Record], published: Sequence[PublishedCurve] = ()
) -> Figure | None:
    """How the agents of one variant learnt; None if none of them did.

    Args:
        records: of one preset and one variant.
        published: what others published, drawn behind the rest against steps.

    Returns:
        Two panels: against environment steps, and against minutes of training. A line is the mean
        over seeds, its band reaches from the least to the most of them. Agents are shown as far
        as there are `LOOKS`, those that end highest.
    """
    curves = _best_first(records)
    if not curves:
        return None
    first = records[0]
    what, note = _words(records)
    if published:
        note += "; grey: published by others"
    if len(curves) > len(LOOKS):
        note += f"; the best {len(LOOKS)} of {len(curves)} agents"
    with styled():
        figure = new_figure(10.6, 4.4, f"{first.variant}: learning, preset {first.preset}", note)
        by_steps, by_time = panels = add_panels(figure, 2, right=2.6)
        for axes, name in zip(panels, AXES, strict=True):
            _plot_agents(axes, curves, name, sign=-1.0 if is_error(first) else 1.0)
        _plot_published(by_steps, published, legend_of=by_time)
        by_steps.set(xlabel="environment steps", ylabel=what)
        by_time.set(xlabel="minutes of training")
        for axes in panels:
            _scale(axes, logarithmic=is_error(first))
        by_time.legend(title="agent (seeds)", loc="upper left", bbox_to_anchor=(1.02, 1.0))
    return figure


def write_curves(
    out: str | Path, published: Mapping[str, Sequence[PublishedCurve]] | None = None
) -> list[Path]:
    """Writes the learning curves of a run below its folder.

    Args:
        out: the folder of the run, `<out>/<preset>/...`.
        published: variant -> the curves that others published for it.

    Returns:
        The files written: `<out>/curves/<preset>/<homework>-<variant>.png`.

    Raises:
        NoRecords: the folder holds no record, or nobody has learnt in them.
        TornRecord: one of the files is no record.
        OSError: the folder cannot be written.
    """
    groups = grouped(read_records(out), lambda record: (record.preset, record.variant))
    written = []
    for (preset, variant), records in groups.items():
        figure = learning_curves(records, (published or {}).get(variant, ()))
        if figure is not None:
            path = Path(out, "curves", preset, f"{variant.replace('/', '-')}.png")
            path.parent.mkdir(parents=True, exist_ok=True)
            written.append(save(figure, path))
    if not written:
        raise NoRecords(f"{out}: no agent has learnt in its records, so there are no curves")
    return written


def _best_first(records: Sequence[Record]) -> dict[str, list[Curve]]:
    """The curves of every agent that has any, those first that end highest."""
    read = partial(read_curve, by_episodes=_by_episodes(records))
    found = {
        agent: [curve for curve in map(read, members) if curve]
        for agent, members in grouped(records, lambda record: record.agent).items()
    }
    ends = {
        a: np.mean([curve.value[-1] for curve in curves]) for a, curves in found.items() if curves
    }
    return {agent: found[agent] for agent in sorted(ends, key=lambda agent: -ends[agent])}


def _by_episodes(records: Sequence[Record]) -> bool:
    """Whether all that is shown can be averaged over episodes."""
    return all(episodes_of(record) is not None for record in records)


def _words(records: Sequence[Record]) -> tuple[str, str]:
    """What the curves show, for an axis, and how it is averaged, for a note."""
    knows_returns = any(p.episode_return is not None for r in records for p in r.curve)
    what = "return of an episode" if knows_returns else "reward of a step"
    by_episodes = knows_returns and _by_episodes(records)
    last = f"{EPISODES} episodes or more" if by_episodes else "tenth"
    what, over = (
        (f"minus {what}", "") if is_error(records[0]) else (what, f", mean of the last {last}")
    )
    return what, f"{what} as the agent saw it{over}; band: least and most of the seeds"


def _plot_agents(axes: Axes, curves: Mapping[str, list[Curve]], name: str, sign: float) -> None:
    """Against the attribute ``name`` of the curves, as many agents as there are looks."""
    for (agent, members), (style, colour) in zip(curves.items(), LOOKS, strict=False):
        lines = [(getattr(curve, name), sign * curve.value) for curve in members]
        _plot(axes, lines, f"{agent} ({len(members)})", color=colour, linestyle=style)


def _scale(axes: Axes, *, logarithmic: bool) -> None:
    axes.grid(visible=True, axis="y")
    if logarithmic:
        axes.loglog()
    else:
        axes.set_xlim(left=0.0)
        axes.xaxis.set_major_formatter(EngFormatter(sep=""))


def _plot(
    axes: Axes, lines: Sequence[tuple[Array, Array]], label: str, *, color: str, linestyle: str
) -> None:
    """The mean of some lines over what they share, and the band that they fill."""
    grid = np.linspace(max(x[0] for x, _ in lines), min(x[-1] for x, _ in lines), GRID)
    values = np.array([np.interp(grid, x, y) for x, y in lines])
    axes.plot(grid, values.mean(0), linewidth=1.6, label=label, color=color, linestyle=linestyle)
    if len(lines) > 1:
        axes.fill_between(grid, values.min(0), values.max(0), color=color, alpha=0.15, linewidth=0)


def _plot_published(axes: Axes, curves: Sequence[PublishedCurve], *, legend_of: Axes) -> None:
    """As far as others were after so many steps, within what is shown; named in another legend."""
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
