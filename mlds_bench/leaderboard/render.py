"""Pages of rows, and the four forms they are printed in: Markdown, CSV, LaTeX, JSON.

Rows carry everything as plain values under names; columns say what of it a reader sees and how.
Markdown and LaTeX show the columns, CSV and JSON hold the rows. The same page gives the same
bytes: floats in CSV and JSON keep six significant digits, which no machine computes differently.
"""

from __future__ import annotations

import csv
import difflib
import io
import json
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from mlds_bench.leaderboard.escape import (
    for_csv,
    for_json,
    for_latex,
    for_latex_comment,
    for_markdown,
)
from mlds_bench.leaderboard.fields import one_line

Value = str | int | float | bool | None
Row = Mapping[str, Value]
Show = Callable[[Row], str]

ABSENT = "—"
LONGEST_CELL = 60


@dataclass(frozen=True)
class Column:
    """What a reader sees of each row.

    Attributes:
        title: head of the column.
        show: the text of a row in this column.
        align: side the text stands at.
        longest: characters after which the text is cut.
        spare: 0 for what always stands there; on a terminal, columns of higher numbers go first
            where there is no room, and where all rows say the same.
    """

    title: str
    show: Show
    align: Literal["left", "right"] = "right"
    longest: int = LONGEST_CELL
    spare: int = 0


@dataclass(frozen=True)
class Table:
    """Rows under one title.

    Attributes:
        title: what the rows have in common.
        columns: what is shown of them.
        rows: in the order shown; CSV and JSON hold all their values.
        notes: one line each, below the table.
    """

    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Page:
    """Tables under one title.

    Attributes:
        title: head of the page.
        tables: in the order shown.
        notes: one line each, at the end; how to read the columns.
    """

    title: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = ()


def render(page: Page, form: str) -> str:
    """Prints a page.

    Args:
        page: the page.
        form: "markdown", "csv", "latex" or "json".

    Returns:
        The whole text, ending in a line feed.

    Raises:
        ValueError: there is no such form.
    """
    if form not in FORMS:
        near = difflib.get_close_matches(form, FORMS, 1, cutoff=0.0)[0]
        raise ValueError(f"no form {form!r}; the nearest is {near!r}, all are {', '.join(FORMS)}")
    return FORMS[form](page)


def number(row: Row, name: str) -> float | None:
    """A number of a row, or None where the row has none under this name."""
    value = row.get(name)
    return None if value is None else float(value)


def arrow(row: Row) -> str:
    """The direction of a row's score: '↑' where higher is better, else '↓'."""
    return "↑" if row["higher_is_better"] else "↓"


def fixed(value: float | None) -> str:
    """A number of the size of one with three decimals; a dash for None."""
    return ABSENT if value is None else f"{round(value, 3) + 0.0:.3f}"  # + 0.0: no minus zero


def interval(row: Row, name: str) -> str:
    """The interval `<name>_low` to `<name>_high` of a row: '[0.12, 0.934]'; a dash if none."""
    low, high = number(row, f"{name}_low"), number(row, f"{name}_high")
    return ABSENT if low is None else f"[{significant(low)}, {significant(high)}]"


def significant(value: float | None, digits: int = 3) -> str:
    """A number with so many significant digits, thousands grouped: 0.0123, 12.3, 1,230,000.

    Args:
        value: any number, or None.
        digits: significant digits kept.

    Returns:
        The text; a dash for None; powers of ten below 1e-4.
    """
    if value is None:
        return ABSENT
    rounded = float(f"{value:.{digits - 1}e}")
    if rounded == 0:
        return "0"
    magnitude = math.floor(math.log10(abs(rounded)))
    if magnitude < -4:
        return f"{rounded:.{digits - 1}e}"
    return f"{rounded:,.{max(digits - 1 - magnitude, 0)}f}"


def quantity(value: float | None, half_width: float | None) -> str:
    """A value with its uncertainty: '-5.61 ± 0.12'; two digits of the uncertainty decide.

    Args:
        value: the value, or None.
        half_width: half-width of its interval, or None if it has none.

    Returns:
        The text: four digits without an uncertainty, six at most with one; a dash for None.
    """
    if value is None or half_width is None:
        return significant(value, 4)
    if half_width == 0:
        return f"{significant(value, 6)} ± 0"
    size = math.floor(math.log10(abs(value))) if value else 0
    decimals = min(1 - math.floor(math.log10(half_width)), 5 - size)
    if size < -4:
        return f"{value:.{max(min(decimals + size, 5), 0)}e} ± {half_width:.1e}"
    if half_width < 0.5 * 10.0**-decimals:
        return f"{value:,.{max(decimals, 0)}f} ± {half_width:.1e}"
    return f"{value:,.{max(decimals, 0)}f} ± {half_width:,.{max(decimals, 0)}f}"


def _markdown(page: Page) -> str:
    parts = [f"# {for_markdown(page.title)}"]
    for table in page.tables:
        parts += [f"## {for_markdown(table.title)}", _markdown_table(table)]
        parts += [_markdown_notes(table.notes)] if table.notes else []
    parts += ["## How to read this", _markdown_notes(page.notes)] if page.notes else []
    return "\n\n".join(parts) + "\n"


def _markdown_notes(notes: Sequence[str]) -> str:
    return "\n".join(f"- {for_markdown(note)}" for note in notes)


def _markdown_table(table: Table) -> str:
    lines = [[for_markdown(cell) for cell in line] for line in _cells(table)]
    widths = [max(3, *(len(cell) for cell in column)) for column in zip(*lines, strict=True)]
    justify = {"left": str.ljust, "right": str.rjust}
    rule = {"left": lambda width: "-" * width, "right": lambda width: "-" * (width - 1) + ":"}
    texts = [
        [
            justify[column.align](cell, width)
            for column, cell, width in zip(table.columns, line, widths, strict=True)
        ]
        for line in lines
    ]
    texts.insert(1, [rule[c.align](width) for c, width in zip(table.columns, widths, strict=True)])
    return "\n".join(f"| {' | '.join(text)} |" for text in texts)


def _cells(table: Table) -> list[list[str]]:
    """Heads first, then the rows; long texts cut."""
    body = [[one_line(c.show(row), c.longest) for c in table.columns] for row in table.rows]
    return [[column.title for column in table.columns], *body]


def _latex(page: Page) -> str:
    parts = [f"% {for_latex_comment(page.title)}: needs \\usepackage{{booktabs}}"]
    parts += [_latex_table(table) for table in page.tables]
    parts += [f"% {for_latex_comment(note)}" for note in page.notes]
    return "\n".join(parts) + "\n"


def _latex_table(table: Table) -> str:
    head, *body = [" & ".join(for_latex(cell) for cell in line) + r" \\" for line in _cells(table)]
    lines = [
        r"\begin{table}",
        r"\centering",
        rf"\caption{{{for_latex(table.title)}}}",
        rf"\begin{{tabular}}{{{''.join(column.align[0] for column in table.columns)}}}",
        r"\toprule",
        head,
        r"\midrule",
        *body,
        r"\bottomrule",
        r"\end{tabular}",
        *(rf"\par\footnotesize {for_latex(note)}" for note in table.notes),
        r"\end{table}",
    ]
    return "\n".join(lines)


def _portable(value: Value, escape: Callable[[str], str]) -> Value:
    if isinstance(value, str):
        return escape(value)
    return float(f"{value:.6g}") + 0.0 if isinstance(value, float) else value


def _row(row: Row, escape: Callable[[str], str]) -> dict[str, Value]:
    return {escape(name): _portable(value, escape) for name, value in row.items()}


def _csv(page: Page) -> str:
    rows = [
        _row({"table": table.title, **row}, for_csv) for table in page.tables for row in table.rows
    ]
    names = list(dict.fromkeys(name for row in rows for name in row))
    text = io.StringIO()
    writer = csv.DictWriter(text, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def _json(page: Page) -> str:
    tables = [
        {
            "title": for_json(table.title),
            "rows": [_row(row, for_json) for row in table.rows],
            "notes": [for_json(note) for note in table.notes],
        }
        for table in page.tables
    ]
    notes = [for_json(note) for note in page.notes]
    content = {"title": for_json(page.title), "tables": tables, "notes": notes}
    return json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n"


FORMS: dict[str, Callable[[Page], str]] = {
    "markdown": _markdown,
    "csv": _csv,
    "latex": _latex,
    "json": _json,
}
SUFFIXES = {"markdown": ".md", "csv": ".csv", "latex": ".tex", "json": ".json"}
