"""Figures from results alone: learning curves per variant, against steps and time, and sweeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from itertools import product
from pathlib import Path
from textwrap import wrap
from typing import Any, Protocol
from warnings import warn

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlds_bench.common.canvas import FAINT, FORMATS, SERIES, add_panels, new_figure, save, styled
from mlds_bench.common.names import unknown_name
from mlds_bench.leaderboard.curves import (
    EPISODES,
    Array,
    Curve,
    episodes_of,
    is_error,
    read_claims,
    read_curve,
)
from mlds_bench.leaderboard.fields import one_line
from mlds_bench.leaderboard.lines import THIN, plot_lines, scale, unit_of_time
from mlds_bench.leaderboard.record import NoRecords, slug
from mlds_bench.leaderboard.results import Result, Results, read_results
from mlds_bench.leaderboard.rows import grouped
from mlds_bench.leaderboard.sweeps import find_sweeps, sweep_figure

LOOKS = tuple(product(("-", "--"), SERIES))
"""Line style and color of agents, in turn."""
AXES = ("steps", "time")
DASHES = ("--", "-.", ":", (0, (6, 2, 1, 2, 1, 2)))
"""Of published curves, in turn; they are all gray."""
PANEL, MARGIN = 3.95, 0.9
"""Inches: width of a panel with what is beside it, and of a legend without its letters."""
LETTER, LINE = 0.072, 0.185
"""Inches of a letter of the legend, and from one line of it to the next."""
LONGEST_LABEL = 48


class WrongChoice(ValueError):
    """A choice of what to plot that names nothing; one line."""


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
    results: Sequence[Result],
    published: Sequence[PublishedCurve] = (),
    *,
    against: Sequence[str] = AXES,
) -> Figure | None:
    """How the agents of one variant learned; None if none of them did.

    Args:
        results: of one preset and one variant.
        published: what others published, drawn behind the rest against steps.
        against: the panels, of `AXES`: environment steps, time of training.

    Returns:
        Where the curves of all seeds overlap, a line is their mean and its band reaches from the
        least to the most of them; elsewhere each seed has a thin line of its own. A curve of one
        point is a dot. Validation scores that an agent reported are thin dotted lines, named as its
        own claim. Agents are shown as far as there are `LOOKS`, those that end highest.
    """
    agents = _best_first(results)
    if not agents:
        return None
    task = results[0].task
    what, note = _words(results)
    if published and "steps" in against:
        note += "; gray: published by others"
    if len(agents) > len(LOOKS):
        note += f"; the best {len(LOOKS)} of {len(agents)} agents"
    with styled():
        shown = dict(list(agents.items())[: len(LOOKS)])
        legend = _legend_of(shown, published if "steps" in against else ())
        width, height = _size(legend, len(against))
        title = f"{task.variant}: learning, preset {task.preset}"
        figure = new_figure(width, height, title, _wrapped(note, width))
        panels = add_panels(figure, len(against), right=width - 0.25 - PANEL * len(against))
        for axes, name in zip(panels, against, strict=True):
            _fill(axes, shown, name, errors=is_error(task), published=published)
        panels[0].set_ylabel(what)
        _explain(panels, legend)
    return figure


def write_curves(
    out: str | Path,
    published: Mapping[str, Sequence[PublishedCurve]] | None = None,
    *,
    agents: Sequence[str] | None = None,
    variants: Sequence[str] | None = None,
    against: Sequence[str] = AXES,
    folder: str | Path | None = None,
    form: str = "png",
) -> list[Path]:
    """Writes the learning curves of a run, and its scores against hyper-parameters.

    Files that cannot be read are skipped, with a warning each that says what to do.

    Args:
        out: the folder of the run, `<out>/<preset>/...`.
        published: variant -> the curves that others published for it.
        agents: labels or wildcards of what is drawn; None for all.
        variants: names or wildcards of variants, or names of homeworks; None for all.
        against: the panels, of `AXES`.
        folder: where the figures go; None for `<out>/curves`.
        form: what they are, of `FORMATS`: png, pdf or svg.

    Returns:
        The files written: `<folder>/<preset>/<homework>-<variant>.<form>`, and, for each sweep that
        `find_sweeps` finds, the same with `-<agent>-<hyper-parameter>` before the ending.

    Raises:
        NoRecords: the folder holds no record, or no agent has learned in them.
        WrongChoice: an agent, a variant, an axis or a format that there is none of.
        OSError: the folder cannot be written.
    """
    _check(form, FORMATS, "format")
    for name in against:
        _check(name, AXES, "axis")
    results = read_results(out)
    for problem in results.problems:
        warn(f"skipped {problem}", stacklevel=2)
    chosen = _chosen(_chosen(results, variants, "variant"), agents, "agent")
    groups = grouped(chosen, lambda result: (result.task.preset, result.task.variant))
    written = []
    for (preset, variant), group in groups.items():
        figures = {"": learning_curves(group, (published or {}).get(variant, ()), against=against)}
        for sweep in find_sweeps(group):
            figures[f"-{slug(sweep.agent)}-{slug(sweep.parameter)}"] = sweep_figure(sweep)
        for what, figure in figures.items():
            if figure is not None:
                name = f"{variant.replace('/', '-')}{what}.{form}"
                written.append(save(figure, Path(folder or Path(out, "curves"), preset, name)))
    if not written:
        raise NoRecords(f"{out}: no agent has learned in its records, so there are no curves")
    return written


def _check(name: str, known: Sequence[str], kind: str) -> None:
    if name not in known:
        raise WrongChoice(unknown_name(kind, name, known))


def _chosen(results: Results, patterns: Sequence[str] | None, kind: str) -> Results:
    """Results whose variant or agent one of the patterns names; each pattern names one at least."""
    if patterns is None:
        return results

    def matches(result: Result, pattern: str) -> bool:
        name = str(getattr(result.record, kind))
        is_homework = kind == "variant" and result.task.homework == pattern
        return is_homework or name == pattern or fnmatchcase(name, pattern)

    for pattern in patterns:
        if not any(matches(result, pattern) for result in results):
            known = dict.fromkeys(str(getattr(result.record, kind)) for result in results)
            raise WrongChoice(unknown_name(kind, pattern, known))
    return results.only(lambda result: any(matches(result, pattern) for pattern in patterns))


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
    drawn = [one.record for one in results if one.record.training.curve]
    ended = [r for r in drawn if any(p.episode_return is not None for p in r.training.curve)]
    what = "return per episode" if ended else "reward per step"
    if is_error(results[0].task):
        return f"minus {what}", f"minus {what} as the agent saw it, geometric mean; {band}"
    counted = [episodes_of(record) is not None for record in ended]
    last = f"{EPISODES} episodes or more" if any(counted) else "tenth"
    if any(counted) and not all(counted):
        last += ", or of the last tenth where they were not counted"
    return what, f"{what} as the agent saw it, mean of the last {last}; {band}"


def _legend_of(
    agents: Mapping[str, Learning], published: Sequence[PublishedCurve]
) -> dict[str, str]:
    """Name of a line -> its words in the legend."""
    names = [name for agent, one in agents.items() for name in _names(agent, one)]
    names += [curve.label for curve in published]
    return {name: _shortened(name) for name in names}


def _names(agent: str, one: Learning) -> list[str]:
    return [f"{agent} ({len(one.curves)})", *([f"{agent} (own claim)"] if one.claims else [])]


def _shortened(name: str) -> str:
    """A long name without its middle: its settings end it, and the number of its seeds."""
    name = one_line(name)
    if name.startswith("_"):
        name = f" {name}"  # or else it would be left out of the legend
    if len(name) <= LONGEST_LABEL:
        return name
    half = LONGEST_LABEL // 2
    return f"{name[:half].rstrip()}…{name[1 - half :].lstrip()}"


def _size(legend: Mapping[str, str], panels: int) -> tuple[float, float]:
    """Width and height of the figure in inches: its legend stands to the right of the panels."""
    longest = max(len(words) for words in legend.values())
    width = 0.25 + PANEL * panels + max(MARGIN + LETTER * longest, 2.45)
    return width, max(4.4, 1.9 + LINE * len(legend))


def _wrapped(note: str, width: float) -> str:
    """A note over two lines where one is too short for it."""
    return "\n".join(wrap(note, int(width / 0.075)))


def _fill(
    axes: Axes,
    agents: Mapping[str, Learning],
    name: str,
    *,
    errors: bool,
    published: Sequence[PublishedCurve],
) -> None:
    """One panel: all lines against steps or against time."""
    longest = max(c.seconds[-1] for one in agents.values() for c in (*one.curves, *one.claims))
    size, unit = unit_of_time(float(longest))
    scale(axes, logarithmic=errors, counts=name == "steps")
    for (agent, one), (style, color) in zip(agents.items(), LOOKS, strict=False):
        own, *claim = _names(agent, one)
        look: dict[str, Any] = {"color": color, "linestyle": style}
        sign = -1.0 if errors else 1.0
        lines = [(_along(c, name, size), sign * c.value) for c in one.curves]
        plot_lines(axes, lines, label=own, width=1.6, **look)
        # An error is drawn as it is, its score is reported as a logarithm.
        claims = [(_along(c, name, size), 10.0**c.value if errors else c.value) for c in one.claims]
        if claims:
            look["linestyle"] = ":"
            plot_lines(axes, claims, label=claim[0], width=THIN, **look)
    if not errors:
        axes.set_xlim(left=0.0)
    if name == "steps":
        _plot_published(axes, published)
    axes.set_xlabel("environment steps" if name == "steps" else f"{unit} of training")


def _along(curve: Curve, name: str, size: float) -> Array:
    return curve.steps if name == "steps" else curve.seconds / size


def _explain(panels: Sequence[Axes], legend: Mapping[str, str]) -> None:
    """One legend for all panels, beside the last: the steps alone have published curves."""
    handles = {str(line.get_label()): line for line in panels[0].get_lines()}
    made = panels[-1].legend(
        [handles[name] for name in legend],
        list(legend.values()),
        title="agent (seeds)",
        loc="upper left",
        bbox_to_anchor=(1.02, 1.0),
    )
    for text in made.get_texts():
        text.set_parse_math(False)  # a name with dollars is no formula


def _plot_published(axes: Axes, curves: Sequence[PublishedCurve]) -> None:
    """What others reached after so many steps, within the range that ours show."""
    left, right = axes.get_xlim()
    for curve, dashes in zip(curves, DASHES, strict=False):
        shown = (curve.steps >= left) & (curve.steps <= right)
        look: dict[str, Any] = {"color": FAINT, "linewidth": 1.1, "linestyle": dashes}
        axes.plot(curve.steps[shown], curve.value[shown], zorder=1.0, label=curve.label, **look)
    axes.set_xlim(left, right)
