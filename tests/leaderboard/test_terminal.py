"""Tables on a terminal: nothing wider than it, and nothing said twice."""

from __future__ import annotations

import pytest

from mlds_bench.leaderboard.render import Column, Page, Row, Table
from mlds_bench.leaderboard.tables import leaderboard
from mlds_bench.leaderboard.terminal import render_terminal
from tests.leaderboard.factory import make_failure, make_result, of

PAGE = """t

hw1-1/sinc
------------------------
agent      score  state
deep        -5.6  ok
two words   -3.1  failed
- all: version v0
- a note
"""


def column(name: str, align: str = "left", spare: int = 0) -> Column:
    return Column(name, lambda row: str(row[name]), align, spare=spare)  # type: ignore[arg-type]


def table(*rows: Row) -> Table:
    columns = (
        column("agent"),
        column("score", "right"),
        column("version", spare=2),
        column("state", spare=1),
    )
    return Table("hw1-1/sinc", columns, rows, ("a note",))


DEEP: Row = {"agent": "deep", "score": "-5.6", "version": "v0", "state": "ok"}
OTHER: Row = {"agent": "two words", "score": "-3.1", "version": "v0", "state": "failed"}


def test_what_all_rows_say_stands_once() -> None:
    assert render_terminal(Page("t", (table(DEEP, OTHER),)), 80) == PAGE


def test_what_is_spare_goes_first_where_there_is_no_room() -> None:
    """And the page says so."""
    rows = (DEEP, {**OTHER, "version": "v1"})
    assert "version" in render_terminal(Page("t", (table(*rows),)), 80)
    narrow = render_terminal(Page("t", (table(*rows),)), 30)
    assert "v1" not in narrow
    assert "- no room for version:" in narrow
    assert "failed" in narrow


def test_long_texts_wrap_within_their_column() -> None:
    row = {**OTHER, "agent": "a name of many words that is longer than any line of forty is"}
    text = render_terminal(Page("t", (table(DEEP, row),)), 40)
    assert max(map(len, text.splitlines())) <= 40
    assert "".join(line[:12].rstrip() for line in text.splitlines()).count("a name of") == 1


@pytest.mark.parametrize("width", [60, 80, 120])
def test_a_leaderboard_fits(width: int) -> None:
    results = [
        *(make_result(-5.0 - seed, seed=seed) for seed in range(3)),
        make_result(-3.0, agent="./a/long/path/to/my/agent.py:Mine@learning_rate=0.003"),
        make_failure(agent="mine", reason="ValueError: " + "no " * 100),
    ]
    text = render_terminal(leaderboard(of(results), title="quick"), width)
    assert max(map(len, text.splitlines())) <= width
    assert "ValueError: no no" in text


def test_one_row_keeps_its_columns() -> None:
    """What a single agent says is no common ground, it is the result."""
    assert "v0" in render_terminal(Page("t", (table(DEEP),)), 80).splitlines()[5]
