"""A page on a terminal of some width: what every row has in common stands above the table.

Columns that matter least go first where the room is short, and texts wrap within their column.
"""

from __future__ import annotations

from collections.abc import Sequence
from textwrap import wrap

from mlds_bench.leaderboard.escape import for_terminal
from mlds_bench.leaderboard.render import ABSENT, Column, Page, Row, Table

GAP = 2
"""Spaces between columns."""
NARROWEST = 12
"""Characters to which a column of texts may shrink."""
FIGURES = ("published", "anchor")
"""Kinds of rows that are no agent: they do not decide what all have in common."""

Lines = list[list[str]]


def render_terminal(page: Page, width: int) -> str:
    """Prints a page for a terminal.

    Args:
        page: the page.
        width: characters per line.

    Returns:
        The whole text, ending in a line feed; no line is wider, but for single long words.
    """
    parts = [for_terminal(page.title)]
    parts += [_table(table, width) for table in page.tables]
    parts += [_notes(page.notes, width)] if page.notes else []
    return "\n\n".join(parts) + "\n"


def _table(table: Table, width: int) -> str:
    columns, common = _varying(table)
    columns, left_out = _fitting(columns, table.rows, width)
    lines = [[for_terminal(c.title) for c in columns], *_texts(columns, table.rows)]
    widths = _shrunk(columns, _widths(lines), width)
    notes = list(table.notes)
    if common:
        notes.insert(0, f"all: {', '.join(common)}")
    if left_out:
        notes.append(f"no room for {', '.join(left_out)}: a wider window, or the files, have them")
    head, *body = [_row(columns, line, widths) for line in lines]
    rule = "-" * min(sum(widths) + GAP * (len(widths) - 1), width)
    title = "\n".join(wrap(for_terminal(table.title), width))
    return "\n".join([title, rule, head, *body, *([_notes(notes, width)] if notes else [])])


def _varying(table: Table) -> tuple[list[Column], list[str]]:
    """The columns to show, and what stands in those that say the same of every agent."""
    agents = [row for row in table.rows if row.get("kind") not in FIGURES] or list(table.rows)
    shown, common = [], []
    for column in table.columns:
        said = {column.show(row) for row in agents}
        if column.spare and len(said) == 1 and len(agents) > 1:
            (text,) = said
            common += [] if text == ABSENT else [for_terminal(f"{column.title} {text}")]
        else:
            shown.append(column)
    return shown, common


def _fitting(
    columns: Sequence[Column], rows: Sequence[Row], width: int
) -> tuple[list[Column], list[str]]:
    """The columns that there is room for, and the titles of the others: the most spare go first."""
    kept, left_out = list(columns), []
    while _least(kept, rows) > width and any(column.spare for column in kept):
        last = max(kept, key=lambda column: column.spare)
        kept.remove(last)
        left_out.append(for_terminal(last.title))
    return kept, left_out


def _least(columns: Sequence[Column], rows: Sequence[Row]) -> int:
    """The least width that columns need."""
    widths = _widths([[for_terminal(c.title) for c in columns], *_texts(columns, rows)])
    least = [
        min(width, NARROWEST) if column.align == "left" else width
        for column, width in zip(columns, widths, strict=True)
    ]
    return sum(least) + GAP * (len(least) - 1)


def _texts(columns: Sequence[Column], rows: Sequence[Row]) -> Lines:
    return [[for_terminal(column.show(row)) for column in columns] for row in rows]


def _widths(lines: Lines) -> list[int]:
    """Of every column: its longest text, and the longest word of its head, which may wrap."""
    head, *body = lines
    words = [max(map(len, title.split()), default=1) for title in head]
    return [max([word, *(len(line[index]) for line in body)]) for index, word in enumerate(words)]


def _shrunk(columns: Sequence[Column], widths: Sequence[int], width: int) -> list[int]:
    """Widths that fit: the widest column of texts gives a character, again and again."""
    found = list(widths)
    while sum(found) + GAP * (len(found) - 1) > width:
        texts = [
            index
            for index, column in enumerate(columns)
            if column.align == "left" and found[index] > NARROWEST
        ]
        if not texts:
            break
        found[max(texts, key=lambda index: found[index])] -= 1
    return found


def _row(columns: Sequence[Column], line: Sequence[str], widths: Sequence[int]) -> str:
    cells = [wrap(text, width) or [""] for text, width in zip(line, widths, strict=True)]
    height = max(map(len, cells))
    justify = {"left": str.ljust, "right": str.rjust}
    printed = [
        (" " * GAP)
        .join(
            justify[column.align](cell[index] if index < len(cell) else "", width)
            for column, cell, width in zip(columns, cells, widths, strict=True)
        )
        .rstrip()
        for index in range(height)
    ]
    return "\n".join(printed)


def _notes(notes: Sequence[str], width: int) -> str:
    return "\n".join(
        line
        for note in notes
        for line in wrap(for_terminal(note), width, initial_indent="- ", subsequent_indent="  ")
    )
