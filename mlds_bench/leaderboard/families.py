"""One table for the many variants of a family: a row per variant, a column per agent or figure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlds_bench.leaderboard.render import Column, Row, Table, Value, arrow, number, quantity
from mlds_bench.leaderboard.results import Result
from mlds_bench.leaderboard.rows import (
    agent_row,
    disagreements,
    grouped,
    published_rows,
    reasons,
    task_fields,
)

NUMBERS = re.compile(r"(\d+)")


def family_table(results: Sequence[Result]) -> Table:
    """The table of one family.

    Args:
        results: its cells, ordered by variant, agent and seed.

    Returns:
        Per variant the mean raw score of every agent with its half-width, and every published
        figure, under their names; a state where an agent has no score.
    """
    variants = grouped(results, lambda one: one.task.variant)
    agents = list(dict.fromkeys(one.record.agent for one in results))
    figures = {figure.label: figure.source for one in results for figure in one.task.published}
    rows = tuple(_family_row(variants[name]) for name in sorted(variants, key=_natural))
    columns = (
        Column(f"{rows[0]['score']} {arrow(rows[0])}", lambda row: str(row["variant"]), "left"),
        *(_column(name) for name in (*agents, *figures)),
    )
    cells = grouped(results, lambda one: (one.task.variant, one.record.agent))
    why = [
        f"{agent} on {variant}: {text}"
        for (variant, agent), group in cells.items()
        if (text := reasons(group))
    ]
    sources = [f"published {label}: {source}" for label, source in figures.items()]
    seeds = _range([len(group) for group in cells.values()])
    episodes = _range([one.task.test_envs * one.task.test_episodes for one in results])
    notes = (f"seeds: {seeds}, of {episodes} episodes each", *why, *sources)
    task = results[0].task
    title = f"{task.homework}/{task.family} ({task.environment})"
    return Table(title, columns, rows, (*notes, *disagreements(results)))


def _range(counts: Sequence[int]) -> str:
    least, most = min(counts), max(counts)
    return f"{least:,}" if least == most else f"{least:,} to {most:,}"


def _family_row(results: Sequence[Result]) -> Row:
    task = results[0].task
    row: dict[str, Value] = task_fields(task) | {"kind": "family"}
    for agent, group in grouped(results, lambda one: one.record.agent).items():
        cell = agent_row(group)
        row |= {agent: cell["mean"], f"{agent} ±": cell["half_width"], f"{agent} n": cell["n"]}
        row[f"{agent} state"] = cell["state"]
    return row | {str(figure["agent"]): figure["mean"] for figure in published_rows(task)}


def _column(name: str) -> Column:
    def show(row: Row) -> str:
        value = number(row, name)
        if value is None and row.get(f"{name} state"):
            return str(row[f"{name} state"])
        return quantity(value, number(row, f"{name} ±"))

    return Column(name, show)


def _natural(name: str) -> list[str | int]:
    """Order of names with numbers in them: k6 before k10."""
    return [int(part) if part.isdigit() else part for part in NUMBERS.split(name)]
