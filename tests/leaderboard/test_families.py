"""The table of a family: a row a variant, agents beside published figures."""

from __future__ import annotations

from typing import Any

from mlds_bench.leaderboard.families import family_table
from mlds_bench.leaderboard.record import Record
from mlds_bench.leaderboard.render import Page, render
from mlds_bench.leaderboard.tables import leaderboard
from tests.leaderboard.factory import make_failure, make_record

FIGURE = {"label": "gd (paper)", "value": -3.0, "source": "a paper"}


def member(size: int, agent: str, score: float, **changes: Any) -> Record:
    return make_record(
        score,
        variant=f"hw1-2/net-k{size}",
        family="net-*",
        agent=agent,
        published=[FIGURE] if size == 6 else [],
        **changes,
    )


RECORDS = [
    member(10, "adam", -1.0),
    member(10, "gd", -2.0),
    member(6, "adam", -2.0, seed=0),
    member(6, "adam", -2.5, seed=1),
    member(6, "gd", -3.5),
]


def test_a_row_a_variant_and_a_column_an_agent_or_figure() -> None:
    """In the order of the numbers in their names; what is missing is a dash."""
    table = family_table(RECORDS)
    cells = [[column.show(row) for column in table.columns] for row in table.rows]
    assert [column.title for column in table.columns] == [
        "log10_mse ↓",
        "adam",
        "gd",
        "gd (paper)",
    ]
    assert cells == [
        ["hw1-2/net-k6", "-2.2 ± 3.2", "-3.500", "-3.000"],
        ["hw1-2/net-k10", "-1.000", "-2.000", "—"],
    ]
    assert table.title == "hw1-2/net-* (mlds/FunctionFitting-v0)"
    assert "published gd (paper): a paper" in table.notes


def test_a_failure_is_a_state_with_its_reason() -> None:
    """Nothing is silently absent."""
    failed = make_failure(variant="hw1-2/net-k6", family="net-*", agent="gd", published=[])
    table = family_table([failed])
    assert table.columns[1].show(table.rows[0]) == "1 failed"
    assert "gd on hw1-2/net-k6: failed: ValueError: no" in table.notes


def test_families_do_not_count_over_all_variants() -> None:
    """Else an agent with a hundred of them would be nothing else."""
    page = leaderboard([*RECORDS, make_record(-2.0)], title="t")
    assert [table.title.partition(" ")[0] for table in page.tables] == ["hw1-1/sinc", "hw1-2/net-*"]
    both = leaderboard(
        [*RECORDS, make_record(-2.0), make_record(-1.0, variant="hw1-1/sgn")], title="t"
    )
    assert [row["agent"] for row in both.tables[0].rows] == ["deep"]


def test_every_form_holds_the_values() -> None:
    """CSV and JSON carry what Markdown shows."""
    page = Page("t", (family_table(RECORDS),))
    for form in ("markdown", "csv", "json", "latex"):
        assert "net-k6" in render(page, form)
    assert '"gd (paper)": -3.0' in render(page, "json")
