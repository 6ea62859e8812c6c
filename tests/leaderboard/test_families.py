"""The table of a family: a row per variant, agents beside published figures."""

from __future__ import annotations

from typing import Any

from mlds_bench.leaderboard.families import family_table
from mlds_bench.leaderboard.render import Page, render
from mlds_bench.leaderboard.results import Result
from mlds_bench.leaderboard.tables import leaderboard
from tests.leaderboard.factory import make_failure, make_result, of

FIGURE = {"label": "gd (paper)", "value": -3.0, "source": "a paper"}


def member(size: int, agent: str, score: float, **changes: Any) -> Result:
    task = {"family": "net-*", "published": [FIGURE] if size == 6 else [], "test_envs": 10 * size}
    return make_result(score, task=task, variant=f"hw1-2/net-k{size}", agent=agent, **changes)


RESULTS = [
    member(10, "adam", -1.0),
    member(10, "gd", -2.0),
    member(6, "adam", -2.0, seed=0),
    member(6, "adam", -2.5, seed=1),
    member(6, "gd", -3.5),
]


def test_a_row_per_variant_and_a_column_per_agent_or_figure() -> None:
    """In the order of the numbers in their names; what is missing is a dash."""
    table = family_table(RESULTS)
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
    assert table.notes[0] == "seeds: 1 to 2, of 60 to 100 episodes each"
    assert "published gd (paper): a paper" in table.notes


def test_a_failure_is_a_state_with_its_reason() -> None:
    """Nothing is silently absent."""
    task = {"family": "net-*", "published": []}
    table = family_table([make_failure(variant="hw1-2/net-k6", task=task, agent="gd")])
    assert table.columns[1].show(table.rows[0]) == "1 failed"
    assert "gd on hw1-2/net-k6: failed: ValueError: no" in table.notes


def test_families_do_not_count_over_variants() -> None:
    """Else an agent with a hundred of them would be nothing else."""
    page = leaderboard(of([*RESULTS, make_result(-2.0, variant="hw1-2/xor")]), title="t")
    assert [table.title.partition(" (")[0] for table in page.tables] == [
        "homeworks",
        "hw1-2/xor",
        "hw1-2/net-*",
    ]
    assert page.tables[0].rows[0]["variant"] == "hw1-2/xor"


def test_a_homework_of_families_alone_has_a_front_row() -> None:
    """Of its first variant, since it has no other; adam passed in more cells there."""
    front, family = leaderboard(of(RESULTS), title="t").tables
    assert (front.rows[0]["agent"], front.rows[0]["variant"]) == ("adam", "hw1-2/net-k6")
    assert family.title.startswith("hw1-2/net-*")


def test_every_form_holds_the_values() -> None:
    """CSV and JSON carry what Markdown shows."""
    page = Page("t", (family_table(RESULTS),))
    for form in ("markdown", "csv", "json", "latex"):
        assert "net-k6" in render(page, form)
    assert '"gd (paper)": -3.0' in render(page, "json")
