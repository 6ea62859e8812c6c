"""One table for the many variants of a family: a row a variant, a column an agent or a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from mlds_bench.leaderboard.record import Record
from mlds_bench.leaderboard.render import Column, Row, Table, arrow, number, quantity
from mlds_bench.leaderboard.rows import agent_row, grouped, published_rows, reasons

NUMBERS = re.compile(r"(\d+)")


def family_table(records: Sequence[Record]) -> Table:
    """The table of one family.

    Args:
        records: its cells, ordered by variant, agent and seed.

    Returns:
        Per variant the mean raw score of every agent with its half-width, and every published
        figure, under their names; a state where an agent has no score.
    """
    variants = grouped(records, lambda record: record.variant)
    agents = list(dict.fromkeys(record.agent for record in records))
    figures = {figure.label: figure.source for record in records for figure in record.published}
    rows = tuple(_family_row(variants[name]) for name in sorted(variants, key=_natural))
    columns = (
        Column(f"{rows[0]['score']} {arrow(rows[0])}", lambda row: str(row["variant"]), "left"),
        *(_column(name) for name in (*agents, *figures)),
    )
    cells = grouped(records, lambda record: (record.variant, record.agent))
    why = [
        f"{agent} on {variant}: {text}"
        for (variant, agent), group in cells.items()
        if (text := reasons(group))
    ]
    sources = [f"published {label}: {source}" for label, source in figures.items()]
    seeds = {len(group) for group in cells.values()}
    count = f"{min(seeds)}" if len(seeds) == 1 else f"{min(seeds)} to {max(seeds)}"
    runs = {record.test_episodes for record in records}
    of = f"{min(runs):,}" if len(runs) == 1 else f"{min(runs):,} to {max(runs):,}"
    notes = (f"seeds: {count}, of {of} episodes each", *why, *sources)
    homework = records[0].variant.partition("/")[0]
    title = f"{homework}/{records[0].family} ({records[0].env_version})"
    return Table(title, columns, rows, notes)


def _family_row(records: Sequence[Record]) -> Row:
    first = records[0]
    row: dict[str, str | int | float | bool | None] = {
        "preset": first.preset,
        "variant": first.variant,
        "env_version": first.env_version,
        "score": first.primary,
        "higher_is_better": first.higher_is_better,
        "kind": "family",
    }
    for agent, group in grouped(records, lambda record: record.agent).items():
        cell = agent_row(group)
        row |= {agent: cell["mean"], f"{agent} ±": cell["half_width"], f"{agent} n": cell["n"]}
        row[f"{agent} state"] = cell["state"]
    return row | {str(figure["agent"]): figure["mean"] for figure in published_rows(records)}


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
