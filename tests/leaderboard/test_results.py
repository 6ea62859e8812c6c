"""Results: what follows from record and task, and what is read when files are torn."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.leaderboard.record import (
    NoRecords,
    artifact_folder,
    record_path,
    replace_file,
    task_path,
)
from mlds_bench.leaderboard.results import STALE, Result, read_results
from mlds_bench.leaderboard.schema import NORMALIZED_BOUNDS
from mlds_bench.leaderboard.tables import leaderboard, write_tables
from tests.leaderboard.factory import (
    ANCHORS,
    content,
    game_result,
    make_failure,
    make_record,
    make_result,
    make_stale,
    make_task,
    of,
    store,
)


@pytest.mark.parametrize(
    ("result", "value", "counted", "normalized", "passed"),
    [
        (make_result(-2.0), -2.0, -2.0, 0.5, False),
        (make_result(-4.0), -4.0, -4.0, 1.0, True),
        (make_failure("failed"), None, -1.0, 0.25, False),
        (make_failure("timeout"), None, -1.0, 0.25, False),
        (make_failure("out-of-memory"), None, -1.0, 0.25, False),
        (make_failure("skipped"), None, None, None, False),
        (make_stale(scores={"log10_mse": -9.0}), None, None, None, False),
    ],
    ids=lambda value: value.state if isinstance(value, Result) else None,
)
def test_what_a_cell_counts_with(
    result: Result, value: float | None, counted: float | None, normalized: float, passed: bool
) -> None:
    """Its score if it ended well, the trivial anchor if it failed, else nothing."""
    assert result.primary_value == value
    assert (result.counted, result.normalized, result.passed) == (counted, normalized, passed)


@pytest.mark.parametrize(("score", "normalized"), [(-400.0, 2.0), (400.0, -1.0), (-8.0, 2.0)])
def test_a_normalized_score_has_bounds(score: float, normalized: float) -> None:
    """A hundred orders of magnitude below the pass mark carry no average."""
    assert make_result(score).normalized == normalized
    assert normalized in NORMALIZED_BOUNDS


def test_a_record_of_another_task_is_stale() -> None:
    """A result of another test size or argument is shown, with what to do, and counts nowhere."""
    stale = make_stale()
    assert (stale.state, stale.reason) == ("stale", STALE)
    assert (make_result().state, make_result().reason) == ("ok", "")
    assert make_failure("skipped", "no").reason == "no"


def test_passing_needs_every_mark() -> None:
    """The primary score alone does not pass where a secondary score has a mark."""
    scores = [
        {"name": "log10_mse", "higher_is_better": False},
        {"name": "sup_error", "higher_is_better": False, "mark": 0.2},
    ]
    assert make_result(-5.0).passed
    assert not make_result(-5.0, task={"scores": scores}).passed
    good = {"log10_mse": -5.0, "sup_error": 0.2}
    assert make_result(task={"scores": scores}, scores=good).passed


def test_a_record_and_a_task_that_do_not_belong_together_are_refused() -> None:
    with pytest.raises(ValueError, match=r"record is of quick/hw1-1/sinc, its task of course/hw1"):
        Result(make_record(), make_task(preset="course"))
    with pytest.raises(ValueError, match=r"primary score 'log10_mse' is not among.*: sup_error"):
        make_result(scores={"sup_error": 1.0})


MARK = {"pass_return": 2.0}


def test_seconds_to_pass_are_those_of_the_smoothed_return() -> None:
    """Weighted by episodes, over thirty or more; the first moment at the mark."""
    passing = game_result([0.0, 4.0, 3.0, 3.0], [10, 20, 15, 15], score=2.0, task=MARK)
    assert passing.seconds_to_pass == 120.0  # (0 x 10 + 4 x 20) / 30 = 2.67
    higher = game_result(
        [0.0, 4.0, 3.0, 3.0], [10, 20, 15, 15], score=2.0, task={"pass_return": 3.2}
    )
    assert higher.seconds_to_pass == 180.0  # (4 x 20 + 3 x 15) / 35 = 3.57


def test_a_lucky_start_is_no_pass() -> None:
    """A mean of fewer than thirty episodes, or ten stretches, is not enough."""
    lucky = game_result([9.0, -9.0, -9.0], [1, 40, 40], score=2.0, task=MARK)
    assert lucky.seconds_to_pass is None
    negative = [-1.0, *[9.0] * 8]
    assert game_result([*negative], score=2.0, task=MARK).seconds_to_pass is None
    assert game_result([*negative, 9.0], score=2.0, task=MARK).seconds_to_pass == 600.0


@pytest.mark.parametrize(
    ("score", "task"),
    [(1.9, MARK), (2.0, {"pass_return": None}), (2.0, {"pass_return": 4.5})],
    ids=["the test did not pass", "training reward says nothing", "never reached"],
)
def test_without_a_pass_there_are_no_seconds(score: float, task: dict[str, Any]) -> None:
    """The test decides, not the training reward, which an agent may echo from the oracle."""
    assert game_result([4.0, 4.0], [30, 30], score=score, task=task).seconds_to_pass is None


def test_without_episodes_there_are_no_seconds() -> None:
    assert game_result([None, None], score=2.0, task=MARK).seconds_to_pass is None
    assert game_result([], score=2.0, task=MARK).seconds_to_pass is None


def test_steps_per_second_are_those_of_training() -> None:
    assert make_result().steps_per_second == 6_400.0
    assert make_result(env_steps=0).steps_per_second is None
    assert make_result(train_seconds=None).steps_per_second is None


def test_all_records_are_read_and_artifacts_are_not(tmp_path: Path) -> None:
    """A file of an agent's own that is named like a record is none; temporary files are none."""
    made = [make_result(seed=seed, agent=agent) for agent in ("deep", "wide") for seed in (0, 1)]
    store(tmp_path / "seed-7", *made)
    artifacts = artifact_folder(record_path(tmp_path / "seed-7", made[0].record))
    replace_file(artifacts / "seed-0.json", "{}")
    replace_file(artifacts.parent / ".seed-2.json.0a.tmp", "{")
    assert list(read_results(tmp_path / "seed-7")) == made
    assert read_results(tmp_path / "seed-7").problems == ()
    assert list(read_results(tmp_path / "seed-7/quick/hw1-1/sinc/wide")) == made[2:]


def test_records_of_different_sources_stand_apart(tmp_path: Path) -> None:
    """An agent's file was changed, or is another one's: what ran last has the label.

    Of built-in agents the version counts, and the source is evidence.
    """
    own: dict[str, Any] = {"agent": "mine.py:Mine", "agent_version": None}
    old: dict[str, Any] = {"source_hash": "0ld0ld0ld0", "started_utc": "2026-05-09T07:35:25Z"}
    new: dict[str, Any] = {"source_hash": "newnewnewn", "started_utc": "2026-05-09T08:00:00Z"}
    mixed = [make_result(seed=seed, **own, **(new if seed < 2 else old)) for seed in range(5)]
    built_in = [make_result(seed=seed, source_hash=f"a{seed}") for seed in range(2)]
    store(tmp_path, *mixed, *built_in)
    found = [(one.record.agent, one.record.seed) for one in read_results(tmp_path)]
    assert found == [
        ("deep", 0),
        ("deep", 1),
        ("mine.py:Mine", 0),
        ("mine.py:Mine", 1),
        *(("mine.py:Mine (source 0ld0ld0l)", seed) for seed in (2, 3, 4)),
    ]
    page = leaderboard(read_results(tmp_path), title="apart")
    counts = {row["agent"]: row["n"] for row in page.tables[-1].rows if row["kind"] == "agent"}
    assert counts == {"deep": 2, "mine.py:Mine": 2, "mine.py:Mine (source 0ld0ld0l)": 3}
    assert not any("differ in source" in note for note in page.tables[-1].notes)
    assert write_tables(tmp_path)


def test_a_folder_may_be_relative(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The task is found from within the folder of an agent, too."""
    store(tmp_path, make_result())
    monkeypatch.chdir(tmp_path / "quick/hw1-1/sinc/deep")
    assert list(read_results(".")) == [make_result()]


def test_torn_and_misplaced_records_are_skipped_and_named(tmp_path: Path) -> None:
    """One bad file costs itself, and says where it lies, what is wrong and what to do."""
    store(tmp_path, make_result())
    record_path(tmp_path, make_record(seed=1)).write_text('{"schema_version": 2, "var')
    record_path(tmp_path, make_record(seed=2)).write_text(json.dumps(content(seed=3)))
    path = record_path(tmp_path, make_record(seed=4))
    path.write_text(json.dumps(content(seed=4, scores={"sup_error": 1.0})))
    results = read_results(tmp_path)
    assert list(results) == [make_result()]
    torn, misplaced, incomplete = results.problems
    assert torn.startswith("quick/hw1-1/sinc/deep/seed-1.json: not a JSON document")
    assert torn.endswith("; delete it or run the cell again")
    assert "seed-2.json: its content belongs at quick/hw1-1/sinc/deep/seed-3.json" in misplaced
    assert "seed-4.json: primary score 'log10_mse' is not among its scores" in incomplete
    assert all("\n" not in problem for problem in results.problems)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (None, "variant.json is missing"),
        ("{", "variant.json: not a JSON document"),
        ("{}", r"variant.json: preset: Field required"),
    ],
)
def test_a_variant_without_its_task_is_skipped_and_named_once(
    tmp_path: Path, text: str | None, problem: str
) -> None:
    """The other variants are still read."""
    lost = [make_result(seed=seed, variant="hw1-1/sgn") for seed in range(3)]
    store(tmp_path, make_result(), *lost)
    path = task_path(tmp_path, lost[0].task)
    path.unlink() if text is None else path.write_text(text)
    results = read_results(tmp_path)
    assert len(results) == 1
    (line,) = results.problems
    assert line.startswith(f"quick/hw1-1/sgn: {problem}")
    assert line.endswith("so its records are left out; run the variant again")


@pytest.mark.parametrize(("folder", "problem"), [("", "no records in it"), ("x", "no such folder")])
def test_a_folder_without_records_is_an_error(tmp_path: Path, folder: str, problem: str) -> None:
    """An empty or missing folder says so, and how records come about."""
    with pytest.raises(NoRecords, match=f"{problem}.*mlds-bench run"):
        read_results(tmp_path / folder)


def test_a_folder_of_torn_records_only_is_an_error(tmp_path: Path) -> None:
    """It says what is wrong with the first of them."""
    store(tmp_path, make_result())
    record_path(tmp_path, make_record()).write_text("{")
    with pytest.raises(NoRecords, match=r"no records in it.*seed-0\.json: not a JSON document"):
        read_results(tmp_path)


def test_results_are_chosen_with_their_problems() -> None:
    """A part of the results still says what could not be read."""
    results = of([make_result(), make_result(agent="wide")], "a problem")
    chosen = results.only(lambda one: one.record.agent == "wide")
    assert ([one.record.agent for one in chosen], chosen.problems) == (["wide"], ("a problem",))


def test_the_trivial_anchor_is_bounded_too() -> None:
    anchors = ANCHORS | {"trivial": {"value": 400.0, "source": "diverges"}}
    assert make_failure(task={"anchors": anchors}).normalized == NORMALIZED_BOUNDS[0]
