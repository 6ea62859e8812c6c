from __future__ import annotations

import random
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mlds_bench.leaderboard.record import NoRecords, record_path
from mlds_bench.leaderboard.render import FORMS, Row, render
from mlds_bench.leaderboard.results import Result
from mlds_bench.leaderboard.tables import leaderboard, leaderboards, write_tables
from tests.leaderboard.factory import (
    PUBLISHED,
    UP,
    make_failure,
    make_record,
    make_result,
    make_stale,
    of,
    store,
)

DEEP = [make_result(score, seed=seed) for seed, score in enumerate((-5.0, -5.5, -6.0))]
WIDE = [make_result(score, seed=seed, agent="wide") for seed, score in enumerate((-3.0, -3.5))]


PAGE = """# quick

## homeworks

| homework | question | score | best agent | value | pass mark | best published | passed | seconds |
| --- | --- | --- | --- | ---: | ---: | --- | ---: | ---: |
| hw1-1 | Is deep better than shallow? | log10_mse ↓ | deep | -5.5 ± 1.2 | -4.000 | \
-6.000 deep (course) | 3 of 3 | 3.50 |

## hw1-1/sinc (mlds/FunctionFitting-v0)

| agent | log10_mse ↓ | sup_error ↓ | n | normalized ↑ | passed | seconds | steps/s \
| version | state |
| --- | ---: | ---: | --: | ---: | ---: | ---: | ---: | --- | --- |
| deep (course) | -6.000 | — | — | 1.500 | — | — | — | v0 | published |
| deep | -5.5 ± 1.2 | 0.250000 ± 0 | 3 | 1.375 | 3 of 3 | 3.50 | 6,400 | v0 | ok |
| wide | -3.2 ± 3.2 | 0.250000 ± 0 | 2 | 0.812 | 0 of 2 | 3.50 | 6,400 | v0 | ok |
| mine | — | — | 0 | 0.250† | 0 of 1 | 3.50 | 6,400 | v0 | 1 failed |

- passed: log10_mse at most -4 (course, shallow network)
- mine: failed: ValueError: no
- published deep (course): a student's report, 2018

## How to read this

- homeworks: the best agent passed in the largest share of its cells, over all variants of the \
homework (or, if no agent ran on all, on the variant shown); of equals that with more cells, then \
that with the higher mean normalized score; random and constant do not take part; \
‡: learned in another cell
- value: mean over seeds of the score named, ±: half-width of Student's 95% interval; passed: \
seeds whose test met every mark; seconds: mean wall time per cell
- n: seeds that ended well; ±: half-width of Student's 95% interval of their mean
- normalized: 0 at random actions, 1 at the pass mark, within [-1, 2], mean over seeds; \
†: failed cells count as the trivial anchor
- passed: seeds whose test met every mark, of those that count
- steps: environment steps taken, mean per cell, where budgets differ; seconds: mean wall time per \
cell; steps/s: environment steps per second of training
- hardware: cpu Test CPU, cores 2, threads 1
"""


def only_table(*results: Result, anchors: bool = False) -> dict[str, Row]:
    """The rows of the only variant, by agent."""
    _, table = leaderboard(of(results), title="quick", anchors=anchors).tables
    return {str(row["agent"]): row for row in table.rows}


def markdown(*results: Result) -> str:
    return render(leaderboard(of(results), title="quick"), "markdown")


def test_one_seed_has_no_interval() -> None:
    """A single run is shown as it is, without a half-width."""
    row = only_table(DEEP[0])["deep"]
    assert (row["half_width"], row["iqm_low"], row["iqm_high"]) == (None, None, None)
    assert " -5.000 |" in markdown(DEEP[0])


@pytest.mark.parametrize("state", ["failed", "timeout", "out-of-memory"])
def test_a_failed_cell_counts_as_the_trivial_anchor_and_is_marked(state: str) -> None:
    """Two runs at 1.25 and one at the trivial 0.25 make 0.917; the raw mean is of the two."""
    results = [DEEP[0], make_result(-5.0, seed=1), make_failure(state, seed=2)]
    row = only_table(*results)["deep"]
    assert row["normalized"] == pytest.approx((1.25 + 1.25 + 0.25) / 3)
    assert (row["mean"], row["n"], row["counted_as_trivial"]) == (-5.0, 2, 1)
    assert (row["state"], row["reason"]) == (f"2 ok, 1 {state}", f"{state}: ValueError: no")
    text = markdown(*results)
    assert " 0.917† |" in text
    assert "†: failed cells count as the trivial anchor" in text


def test_a_skipped_cell_is_shown_and_not_counted() -> None:
    """An agent that does not fit the spaces is absent from the score and present in the table."""
    row = only_table(DEEP[0], make_failure("skipped", "needs Discrete", agent="dqn"))["dqn"]
    assert (row["mean"], row["normalized"], row["n"], row["wall_seconds"]) == (None, None, 0, None)
    assert (row["state"], row["reason"]) == ("1 skipped", "skipped: needs Discrete")
    half = only_table(DEEP[0], make_failure("skipped", seed=1))["deep"]
    assert half["normalized"] == 1.25
    assert half["counted_as_trivial"] == 0


def test_a_stale_cell_is_shown_and_not_counted() -> None:
    """A record made for another task does not enter the mean, and its row says what to do."""
    row = only_table(DEEP[0], make_stale(seed=1, scores={"log10_mse": -99.0}))["deep"]
    assert (row["mean"], row["n"], row["counted"], row["state"]) == (-5.0, 1, 1, "1 ok, 1 stale")
    assert "- deep: stale: made for another environment" in markdown(DEEP[0], make_stale(seed=1))


def test_rows_stand_best_first_with_published_figures_among_them() -> None:
    """By normalized score whatever its direction; nothing scored comes last."""
    results = [*WIDE, *DEEP, make_failure("skipped", "no", agent="dqn")]
    assert list(only_table(*results)) == ["deep (course)", "deep", "wide", "dqn"]
    task = UP | {"published": [PUBLISHED | {"value": 1.0}]}
    climbing = [
        make_result(scores={"mean_return": score}, task=task, agent=agent)
        for agent, score in {"low": 0.5, "high": 2.0}.items()
    ]
    assert list(only_table(*climbing)) == ["high", "deep (course)", "low"]
    assert "mean_return ↑" in markdown(*climbing)
    assert "log10_mse ↓" in markdown(*results)


def test_beyond_the_bounds_the_score_itself_decides() -> None:
    """Two agents at the upper bound are not ordered by name."""
    rows = only_table(make_result(-20.0, agent="a"), make_result(-30.0, agent="b"))
    assert list(rows) == ["b", "a", "deep (course)"]
    assert rows["a"]["normalized"] == rows["b"]["normalized"] == 2.0


SCORES = [
    {"name": "log10_mse", "higher_is_better": False},
    {"name": "first", "higher_is_better": True},
    {"name": "second", "higher_is_better": False},
    {"name": "third", "higher_is_better": True},
    {"name": "fourth", "higher_is_better": False, "mark": 0.5},
]


def test_secondary_scores_have_columns_with_their_direction() -> None:
    """The first few, and all that have a mark; files hold all of them."""
    values = {"log10_mse": -5.0, "first": 0.1, "second": 0.2, "third": 0.3, "fourth": 0.5}
    result = make_result(scores=values, task={"scores": SCORES})
    _, table = leaderboard(of([result]), title="quick").tables
    titles = [column.title for column in table.columns]
    assert titles[1:5] == ["log10_mse ↓", "first ↑", "second ↓", "fourth ↓"]
    row = next(row for row in table.rows if row["agent"] == "deep")
    assert [column.show(row) for column in table.columns][1:5] == [
        "-5.000",
        "0.1000",
        "0.2000",
        "0.5000",
    ]
    assert row["score.third"] == 0.3


def test_every_mark_is_named_and_counted() -> None:
    """An agent that misses a secondary mark has not passed, and the page says what it takes."""
    results = [
        make_result(seed=seed, scores={"log10_mse": -5.0, "fourth": value}, task={"scores": SCORES})
        for seed, value in enumerate((0.4, 0.5, 0.6))
    ]
    text = markdown(*results, make_failure(seed=3, task={"scores": SCORES}))
    assert " 2 of 4 |" in text
    assert "- passed: log10_mse at most -4 and fourth at most 0.5 (course, shallow network)" in text
    up = make_result(scores={"mean_return": 2.0}, task=UP)
    assert "- passed: mean_return at least 2 (test)" in markdown(up)


def test_an_agent_that_learned_elsewhere_says_where() -> None:
    text = markdown(make_result(agent="copy", pretrained="standard/hw1-1/sinc/deep/seed-0"))
    assert (
        "- copy: learned in standard/hw1-1/sinc/deep/seed-0, the best of its seeds by the score of "
        "their tests" in text
    )
    assert re.search(r"copy +\|.*pretrained \|", text)


def test_whoever_failed_never_ranks_above_an_honest_agent() -> None:
    """The trivial anchor is worth 0.25 here, and an honest agent 0.1."""
    failed = [make_failure(agent="a-cheat"), make_failure("skipped", "no", agent="b-absent")]
    rows = only_table(*failed, make_result(-0.4, agent="honest"))
    assert list(rows) == ["deep (course)", "honest", "a-cheat", "b-absent"]
    assert rows["a-cheat"]["normalized"] == 0.25


def test_an_agent_whose_time_ran_out_is_marked() -> None:
    """With the share of its steps, however well it did; a limit of steps is no such mark."""
    budget = {"env_steps": 10_000, "seconds": 60.0}
    slow = [
        make_result(seed=seed, stopped_by="seconds", env_steps=steps, budget=budget, agent="slow")
        for seed, steps in enumerate((600, 900))
    ]
    text = markdown(*slow, make_result())
    assert re.search(r"\| slow +\|.*\| ok, stopped at 6% \|", text)
    assert "- stopped at: the least share of its budget of steps after which" in text
    mixed = markdown(slow[1], make_result(seed=2, agent="slow", budget=budget))
    assert "| ok, 1 stopped at 9% |" in mixed
    assert "stopped at" not in markdown(make_result())


def test_steps_have_a_column_where_budgets_differ() -> None:
    """Twelve thousand steps beside a million are not one race."""
    long: dict[str, Any] = {
        "env_steps": 1_000_000,
        "budget": {"env_steps": 1_000_000, "seconds": None},
    }
    text = markdown(make_result(), make_result(agent="long", **long))
    assert re.search(r"\| passed \| +steps \|", text)
    assert re.search(r"\| long .*\| 1,000,000 \|", text)
    assert "| passed |   steps |" not in markdown(make_result(), make_result(agent="other"))


def test_seconds_of_unlike_machines_are_named() -> None:
    results = [make_result(), make_result(agent="wide", hardware={"cores": 1}, threads=2)]
    assert (
        "- seconds and steps/s are of unlike machines: cores 2, threads 1 (deep); cores 1, "
        "threads 2 (wide)"
    ) in markdown(*results)
    assert "unlike machines" not in markdown(make_result(), make_result(agent="wide"))


def test_published_figures_are_marked_once_with_their_source() -> None:
    """A row of its own with its normalized score, no seeds, and the source below."""
    row = only_table(*DEEP)["deep (course)"]
    assert (row["kind"], row["mean"], row["normalized"], row["state"]) == (
        "published",
        -6.0,
        1.5,
        "published",
    )
    assert markdown(*DEEP).count("\n| deep (course) ") == 1
    assert "- published deep (course): a student's report, 2018\n" in markdown(*DEEP)


def test_anchors_are_rows_when_asked_for() -> None:
    """Random at 0, the pass mark at 1, in their places among the agents."""
    rows = only_table(*DEEP, anchors=True)
    assert list(rows) == ["best", "deep (course)", "deep", "pass mark", "trivial", "random"]
    assert [rows[name]["normalized"] for name in ("random", "pass mark")] == [0.0, 1.0]
    assert "best" not in only_table(*DEEP)


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"agent_version": 2}, "seeds of deep on hw1-1/sinc differ in version"),
        (
            {"budget": {"env_steps": 1, "seconds": None}},
            "seeds of deep on hw1-1/sinc differ in budget",
        ),
    ],
)
def test_unlike_records_are_pointed_out(changes: dict[str, Any], note: str) -> None:
    """Seeds of two versions of an agent, or of two budgets, are not averaged in silence."""
    assert f"- {note}: run the cells again\n" in markdown(*DEEP, make_result(seed=3, **changes))
    assert "differ in" not in markdown(*DEEP, *WIDE)


def two_variants() -> list[Result]:
    sgn = [make_result(-1.0 - seed, seed=seed, variant="hw1-1/sgn") for seed in range(3)]
    failed = [make_failure(seed=seed, variant="hw1-1/sgn", agent="wide") for seed in range(2)]
    easy = make_result(-7.9, agent="spline", variant="hw1-1/sgn")
    return [*DEEP, *WIDE, *sgn, *failed, easy]


def test_tables_stand_by_homework() -> None:
    """Homeworks in front, each with its variants together; nothing is averaged over homeworks."""
    other = make_result(variant="hw1-2/xor")
    page = leaderboard(of([other, *two_variants()]), title="quick")
    assert [table.title.partition(" (")[0] for table in page.tables] == [
        "homeworks",
        "hw1-1 over its variants",
        "hw1-1/sgn",
        "hw1-1/sinc",
        "hw1-2/xor",
    ]
    assert any(note.startswith("over its variants: ") for note in page.notes)


def test_what_could_not_be_read_is_named_at_the_end() -> None:
    """One line per problem, on the page itself."""
    page = leaderboard(of(DEEP, "quick/hw1-1/sinc/deep/seed-9.json: torn"), title="quick")
    assert "skipped quick/hw1-1/sinc/deep/seed-9.json: torn" in page.notes


@pytest.mark.parametrize("form", FORMS)
def test_the_same_records_give_the_same_bytes(form: str) -> None:
    """In any order, again and again."""
    results = two_variants()
    expected = render(leaderboard(of(results), title="quick"), form)
    for seed in range(3):
        random.Random(seed).shuffle(results)
        assert render(leaderboard(of(results), title="quick"), form) == expected


def test_a_row_does_not_depend_on_the_others() -> None:
    """An interval is drawn afresh for each row: a new agent changes no old line."""
    results = of(two_variants())
    alone = leaderboard(results.only(lambda one: one.record.agent == "deep"), title="quick")
    among = leaderboard(results, title="quick")
    assert alone.tables[0].rows[0] == among.tables[0].rows[0]
    assert alone.tables[1].rows[0] == among.tables[1].rows[0]


def test_the_page_reads_well() -> None:
    """The whole Markdown of a small leaderboard; its table stands in line on a terminal."""
    text = markdown(*DEEP, *WIDE, make_failure(agent="mine", reason="ValueError: no"))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert [len({len(line) for line in part}) for part in (lines[:3], lines[3:])] == [1, 1]
    assert len(lines[3]) <= 120
    assert re.sub(" +", " ", re.sub("-{3,}", "---", text)) == PAGE


def test_tables_are_written_beside_each_preset(tmp_path: Path) -> None:
    """Four files per preset, equal to what is printed; pandas reads the CSV back."""
    store(tmp_path, *two_variants(), make_result(preset="course"))
    written = write_tables(tmp_path)
    suffixes = (".md", ".csv", ".tex", ".json")
    assert written == [tmp_path / (p + s) for p in ("course", "quick") for s in suffixes]
    pages = leaderboards(tmp_path)
    assert list(pages) == ["course", "quick"]
    assert (tmp_path / "quick.md").read_text() == render(pages["quick"], "markdown")
    assert (tmp_path / "quick.md").read_text().startswith("# mlds-bench, preset quick\n")
    frame = pd.read_csv(tmp_path / "quick.csv")
    agents = frame[frame["kind"] == "agent"]
    deep = agents[(agents["agent"] == "deep") & (agents["variant"] == "hw1-1/sinc")]
    assert deep["mean"].tolist() == [-5.5]
    assert write_tables(tmp_path) == written


def test_tables_are_not_written_into_a_preset(tmp_path: Path) -> None:
    """Given the folder of a preset, no file lands among the records."""
    store(tmp_path, *DEEP)
    with pytest.raises(NoRecords, match="give the folder that holds the presets"):
        write_tables(tmp_path / "quick")
    assert record_path(tmp_path, DEEP[0].record).is_file()
    assert [path.name for path in (tmp_path / "quick").iterdir()] == ["hw1-1"]


def test_a_torn_record_stands_on_the_page_of_its_preset(tmp_path: Path) -> None:
    """The tables are written without it; of a preset with nothing else, every page says so."""
    store(tmp_path, *DEEP, make_result(preset="course"), make_result(preset="smoke"))
    record_path(tmp_path, make_record(seed=7)).write_text("{")
    record_path(tmp_path, make_record(preset="smoke")).write_text("{")
    pages = leaderboards(tmp_path)
    told = {
        preset: [note for note in page.notes if note.startswith("skipped ")]
        for preset, page in pages.items()
    }
    smoke = "skipped smoke/hw1-1/sinc/deep/seed-0.json: not a JSON document"
    quick = "skipped quick/hw1-1/sinc/deep/seed-7.json: not a JSON document"
    assert [note.partition(" (")[0] for note in told["quick"]] == [quick, smoke]
    assert [note.partition(" (")[0] for note in told["course"]] == [smoke]
    write_tables(tmp_path)
    assert "seed-7.json: not a JSON document" in (tmp_path / "quick.md").read_text()


def test_a_page_may_do_without_its_front() -> None:
    """A run of one variant ends with its table alone."""
    page = leaderboard(of([*DEEP, *WIDE]), title="t", front=False)
    assert [table.title.partition(" (")[0] for table in page.tables] == ["hw1-1/sinc"]
    assert not any("homeworks" in note for note in page.notes)
