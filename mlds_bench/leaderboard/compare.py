"""Two agents, or two folders of records, side by side on the variants they share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np

from mlds_bench.common.names import unknown_name
from mlds_bench.leaderboard import stats
from mlds_bench.leaderboard.record import NoRecords
from mlds_bench.leaderboard.render import (
    ABSENT,
    Column,
    Page,
    Row,
    Table,
    Value,
    arrow,
    fixed,
    interval,
    number,
    quantity,
    significant,
)
from mlds_bench.leaderboard.results import Result, Results, read_results
from mlds_bench.leaderboard.rows import (
    BOOTSTRAP_SEED,
    count_as_trivial,
    disagreements,
    grouped,
    normalized_scores,
    ordered,
)

SAME_IN_TASK = (
    "env_kwargs",
    "data_checksum",
    "test_envs",
    "test_episodes",
    "scores",
    "anchors",
)
"""What both sides of a pair should share; presets may differ in the size of the test."""

MOST_NAMES = 3
"""Of so many groups that one side lacks each is named; of more, their number is."""

Key = tuple[str, ...]
Group = list[Result]


@dataclass(frozen=True)
class Side:
    """One side of a comparison.

    Attributes:
        name: what it is called on the page.
        results: its results, at least one.
    """

    name: str
    results: Results


def find_side(name: str, out: str | Path) -> Side:
    """What a name on the command line means: a folder of records, or an agent of a run.

    Args:
        name: a folder that exists, or the label of an agent.
        out: the folder of the run in which to look for the agent.

    Returns:
        The results of the folder, or those of the agent.

    Raises:
        NoRecords: neither; the line names the nearest agent.
    """
    if Path(name).is_dir():
        return Side(name, read_results(name))
    results = read_results(out)
    agents = {result.record.agent for result in results}
    if name not in agents:
        raise NoRecords(f"in {out}: {unknown_name('agent or folder', name, sorted(agents))}")
    return Side(name, results.only(lambda result: result.record.agent == name))


def compare(a: Side, b: Side) -> Page:
    """Compares two sides on the variants they share.

    Cells are paired by variant, environment version and primary score; by preset and agent too,
    unless each side has only one of them. Failed cells count as the trivial anchor.

    Args:
        a: one side; its name heads the first column.
        b: the other; differences are a - b.

    Returns:
        A row per shared variant with the means, their difference with Welch's 95% interval, and
        the probability that a is better, from ten seeds on with its bootstrap 95% interval; from
        two rows on, one
        more over all, with interquartile means of normalized scores. Notes name what only one side
        has, what was tested differently, seeds that differ in more than the seed, and files that
        could not be read.

    Raises:
        NoRecords: the sides share nothing.
    """
    matched = [name for name in ("preset", "agent") if not _single(a, b, name)]
    groups_a, groups_b = _groups(a, matched), _groups(b, matched)
    pairs = [(groups_a[key], groups_b[key]) for key in sorted(groups_a) if key in groups_b]
    if not pairs:
        raise NoRecords(
            f"{a.name} and {b.name} share no variant that counts: {a.name} has "
            f"{_names(groups_a)}, {b.name} has {_names(groups_b)}"
        )
    rows = [_row(*pair) for pair in pairs]
    if len(pairs) > 1:
        rows.append(_overall(pairs))
    notes = (
        *_missing(a, groups_a, groups_b),
        *_missing(b, groups_b, groups_a),
        *filter(None, (_unlike_tasks(*pair) for pair in pairs)),
        *_unlike_seeds(a, groups_a, groups_b),
        *_unlike_seeds(b, groups_b, groups_a),
        *(f"skipped {problem}" for problem in _problems(a, b)),
        "difference: first minus second; [ ]: 95% intervals, Student's (Welch's) for differences "
        f"of means, the stratified bootstrap's for the rest, from {stats.FEW_SEEDS} seeds on; n: "
        "seeds; †: failed cells count as the trivial anchor",
    )
    title = f"{a.name} against {b.name}"
    return Page(title, (Table("shared variants", _columns(a, b, matched), tuple(rows)),), notes)


def _single(a: Side, b: Side, name: str) -> bool:
    sides = (side.results for side in (a, b))
    return all(len({getattr(one.record, name) for one in results}) == 1 for results in sides)


def _groups(side: Side, matched: Sequence[str]) -> dict[Key, Group]:
    """The cells that count, under what must be equal on both sides; seeds in order."""
    counted = [result for result in ordered(side.results) if result.counted is not None]

    def key(one: Result) -> Key:
        task = one.task.variant, one.task.environment, one.task.primary
        return (*task, *(getattr(one.record, name) for name in matched))

    return grouped(counted, key)


def _names(groups: dict[Key, Group]) -> str:
    """What there is in one short line: each by name where they are few, else counted."""
    if len(groups) <= MOST_NAMES:
        return ", ".join(" ".join(key) for key in groups) or "nothing"
    variants = list(dict.fromkeys(key[0] for key in groups))
    shown = ", ".join(variants[:MOST_NAMES]) + (", ..." if len(variants) > MOST_NAMES else "")
    return f"{len(groups)} results on {len(variants)} variants ({shown})"


def _missing(side: Side, groups: dict[Key, Group], others: dict[Key, Group]) -> list[str]:
    alone = {key: group for key, group in groups.items() if key not in others}
    return [f"only in {side.name}: {_names(alone)}"] if alone else []


def _unlike_tasks(a: Group, b: Group) -> str:
    """What differs between the tests of both sides, in one line; empty if nothing does."""
    tasks = [one.task.model_dump(mode="json") for one in (a[0], b[0])]
    unlike = [name for name in SAME_IN_TASK if tasks[0][name] != tasks[1][name]]
    return f"{a[0].task.variant}: the sides differ in {', '.join(unlike)}" if unlike else ""


def _unlike_seeds(side: Side, groups: dict[Key, Group], others: dict[Key, Group]) -> list[str]:
    shared = (one for key, group in groups.items() if key in others for one in group)
    return [f"{side.name}: {line}" for line in disagreements(shared)]


def _problems(a: Side, b: Side) -> dict[str, None]:
    return dict.fromkeys((*a.results.problems, *b.results.problems))


def _scores(group: Group) -> list[float]:
    return [score for result in group if (score := result.counted) is not None]


def _row(a: Group, b: Group) -> Row:
    x, y = _scores(a), _scores(b)
    sign = 1 if a[0].task.higher_is_better else -1
    low, high = stats.welch_interval(x, y) or (None, None)
    task = a[0].task
    return {
        "preset": _both(task.preset, b[0].task.preset),
        "variant": task.variant,
        "environment": task.environment,
        "agent": _both(a[0].record.agent, b[0].record.agent),
        "score": task.primary,
        "higher_is_better": task.higher_is_better,
        "a_mean": float(stats.mean(x)),
        "a_half_width": stats.half_width(x),
        "b_mean": float(stats.mean(y)),
        "b_half_width": stats.half_width(y),
        "difference": float(stats.mean(x) - stats.mean(y)),
        "difference_low": low,
        "difference_high": high,
        **_improvement([np.multiply(sign, x)], [np.multiply(sign, y)]),
        **_counts(a, b),
    }


def _overall(pairs: Sequence[tuple[Group, Group]]) -> Row:
    """All variants: means with Student's interval, or IQM with the bootstrap's from ten seeds."""
    x = [normalized_scores(a) for a, _ in pairs]
    y = [normalized_scores(b) for _, b in pairs]
    few = stats.has_few_seeds([*x, *y])
    statistic = stats.mean if few else stats.interquartile_mean
    means = [float(statistic([score for stratum in side for score in stratum])) for side in (x, y)]
    if few:
        found = stats.stratified_interval(x, y)
    else:
        generator = np.random.default_rng(BOOTSTRAP_SEED)
        found = stats.difference_interval(x, y, statistic, generator=generator)
    low, high = found or (None, None)
    return {
        "variant": "all",
        "score": "mean normalized" if few else "IQM normalized",
        "higher_is_better": True,
        "a_mean": means[0],
        "b_mean": means[1],
        "difference": means[0] - means[1],
        "difference_low": low,
        "difference_high": high,
        **_improvement(x, y),
        **_counts([r for a, _ in pairs for r in a], [r for _, b in pairs for r in b]),
    }


def _improvement(x: Sequence[stats.Scores], y: Sequence[stats.Scores]) -> dict[str, Value]:
    found = None
    if not stats.has_few_seeds([*x, *y]):
        generator = np.random.default_rng(BOOTSTRAP_SEED)
        found = stats.improvement_interval(x, y, generator=generator)
    low, high = found or (None, None)
    return {
        "a_better": stats.probability_of_improvement(x, y),
        "a_better_low": low,
        "a_better_high": high,
    }


def _counts(a: Group, b: Group) -> dict[str, Value]:
    return {
        "a_n": len(a),
        "b_n": len(b),
        "a_counted_as_trivial": count_as_trivial(a),
        "b_counted_as_trivial": count_as_trivial(b),
    }


def _both(a: str, b: str) -> str:
    return a if a == b else f"{a} / {b}"


def _columns(a: Side, b: Side, matched: Sequence[str]) -> tuple[Column, ...]:
    return (
        Column("variant", lambda row: str(row["variant"]), "left"),
        *(Column(name, partial(_text, name), "left") for name in matched),
        Column("score", lambda row: f"{row['score']} {arrow(row)}", "left"),
        Column(a.name, partial(_side, "a")),
        Column(b.name, partial(_side, "b")),
        Column("difference", lambda row: significant(number(row, "difference"))),
        Column("95% interval", lambda row: interval(row, "difference")),
        Column("P(first better)", lambda row: fixed(number(row, "a_better"))),
        Column("95% interval", lambda row: interval(row, "a_better"), spare=2),
        Column("n", lambda row: _both(str(row["a_n"]), str(row["b_n"])), spare=1),
    )


def _text(name: str, row: Row) -> str:
    return str(row.get(name, ABSENT))


def _side(side: str, row: Row) -> str:
    text = quantity(number(row, f"{side}_mean"), number(row, f"{side}_half_width"))
    return text + ("†" if row[f"{side}_counted_as_trivial"] else "")
