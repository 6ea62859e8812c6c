"""Texts of hostile records: what each format makes of them, and what encodings lack."""

from __future__ import annotations

import csv
import io
import json
import re
from typing import Any

import pytest

from mlds_bench.leaderboard.compare import Side, compare
from mlds_bench.leaderboard.escape import (
    for_csv,
    for_latex,
    for_markdown,
    for_terminal,
)
from mlds_bench.leaderboard.render import FORMS, Page, render
from mlds_bench.leaderboard.tables import leaderboard
from mlds_bench.leaderboard.terminal import render_terminal
from tests.leaderboard.factory import PUBLISHED, make_failure, make_result, of

EVIL = "x\n\n# Won\r\n| evil | 9 |\n\\input{/etc/passwd}\n=cmd()\x1b[2J\x00\u202e<b>`![a](http://b)"


def hostile_page() -> Page:
    """Every text that a record or a task may bring."""
    task: dict[str, Any] = {
        "question": EVIL,
        "environment": f"mlds/Evil-v0{EVIL}",
        "published": [PUBLISHED | {"label": EVIL, "source": EVIL}],
    }
    results = [
        make_result(agent=f"a{EVIL}", hardware={"cpu": EVIL, EVIL: 1}, task=task),
        make_failure(reason=EVIL * 1000, agent="b", pretrained=EVIL, task=task),
    ]
    return leaderboard(of(results, f"quick/{EVIL}: torn"), title=f"preset {EVIL}")


def test_no_text_begins_a_line_in_markdown() -> None:
    """No row, heading, tag, code or picture that is not ours; no control character."""
    text = render(hostile_page(), "markdown")
    assert [line for line in text.splitlines() if "Won" in line and line.startswith("# Won")] == []
    assert not re.search(r"^\| evil", text, re.M)
    assert all(line.isprintable() for line in text.splitlines())
    assert not re.search(r"(?<!\\)<b>|(?<!\\)`|!\[a\]\(http", text)


def test_no_text_is_a_command_in_latex() -> None:
    text = render(hostile_page(), "latex")
    assert r"\textbackslash{}input\{/etc/passwd\}" in text
    for line in text.splitlines():
        assert line.isprintable()
        assert line.startswith("%") or r"\input" not in line


def test_no_text_is_a_formula_or_a_row_in_csv() -> None:
    rows = list(csv.DictReader(io.StringIO(render(hostile_page(), "csv"))))
    assert {row["kind"] for row in rows} == {"homework", "agent", "published"}
    assert all(value.isprintable() for row in rows for value in row.values())
    assert for_csv("=1+1") == "'=1+1"
    assert for_csv("@x") == "'@x"
    assert for_csv("deep@x=1") == "deep@x=1"


def test_no_text_moves_the_cursor() -> None:
    text = render_terminal(hostile_page(), 80)
    assert all(line.isprintable() for line in text.splitlines())
    assert for_terminal("\x1b[31mred\x07") == "[31mred"


def test_comparisons_print_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same functions serve them."""
    monkeypatch.undo()
    sides = [Side(EVIL, of([make_result(agent=f"{EVIL}{k}")])) for k in range(2)]
    for form in FORMS:
        lines = render(compare(*sides), form).splitlines()
        assert all(line.isprintable() for line in lines)


@pytest.mark.parametrize("form", FORMS)
def test_every_format_has_the_same_bound(form: str) -> None:
    """Ten megabytes of a reason are two thousand characters."""
    page = leaderboard(of([make_failure(reason="y" * 10**7)]), title="z" * 10**7)
    text = render(page, form)
    assert len(text) < 20_000
    assert max(map(len, re.findall("[yz]+", text))) <= 2000


def test_texts_of_ours_stay_as_they_are() -> None:
    """Intervals, labels and minus signs."""
    assert for_markdown("[0.1, 2] deep@x=1 (course)") == "[0.1, 2] deep@x=1 (course)"
    assert for_markdown("[a](b) ![c]") == r"[a]\(b) !\[c]"
    assert for_latex("-5.61 ± 0.12") == r"$-$5.61 $\pm$ 0.12"
    assert for_latex("[0.1, 2]") == "{[}0.1, 2]"


def test_json_stays_strict() -> None:
    content = json.loads(render(hostile_page(), "json"), parse_constant=pytest.fail)
    assert all(note.isprintable() for note in content["notes"])
