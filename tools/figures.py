"""Figures in the prose of pages, from the committed records.

A figure stands between two comments, the first of which says where it comes from:
``<!-- = standard hw4-1/pong ppo mean_return median -->6.4<!-- / -->``. The words are the preset,
the variant, the agent's label, a quantity and a statistic over the seeds; `tools.readme` fills it
in.

Quantities: any score; ``minutes`` of training; ``decisions`` (environment steps) of training;
``return@N``, the mean return of the training episodes that ended in the last `STRETCH` steps before
step N. Statistics: a key of `STATISTICS`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path
from statistics import fmean, median
from typing import TypeAlias

from mlds_bench.leaderboard.results import Result, read_results

RESULTS = Path(__file__).parents[1] / "results"
FIGURE = re.compile(r"(<!-- = (.+?) -->).*?(<!-- / -->)", re.DOTALL)
STRETCH = 200_000
Format: TypeAlias = Callable[[float], str]
WORDS = ("no", "one", "two", "three", "four", "five")


class NoSuchFigure(ValueError):
    """A figure that no record stands behind; one line."""


def filled_in(page: str) -> str:
    """A page with its figures as the records have them."""
    return FIGURE.sub(lambda match: f"{match[1]}{figure(match[2])}{match[3]}", page)


def figure(words: str) -> str:
    """The text of a figure.

    Raises:
        NoSuchFigure: there is no such record, quantity or statistic.
    """
    preset, variant, agent, quantity, statistic = words.split()
    results = _results(preset, variant, agent)
    if statistic == "passed":
        return f"{sum(result.passed for result in results)} of {len(results)}"
    if statistic == "seeds":
        return WORDS[len(results)] if len(results) < len(WORDS) else str(len(results))
    if statistic not in STATISTICS:
        raise NoSuchFigure(
            f"{words}: no statistic {statistic!r}, there are {', '.join(STATISTICS)}"
        )
    values = [_value(result, quantity, words) for result in results]
    return STATISTICS[statistic](values, _format(quantity))


def _results(preset: str, variant: str, agent: str) -> list[Result]:
    found = [
        result
        for result in _committed()
        if (result.task.preset, result.task.variant, result.record.agent)
        == (preset, variant, agent)
    ]
    if not found:
        raise NoSuchFigure(f"no committed record of {agent} on {variant} at {preset}")
    return sorted(found, key=lambda result: result.record.seed)


@cache
def _committed() -> tuple[Result, ...]:
    return read_results(RESULTS).items


def _value(result: Result, quantity: str, words: str) -> float:
    record = result.record
    if quantity == "minutes":
        return (record.cost.train_seconds or 0.0) / 60.0
    if quantity == "decisions":
        return float(record.training.env_steps)
    name, at, step = quantity.partition("@")
    if name == "return" and at:
        return _return_before(result, int(step))
    if quantity not in record.test.scores:
        raise NoSuchFigure(f"{words}: no quantity {quantity!r}")
    return record.test.scores[quantity]


def _return_before(result: Result, step: int) -> float:
    """Mean return of the episodes that ended in the last `STRETCH` steps before; by points of the
    curve where episodes were not counted."""
    curve = result.record.training.curve
    points = [
        (point.episode_return, point.episodes or 1)
        for point in curve
        if 0 <= step - point.env_steps < STRETCH and point.episode_return is not None
    ]
    return sum(mean * count for mean, count in points) / sum(count for _, count in points)


def _format(quantity: str) -> Format:
    if quantity == "decisions":
        return _millions
    return _accuracy if quantity.endswith("accuracy") else _plain


def _accuracy(value: float) -> str:
    """Thousandths: a tenth of a percent is what networks differ by."""
    return f"{value:.3f}"


def _plain(value: float) -> str:
    if abs(value) < 1.0:
        return f"{value:.2f}"
    return f"{value:,.0f}" if abs(value) >= 100.0 else f"{value:.1f}"


def _millions(value: float) -> str:
    return f"{value / 1e6:.1f} million".replace(".0 ", " ")


def _listed(values: Sequence[float], text: Format) -> str:
    """One after the other, in the order of the seeds."""
    *first, last = map(text, values)
    return f"{', '.join(first)} and {last}" if first else last


def _range(values: Sequence[float], text: Format) -> str:
    least, most = text(min(values)), text(max(values))
    return least if least == most else f"{least} to {most}"


STATISTICS: dict[str, Callable[[Sequence[float], Format], str]] = {
    "each": _listed,
    "range": _range,
    "median": lambda values, text: text(median(values)),
    "points": lambda values, _: f"{100.0 * median(values):.2f}",
    "mean": lambda values, text: text(fmean(values)),
    "least": lambda values, text: text(min(values)),
    "most": lambda values, text: text(max(values)),
}
"""Name -> text of some values, one per seed; points are hundredths of the median."""
