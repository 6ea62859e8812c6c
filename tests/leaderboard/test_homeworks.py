"""One homework in a few lines: the front table, and agents over the variants of a homework."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats

from mlds_bench.leaderboard.homeworks import LEGEND_OVER, front_page, front_table, over_variants
from mlds_bench.leaderboard.render import Page, Row, Table, render
from mlds_bench.leaderboard.results import Result
from mlds_bench.leaderboard.rows import ordered
from tests.leaderboard.factory import (
    PUBLISHED,
    game_result,
    make_failure,
    make_result,
    of,
)

HEADLINE = {"headline": True, "published": []}


def on(name: str, scores: dict[str, float | None], **task: Any) -> list[Result]:
    """Agents with their log10_mse on a variant of hw1-1; None is a failure."""
    return [
        make_failure(agent=agent, variant=f"hw1-1/{name}", task=task)
        if score is None
        else make_result(score, agent=agent, variant=f"hw1-1/{name}", task=task)
        for agent, score in scores.items()
    ]


def front(*results: Result) -> Row:
    (row,) = front_table(of(results)).rows
    return row


def shown(*results: Result) -> list[str]:
    table = front_table(of(results))
    return [column.show(table.rows[0]) for column in table.columns]


def over(*results: Result) -> Table:
    (table,) = over_variants(ordered(results))
    return table


def test_a_homework_is_one_row() -> None:
    """Its question, the best agent, its score against the mark and the best figure, the time."""
    figures = [PUBLISHED, PUBLISHED | {"label": "shallow (course)", "value": -4.5}]
    results = [
        make_result(score, seed=seed, wall_seconds=5.0 + seed, task={"published": figures})
        for seed, score in enumerate((-5.0, -5.5, -3.0))
    ]
    wide = make_result(-3.9, agent="wide", task={"published": figures})
    assert shown(*results, wide) == [
        "hw1-1",
        "Is deep better than shallow?",
        "log10_mse ↓",
        "deep",
        "-4.5 ± 3.3",
        "-4.000",
        "-6.000 deep (course)",
        "2 of 3",
        "6.00",
    ]


def test_the_best_published_figure_follows_the_direction() -> None:
    figures = [PUBLISHED | {"label": str(value), "value": value} for value in (1.0, 20.0, 3.0)]
    row = front(game_result([], score=2.0, task={"published": figures}))
    assert (row["published"], row["published_label"]) == (20.0, "20.0")


@pytest.mark.parametrize("agent", ["random", "constant", "constant@action=1"])
def test_what_a_homework_is_read_against_is_never_its_best(agent: str) -> None:
    """Neither a baseline nor a published figure leads, however good."""
    row = front(make_result(-7.0, agent=agent), make_result(-1.0))
    assert row["agent"] == "deep"
    alone = shown(make_result(-7.0, agent=agent))
    assert alone[3:5] == ["—", "—"]
    assert alone[7:] == ["—", "—"]


def test_the_best_agent_ran_on_all_variants() -> None:
    """A specialist that leads one variant does not lead the homework."""
    sinc = on("sinc", {"deep": -4.0, "wide": -5.0, "spline": -8.0})
    sgn = on("sgn", {"deep": -4.0, "wide": -2.0})
    row = front(*sinc, *sgn)
    assert (row["agent"], row["variant"], row["measure"]) == (
        "deep",
        "hw1-1/sgn",
        "log10_mse on sgn",
    )


def test_where_no_agent_ran_on_all_the_variant_shown_decides() -> None:
    row = front(*on("sinc", {"deep": -8.0}), *on("sgn", {"wide": -2.0, "other": -1.0}))
    assert (row["agent"], row["variant"]) == ("wide", "hw1-1/sgn")


def test_one_lucky_seed_is_not_better_than_several_good_ones() -> None:
    """The share of seeds that passed comes first, then their number, then the mean."""
    several = [make_result(-4.5, agent="steady", seed=seed) for seed in range(3)]
    lucky = make_result(-9.0, agent="lucky")
    mixed = [make_result(score, agent="mixed", seed=k) for k, score in enumerate((-9.0, -9.0, 0.0))]
    assert front(*several, lucky, *mixed)["agent"] == "steady"
    assert front(lucky, *mixed)["agent"] == "lucky"
    better = [make_result(-4.6, agent="better", seed=seed) for seed in range(3)]
    assert front(*several, *better)["agent"] == "better"


def test_one_logarithm_does_not_carry_the_mean() -> None:
    """At -400 on one variant and at random on another is not the best: 2 + 0 < 1 + 1.5."""
    sinc = on("sinc", {"freak": -400.0, "deep": -4.0})
    row = front(*sinc, *on("sgn", {"freak": 0.0, "deep": -6.0}))
    assert row["agent"] == "deep"


def test_the_headline_of_a_homework_is_shown() -> None:
    """Then one with published figures, then the first by name."""
    plain = on("a", {"deep": -4.0}, published=[])
    published = on("b", {"deep": -4.0})
    course = on("c", {"deep": -4.0}, **HEADLINE)
    assert front(*plain, *published, *course)["variant"] == "hw1-1/c"
    assert front(*plain, *published)["variant"] == "hw1-1/b"
    assert front(*plain, *on("z", {"deep": -4.0}, published=[]))["variant"] == "hw1-1/a"


def test_an_agent_that_failed_where_it_is_shown_is_not_the_best() -> None:
    """It would stand there without a score."""
    row = front(*on("sinc", {"deep": None, "wide": -0.1}))
    assert row["agent"] == "wide"
    assert shown(*on("sinc", {"deep": None}))[3] == "—"


def test_an_agent_that_learned_elsewhere_is_marked() -> None:
    copy = make_result(-5.0, agent="copy", pretrained="standard/hw1-1/sinc/deep/seed-0")
    assert shown(copy)[3] == "copy‡"
    assert "‡: learned in another cell" in " ".join(front_page(of([copy])).notes)


def test_the_front_page_is_what_a_run_ends_with() -> None:
    """One table, how to read it, and what could not be read."""
    page = front_page(
        of([make_result(), game_result([])], "quick/x: torn"), title="quick in results"
    )
    assert (page.title, [table.title for table in page.tables]) == (
        "quick in results",
        ["homeworks"],
    )
    assert [row["homework"] for row in page.tables[0].rows] == ["hw1-1", "hw4-1"]
    assert page.notes[-1] == "skipped quick/x: torn"


def test_a_long_question_is_not_cut() -> None:
    question = "Does a network of several layers fit better than a wide one of equal size?"
    assert question in render(
        front_page(of([make_result(task={"question": question})])), "markdown"
    )


DEEP = [*(make_result(score, seed=k) for k, score in enumerate((-5.0, -5.5, -6.0)))]
WIDE = [*(make_result(score, seed=k, agent="wide") for k, score in enumerate((-3.0, -3.5)))]


def two_variants() -> list[Result]:
    sgn = [make_result(-1.0 - seed, seed=seed, variant="hw1-1/sgn") for seed in range(3)]
    failed = [make_failure(seed=seed, variant="hw1-1/sgn", agent="wide") for seed in range(2)]
    easy = make_result(-7.9, agent="spline", variant="hw1-1/sgn")
    return [*DEEP, *WIDE, *sgn, *failed, easy]


def test_over_variants_stands_the_interquartile_mean_of_all_runs() -> None:
    """Pooled runs of all variants, failed ones as trivial, and the interval around it."""
    table = over(*two_variants())
    assert table.title == "hw1-1 over its variants"
    rows = {str(row["agent"]): row for row in table.rows}
    deep = [5.0 / 4, 5.5 / 4, 6.0 / 4, 1.0 / 4, 2.0 / 4, 3.0 / 4]
    assert rows["deep"]["iqm"] == pytest.approx(scipy.stats.trim_mean(deep, 0.25))
    assert rows["wide"]["iqm"] == pytest.approx(np.mean([0.25, 3.0 / 4]))
    assert rows["wide"]["counted_as_trivial"] == 2
    assert (rows["deep"]["n"], rows["deep"]["passed"], rows["wide"]["passed"]) == (6, 3, 0)
    low, high = rows["deep"]["mean_low"], rows["deep"]["mean_high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert (low + high) / 2 == pytest.approx(float(np.mean(deep)))
    assert (rows["deep"]["iqm_low"], rows["deep"]["iqm_high"]) == (None, None)
    assert list(rows) == ["deep", "wide"]
    assert "0.500† |" in render(Page("t", (table,)), "markdown")


def test_below_ten_seeds_the_interval_is_students_and_from_ten_on_the_bootstraps() -> None:
    """The head of the column says of what it is, the legend by which method."""
    few, many = (
        over(*(r for k in range(n) for r in (*seed(k, "a"), *seed(k, "b")))) for n in (9, 10)
    )
    assert "95% interval of the mean" in [column.title for column in few.columns]
    assert "95% interval of the IQM" in [column.title for column in many.columns]
    assert few.rows[0]["iqm_low"] is None
    assert many.rows[0]["iqm_low"] is not None
    assert "Student's of the mean, stratified by variant, and from 10 seeds" in LEGEND_OVER


def seed(number: int, name: str) -> list[Result]:
    return [make_result(-4.0 - number % 4, seed=number, variant=f"hw1-1/{name}")]


def test_who_failed_everywhere_comes_last() -> None:
    """The trivial anchor counts 0.25, an honest agent 0.1 and 0.05."""
    results = [
        *on("a", {"cheat": None, "deep": -0.4}),
        *on("b", {"cheat": None, "deep": -0.2}),
    ]
    assert [row["agent"] for row in over(*results).rows] == ["deep", "cheat"]


def test_an_agent_on_few_variants_is_left_out_and_named() -> None:
    """Agents are compared only where they ran on the same variants; a skipped cell did not run."""
    skipped = [
        make_failure("skipped", "no", agent="dqn", variant=f"hw1-1/{name}")
        for name in ("sinc", "sgn")
    ]
    table = over(*two_variants(), *skipped)
    assert [row["agent"] for row in table.rows] == ["deep", "wide"]
    assert table.notes == (
        "over 2 variants: hw1-1/sgn, hw1-1/sinc",
        "not on all variants, and so left out: dqn (0 of 2), spline (1 of 2)",
    )


def test_baselines_stand_over_variants_too() -> None:
    results = [
        *on("sinc", {"random": 0.0, "deep": -4.0}),
        *on("sgn", {"random": 0.0, "deep": -4.0}),
    ]
    assert [row["agent"] for row in over(*results).rows] == ["deep", "random"]


def test_scores_over_variants_are_bounded() -> None:
    (row,) = over(*on("sinc", {"deep": -400.0}), *on("sgn", {"deep": 0.0})).rows
    assert (row["mean"], row["iqm"]) == (1.0, 1.0)


def test_one_variant_needs_no_table_over_variants() -> None:
    """It would say the same twice; nor do the variants of a family."""
    assert over_variants(DEEP) == []
    family = [make_result(variant=f"hw1-1/net-{k}", task={"family": "net-*"}) for k in range(3)]
    assert over_variants([*DEEP, *family]) == []


def test_rooms_are_never_averaged() -> None:
    """A homework in two rooms has a table for each that has two variants."""
    fitting = [*on("a", {"deep": -4.0}), *on("b", {"deep": -5.0})]
    other = [*on("c", {"deep": 1.0}, room="generation"), *on("d", {"deep": 1.0}, room="generation")]
    single = on("e", {"deep": 1.0}, room="chat")
    tables = over_variants(ordered([*fitting, *other, *single]))
    assert [table.title for table in tables] == [
        "hw1-1 over its variants in fitting",
        "hw1-1 over its variants in generation",
    ]
    assert [table.rows[0]["mean"] for table in tables] == [1.125, -0.25]


def test_there_is_no_table_of_nobody() -> None:
    """Agents that ran on different variants are not compared."""
    results = [*on("a", {"deep": -4.0}), *on("b", {"wide": -4.0})]
    assert over_variants(ordered(results)) == []
