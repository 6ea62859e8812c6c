from __future__ import annotations

import random
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.stats

from mlds_bench.leaderboard.record import NoRecords, Record, record_path
from mlds_bench.leaderboard.render import FORMS, Page, Row, render
from mlds_bench.leaderboard.tables import leaderboard, leaderboards, write_tables
from tests.leaderboard.factory import ANCHORS, PUBLISHED, make_failure, make_record, store

DEEP = [make_record(score, seed=seed) for seed, score in enumerate((-5.0, -5.5, -6.0))]
WIDE = [make_record(score, seed=seed, agent="wide") for seed, score in enumerate((-3.0, -3.5))]


PAGE = """# quick

## hw1-1/sinc (mlds/FunctionFitting-v0)

| agent | log10_mse ↓ | n | normalized ↑ | seconds | steps/s | version | state |
| --- | ---: | --: | ---: | ---: | ---: | --- | --- |
| deep (course) | -6.000 | — | 1.500 | — | — | v0 | published |
| deep | -5.5 ± 1.2 | 3 | 1.375 | 3.50 | 6,400 | v0 | ok |
| wide | -3.2 ± 3.2 | 2 | 0.812 | 3.50 | 6,400 | v0 | ok |
| mine | — | 0 | 0.250† | 3.50 | 6,400 | v0 | 1 failed |

- mine: failed: ValueError: no
- published deep (course): a student's report, 2018

## How to read this

- n: seeds that ended well; ±: half-width of Student's 95% interval of their mean
- normalized: 0 at random actions, 1 at the pass mark, mean over seeds; \
†: failed cells count as the trivial anchor
- seconds: mean wall time of a cell; steps/s: environment steps a second of training
- hardware: cpu Test CPU, cores 2, threads 1
"""


def only_table(*records: Record, anchors: bool = False) -> dict[str, Row]:
    """The rows of the only table, by agent."""
    (table,) = leaderboard(records, title="quick", anchors=anchors).tables
    return {str(row["agent"]): row for row in table.rows}


def markdown(*records: Record) -> str:
    return render(leaderboard(records, title="quick"), "markdown")


def test_one_seed_has_no_interval() -> None:
    """A single run is shown as it is, without a half-width."""
    row = only_table(DEEP[0])["deep"]
    assert (row["half_width"], row["iqm_low"], row["iqm_high"]) == (None, None, None)
    assert " -5.000 |" in markdown(DEEP[0])


@pytest.mark.parametrize("state", ["failed", "timeout", "out-of-memory"])
def test_a_failed_cell_counts_as_the_trivial_anchor_and_is_marked(state: str) -> None:
    """Two runs at 1.25 and one at the trivial 0.25 make 0.917; the raw mean is of the two."""
    records = [DEEP[0], make_record(seed=1, score=-5.0), make_failure(state, seed=2)]
    row = only_table(*records)["deep"]
    assert row["normalized"] == pytest.approx((1.25 + 1.25 + 0.25) / 3)
    assert (row["mean"], row["n"], row["counted_as_trivial"]) == (-5.0, 2, 1)
    assert (row["state"], row["reason"]) == (f"2 ok, 1 {state}", f"{state}: ValueError: no")
    text = markdown(*records)
    assert " 0.917† |" in text
    assert "†: failed cells count as the trivial anchor" in text


@pytest.mark.parametrize("state", ["skipped", "stale"])
def test_skipped_and_stale_cells_are_shown_and_not_counted(state: str) -> None:
    """An agent that does not fit the spaces is absent from the score and present in the table."""
    row = only_table(DEEP[0], make_failure(state, "needs Discrete", agent="dqn"))["dqn"]
    assert (row["mean"], row["normalized"], row["n"], row["wall_seconds"]) == (None, None, 0, None)
    assert (row["state"], row["reason"]) == (f"1 {state}", f"{state}: needs Discrete")
    half = only_table(DEEP[0], make_failure(state, seed=1))["deep"]
    assert half["normalized"] == 1.25
    assert half["counted_as_trivial"] == 0


def test_rows_stand_best_first_with_published_figures_among_them() -> None:
    """By normalized score whatever its direction; nothing scored comes last."""
    records = [*WIDE, *DEEP, make_failure("skipped", "no", agent="dqn")]
    assert list(only_table(*records)) == ["deep (course)", "deep", "wide", "dqn"]
    up = {
        "higher_is_better": True,
        "anchors": ANCHORS | {"pass_mark": {"value": 4.0, "source": "course"}},
        "published": [PUBLISHED | {"value": 1.0}],
    }
    climbing = [
        make_record(score, normalized=score / 4, agent=agent, **up)
        for agent, score in {"low": 0.5, "high": 2.0}.items()
    ]
    assert list(only_table(*climbing)) == ["high", "deep (course)", "low"]
    assert "log10_mse ↑" in markdown(*climbing)
    assert "log10_mse ↓" in markdown(*records)


def test_published_figures_are_marked_once_with_their_source() -> None:
    """A row of its own with its normalized score, no seeds, and the source below."""
    row = only_table(*DEEP)["deep (course)"]
    assert (row["kind"], row["mean"], row["normalized"], row["state"]) == (
        "published",
        -6.0,
        1.5,
        "published",
    )
    assert markdown(*DEEP).count("deep (course) ") == 1
    assert "- published deep (course): a student's report, 2018\n" in markdown(*DEEP)


def test_anchors_are_rows_when_asked_for() -> None:
    """Random at 0, the pass mark at 1, in their places among the agents."""
    rows = only_table(*DEEP, anchors=True)
    assert list(rows) == ["best", "deep (course)", "deep", "pass mark", "trivial", "random"]
    assert [rows[name]["normalized"] for name in ("random", "pass mark")] == [0.0, 1.0]
    assert "best" not in only_table(*DEEP)


def test_versions_of_an_environment_are_never_averaged() -> None:
    """Numbers of v0 and v1 stand in tables of their own."""
    other = make_record(-1.0, seed=3, env_version="mlds/FunctionFitting-v1")
    tables = leaderboard([*DEEP, other], title="quick").tables
    assert [table.title for table in tables] == [
        "hw1-1/sinc (mlds/FunctionFitting-v0)",
        "hw1-1/sinc (mlds/FunctionFitting-v1)",
    ]
    assert [table.rows[-1]["n"] for table in tables] == [3, 1]


@pytest.mark.parametrize(
    ("changes", "note"),
    [
        ({"agent_hash": "a2"}, "seeds of deep differ in agent_hash"),
        ({"budget": {"env_steps": 1, "seconds": None}}, "seeds of deep differ in budget"),
        ({"test_episodes": 1}, "agents differ in test_episodes"),
    ],
)
def test_unlike_records_are_pointed_out(changes: dict[str, object], note: str) -> None:
    """Seeds of two versions of an agent, or tests of two sizes, are not averaged in silence."""
    mixed = markdown(*DEEP, make_record(seed=3).model_copy(update=changes))
    assert f"- {note}: run the variant again\n" in mixed
    assert "differ in" not in markdown(*DEEP, *WIDE)


def two_variants() -> list[Record]:
    sgn = [make_record(-1.0 - seed, seed=seed, variant="hw1-1/sgn") for seed in range(3)]
    failed = [make_failure(seed=seed, variant="hw1-1/sgn", agent="wide") for seed in range(2)]
    easy = make_record(-7.9, agent="spline", variant="hw1-1/sgn")
    return [*DEEP, *WIDE, *sgn, *failed, easy]


def test_over_variants_stands_the_interquartile_mean_of_all_runs() -> None:
    """Pooled runs of all variants, failed ones as trivial, and the interval around it."""
    overall = leaderboard(two_variants(), title="quick").tables[0]
    assert overall.title == "all variants"
    rows = {str(row["agent"]): row for row in overall.rows}
    deep = [5.0 / 4, 5.5 / 4, 6.0 / 4, 1.0 / 4, 2.0 / 4, 3.0 / 4]
    assert rows["deep"]["iqm"] == pytest.approx(scipy.stats.trim_mean(deep, 0.25))
    assert rows["wide"]["iqm"] == pytest.approx(np.mean([0.25, 3.0 / 4]))
    assert rows["wide"]["counted_as_trivial"] == 2
    assert (rows["deep"]["n"], rows["deep"]["variants"]) == (6, 2)
    low, high = rows["deep"]["iqm_low"], rows["deep"]["iqm_high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert low < float(np.mean(deep)) < high


def test_an_agent_on_few_variants_does_not_lead() -> None:
    """One good score on the variant of its choice comes after those who played all."""
    overall = leaderboard(two_variants(), title="quick").tables[0]
    assert [row["agent"] for row in overall.rows] == ["deep", "wide", "spline"]
    assert "1 of 2" in render(Page("t", (overall,)), "markdown")


def test_one_variant_needs_no_table_over_variants() -> None:
    """With one variant the table over all would say the same twice."""
    assert [t.title[:10] for t in leaderboard(DEEP, title="quick").tables] == ["hw1-1/sinc"]


@pytest.mark.parametrize("form", FORMS)
def test_the_same_records_give_the_same_bytes(form: str) -> None:
    """In any order, again and again."""
    records = two_variants()
    expected = render(leaderboard(records, title="quick"), form)
    for seed in range(3):
        random.Random(seed).shuffle(records)
        assert render(leaderboard(records, title="quick"), form) == expected


def test_a_row_does_not_depend_on_the_others() -> None:
    """An interval is drawn afresh for each row: a new agent changes no old line."""
    alone = leaderboard([r for r in two_variants() if r.agent == "deep"], title="quick")
    among = leaderboard(two_variants(), title="quick")
    assert alone.tables[0].rows[0] == among.tables[0].rows[0]


def test_the_page_reads_well() -> None:
    """The whole Markdown of a small leaderboard; its table stands in line on a terminal."""
    text = markdown(*DEEP, *WIDE, make_failure(agent="mine", reason="ValueError: no"))
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len({len(line) for line in lines}) == 1
    assert len(lines[0]) <= 120
    assert re.sub(" +", " ", re.sub("-{3,}", "---", text)) == PAGE


def test_tables_are_written_beside_each_preset(tmp_path: Path) -> None:
    """Four files a preset, equal to what is printed; pandas reads the CSV back."""
    store(tmp_path, *two_variants(), make_record(preset="course"))
    written = write_tables(tmp_path)
    suffixes = (".md", ".csv", ".tex", ".json")
    assert written == [tmp_path / (p + s) for p in ("course", "quick") for s in suffixes]
    pages = leaderboards(tmp_path)
    assert list(pages) == ["course", "quick"]
    assert (tmp_path / "quick.md").read_text() == render(pages["quick"], "markdown")
    assert (tmp_path / "quick.md").read_text().startswith("# mlds-bench, preset quick\n")
    frame = pd.read_csv(tmp_path / "quick.csv")
    deep = frame[(frame["agent"] == "deep") & (frame["variant"] == "hw1-1/sinc")]
    assert deep["mean"].tolist() == [-5.5]
    assert write_tables(tmp_path) == written


def test_tables_are_not_written_into_a_preset(tmp_path: Path) -> None:
    """Given the folder of a preset, no file lands among the records."""
    store(tmp_path, *DEEP)
    with pytest.raises(NoRecords, match="give the folder that holds the presets"):
        write_tables(tmp_path / "quick")
    assert record_path(tmp_path, DEEP[0]).is_file()
    assert [path.name for path in (tmp_path / "quick").iterdir()] == ["hw1-1"]
