from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import scipy.stats

from mlds_bench.leaderboard.compare import Side, compare, find_side
from mlds_bench.leaderboard.record import NoRecords, record_path
from mlds_bench.leaderboard.render import FORMS, Row, render
from mlds_bench.leaderboard.results import Result
from tests.leaderboard.factory import make_failure, make_record, make_result, make_stale, of, store


def side(name: str, *scores: float, **changes: Any) -> Side:
    """An agent of this name with these log10_mse, one per seed."""
    settings: dict[str, Any] = {"agent": name} | changes
    return Side(name, of([make_result(s, seed=k, **settings) for k, s in enumerate(scores)]))


def rows(a: Side, b: Side) -> tuple[Row, ...]:
    return compare(a, b).tables[0].rows


def together(name: str, *sides: Side) -> Side:
    return Side(name, of([result for part in sides for result in part.results]))


def on_both(name: str, sinc: tuple[float, ...], sgn: tuple[float, ...]) -> Side:
    return together(name, side(name, *sinc), side(name, *sgn, variant="hw1-1/sgn"))


def test_a_row_has_the_difference_and_who_is_better() -> None:
    """Welch's interval by scipy; a lower error is better, so the deep network wins always."""
    deep, wide = (-5.0, -5.5, -6.0), (-3.0, -3.5, -3.1, -3.2)
    (row,) = rows(side("deep", *deep), side("wide", *wide))
    expected = scipy.stats.ttest_ind(deep, wide, equal_var=False).confidence_interval()
    assert row["a_mean"] == -5.5
    assert row["b_mean"] == pytest.approx(-3.2)
    assert row["difference"] == pytest.approx(-2.3)
    assert row["difference_low"] == pytest.approx(expected.low)
    assert row["difference_high"] == pytest.approx(expected.high)
    assert (row["a_better"], row["a_better_low"], row["a_better_high"]) == (1.0, None, None)
    assert (row["a_n"], row["b_n"]) == (3, 4)


def test_from_ten_seeds_on_intervals_are_the_bootstraps() -> None:
    """Below, it covers far less than 95%, and stands nowhere."""
    ten = tuple(-3.0 - 0.1 * k for k in range(10))
    a, b = on_both("deep", ten, ten), on_both("wide", ten[::-1], tuple(x + 1.0 for x in ten))
    first, _, last = rows(a, b)
    assert isinstance(first["a_better_low"], float)
    assert last["score"] == "IQM normalized"
    assert isinstance(last["difference_low"], float)
    *_, last = rows(on_both("deep", ten[:9], ten), b)
    assert (last["score"], last["a_better_low"]) == ("mean normalized", None)


def test_the_sides_change_places() -> None:
    """b against a is the mirror image."""
    a, b = side("deep", -5.0, -2.0, -4.0), side("wide", -3.0, -3.5)
    (there,), (back,) = rows(a, b), rows(b, a)
    assert there["difference"] == -back["difference"]  # type: ignore[operator]
    assert there["a_better"] == pytest.approx(1 - back["a_better"])  # type: ignore[operator]
    assert there["a_better"] == pytest.approx(4 / 6)


def test_one_seed_gives_no_interval() -> None:
    """The difference stands, its interval is a dash."""
    (row,) = rows(side("deep", -5.0), side("wide", -3.0, -3.5))
    assert row["difference"] == -1.75
    assert (row["difference_low"], row["a_better_low"]) == (None, None)
    assert " — |" in render(compare(side("deep", -5.0), side("wide", -3.0)), "markdown")


def test_failures_count_as_trivial_and_are_marked() -> None:
    """A failed cell enters with the trivial -1 and the mark; a skipped or stale one does not."""
    failed = make_failure(agent="deep", seed=1)
    skipped = make_failure("skipped", "no", agent="deep", seed=2)
    stale = make_stale(agent="deep", seed=3)
    deep = Side("deep", of([*side("deep", -5.0).results, failed, skipped, stale]))
    (row,) = rows(deep, side("wide", -3.0))
    assert (row["a_mean"], row["a_n"], row["a_counted_as_trivial"]) == (-3.0, 2, 1)
    assert row["b_counted_as_trivial"] == 0
    text = render(compare(deep, side("wide", -3.0)), "markdown")
    assert " ± 25† | -3.000 |" in re.sub(" +", " ", text)


def test_over_all_shared_variants() -> None:
    """Means of the normalized scores, and wins averaged over variants."""
    a = on_both("deep", (-5.0, -6.0), (-1.0, -2.0))
    b = on_both("wide", (-3.0, -3.5), (-2.0, -3.0))
    *_, last = rows(a, b)
    assert last["variant"] == "all"
    assert last["a_mean"] == pytest.approx((5.0 + 6.0 + 1.0 + 2.0) / 4 / 4)
    assert last["b_mean"] == pytest.approx((3.0 + 3.5 + 2.0 + 3.0) / 4 / 4)
    assert last["difference"] == pytest.approx(2.5 / 16)
    assert last["a_better"] == pytest.approx((1 + 0.5 / 4) / 2)
    low, high = last["difference_low"], last["difference_high"]
    assert isinstance(low, float)
    assert isinstance(high, float)
    assert (low + high) / 2 == pytest.approx(2.5 / 16)


def test_what_only_one_side_has_is_named() -> None:
    """A variant without a partner is no row, and not silently absent."""
    a, b = on_both("deep", (-5.0,), (-1.0,)), side("wide", -3.0)
    page = compare(a, b)
    assert len(page.tables[0].rows) == 1
    assert page.notes[0] == "only in deep: hw1-1/sgn mlds/FunctionFitting-v0 log10_mse"
    assert compare(b, a).notes[0] == page.notes[0]


def test_much_that_only_one_side_has_is_counted() -> None:
    """A family of a hundred variants is no line of nineteen thousand characters."""
    family = (side("wide", -3.0, variant=f"hw1-1/net-{k}") for k in range(100))
    note, *_ = compare(together("wide", side("wide", -3.0), *family), side("deep", -5.0)).notes
    assert note.startswith("only in wide: 100 results on 100 variants (hw1-1/net-0, hw1-1/net-1, ")
    assert len(note) < 200


def test_versions_of_an_environment_are_not_compared() -> None:
    """v0 against v1 shares nothing, and the error says what either side has."""
    other = side("wide", -3.0, task={"environment": "mlds/FunctionFitting-v1"})
    with pytest.raises(NoRecords, match=r"share no variant.*Fitting-v0.*wide has.*Fitting-v1"):
        compare(side("deep", -5.0), other)


def test_folders_are_paired_by_agent() -> None:
    """Of two runs with several agents, each agent is compared with itself."""
    a = together("before", side("deep", -5.0), side("wide", -3.0))
    b = together("after", side("deep", -5.5), side("wide", -3.0), side("new", -9.0))
    page = compare(a, b)
    found = {row.get("agent"): row["difference"] for row in page.tables[0].rows}
    assert found == {"deep": 0.5, "wide": 0.0, None: -0.0625}
    assert [c.title for c in page.tables[0].columns][:2] == ["variant", "agent"]
    assert page.notes[0].startswith("only in after: ")


def test_presets_are_paired_unless_each_side_has_one() -> None:
    """One preset against another is a question of budgets; several are matched by name."""
    quick, course = side("deep", -5.0), side("deep", -6.0, preset="course")
    assert rows(quick, course)[0]["preset"] == "quick / course"
    both = together("both", quick, course)
    assert [row.get("preset") for row in rows(both, both)] == ["course", "quick", None]


@pytest.mark.parametrize("form", FORMS)
def test_every_form_prints_it_and_repeats(form: str) -> None:
    """The same renderers, the same bytes whatever the order of the records."""
    a = on_both("deep", (-5.0, -6.1, -2.3, -4.8, -3.7), (-1.0, -2.0, -3.5, -4.1))
    b = on_both("wide", (-3.0, -4.2, -5.9, -2.2, -4.4), (-2.0, -3.0, -1.7, -1.9))
    text = render(compare(a, b), form)
    assert text == render(compare(Side("deep", of(a.results.items[::-1])), b), form)
    assert "wide" in text


def stored(out: Path) -> list[Result]:
    results = [*side("deep", -5.0).results, *side("wide", -3.0).results]
    store(out, *results)
    return results


def test_an_unbounded_score_does_not_carry_the_comparison() -> None:
    """Over variants a hundred orders of magnitude count as the upper bound, 2."""
    *_, last = rows(on_both("deep", (-400.0,), (-2.0,)), on_both("wide", (-8.0,), (-2.0,)))
    assert (last["a_mean"], last["b_mean"], last["difference"]) == (1.25, 1.25, 0.0)


def test_sides_that_were_tested_differently_are_named() -> None:
    """Another size of the test may be compared, and is not passed over."""
    other = side("wide", -3.0, task={"test_envs": 8})
    notes = compare(side("deep", -5.0), other).notes
    assert "hw1-1/sinc: the sides differ in test_envs" in notes
    assert not any("sides differ" in note for note in compare(other, other).notes)


def test_unlike_seeds_are_named() -> None:
    """Seeds of two versions are averaged with a note, never silently."""
    mixed = together("deep", side("deep", -5.0), side("deep", -5.0, -4.0, agent_version=2))
    assert "deep: seeds of deep on hw1-1/sinc differ in version: run the cells again" in (
        compare(mixed, side("wide", -3.0)).notes
    )


def test_a_torn_record_is_named_and_the_rest_compared(tmp_path: Path) -> None:
    stored(tmp_path)
    record_path(tmp_path, make_record(seed=1)).write_text("{")
    page = compare(find_side("deep", tmp_path), find_side("wide", tmp_path))
    assert len(page.tables[0].rows) == 1
    assert [note for note in page.notes if note.startswith("skipped ")] == [
        f"skipped {problem}" for problem in find_side("wide", tmp_path).results.problems
    ]


def test_a_name_is_a_folder_or_an_agent(tmp_path: Path) -> None:
    """A folder gives all its records, a label those of the agent in the run."""
    deep, wide = stored(tmp_path)
    assert find_side("wide", tmp_path) == Side("wide", of([wide]))
    assert find_side(str(tmp_path), "elsewhere") == Side(str(tmp_path), of([deep, wide]))


def test_a_wrong_name_gets_the_nearest(tmp_path: Path) -> None:
    """A typo in an agent's label is answered with the label that was meant."""
    stored(tmp_path)
    with pytest.raises(NoRecords, match=r"unknown agent or folder 'dep': did you mean 'deep'\?"):
        find_side("dep", tmp_path)
