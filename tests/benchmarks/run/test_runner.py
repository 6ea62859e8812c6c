"""Running cells: what is kept, what is run again, what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.variants import HOMEWORKS
from mlds_bench.benchmarks.run.engines import CannotSave
from mlds_bench.benchmarks.run.events import Event, Silent
from mlds_bench.benchmarks.run.runner import run, standing
from mlds_bench.leaderboard.record import read_record, read_task, task_path
from mlds_bench.leaderboard.results import read_results
from tests.benchmarks.run.files import CONSTANT, RAISES
from tests.benchmarks.short import left_over, run_quietly, short_cells

TORN = ["", "{", '{"variant": "hw1-1/sinc"}', "[]", "\x00\x00", '{"schema_version": 1}']


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and time of change of every file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(f.relative_to(folder)): (f.read_bytes(), f.stat().st_mtime_ns) for f in files}


class Witness(Silent):
    """Remembers what it was told."""

    def __init__(self) -> None:
        self.begun: list[tuple[int, int, int]] = []
        self.kinds: list[str] = []
        self.ends = 0

    def begin(self, todo: Any, finished: Any, stale: int) -> None:
        self.begun.append((len(todo), len(finished), stale))

    def event(self, event: Event) -> None:
        self.kinds.append(event.kind)

    def end(self) -> None:
        self.ends += 1


def test_a_second_run_runs_nothing_and_changes_no_byte(mine: Path, out: Path) -> None:
    """Finished cells are kept; the observer is told so."""
    cells = short_cells(mine, "random", seeds=[0, 1])
    run_quietly(cells, out)
    before, witness = contents(out), Witness()
    summary = run(cells, out, observer=witness)
    assert (len(summary.made), len(summary.found)) == (0, 4)
    assert contents(out) == before
    assert (witness.begun, witness.kinds, witness.ends) == ([(0, 4, 0)], [], 1)


def test_a_larger_run_runs_what_is_new(mine: Path, out: Path) -> None:
    """More seeds later: the old records stay as they are."""
    run_quietly(short_cells(mine, seeds=[1]), out)
    before = contents(out)
    summary = run_quietly(short_cells(mine, seeds=[0, 1, 2]), out)
    assert [record.seed for record in summary.found] == [1]
    assert sorted(record.seed for record in summary.made) == [0, 2]
    assert before.items() <= contents(out).items()


def test_an_edited_agent_is_stale_and_run_again(mine: Path, out: Path) -> None:
    """The record afterwards is the new agent's."""
    (old,) = run_quietly(short_cells(mine, "random"), out).records[:1]
    mine.write_text(CONSTANT.format(value=0.5))
    (cell, other) = short_cells(mine, "random")
    assert standing(cell, out)[0] == "stale"
    assert standing(other, out)[0] == "finished"
    witness = Witness()
    summary = run([cell, other], out, observer=witness)
    assert witness.begun == [(1, 1, 1)]
    assert witness.kinds[0] == "started"
    assert witness.kinds[-2:] == ["testing", "ended"]
    assert [record.agent for record in summary.made] == ["mine.py:Mine"]
    assert summary.made[0].provenance.key == cell.key != old.provenance.key
    assert summary.made[0].test.scores != old.test.scores
    assert standing(cell, out)[0] == "finished"


def test_other_settings_are_stale(mine: Path, out: Path) -> None:
    """Another budget under the same name is another result."""
    (cell,) = short_cells(mine)
    run_quietly([cell], out)
    assert standing(replace(cell, budget=replace(cell.budget, env_steps=64)), out)[0] == "stale"
    assert standing(cell, out / "elsewhere")[0] == "new"


def test_failed_cells_are_kept_until_asked_for_again(mine: Path, out: Path) -> None:
    """Failing is a result; ``retry`` runs it again, and nothing that went well."""
    mine.write_text(RAISES)
    cells = short_cells(mine, "random")
    first = run_quietly(cells, out)
    assert [record.state for record in first.failed] == ["failed"]
    again = run_quietly(cells, out)
    assert (again.made, len(again.failed_before)) == ([], 1)
    retried = run_quietly(cells, out, retry=True)
    assert [record.agent for record in retried.made] == ["mine.py:Mine"]
    assert standing(cells[0], out, retry=True)[0] == "retried"


def test_a_finished_cell_is_run_again_when_asked(out: Path) -> None:
    """Every one of those that are named, whatever its state; without asking none."""
    cells = short_cells("random", seeds=[0, 1])
    first = run_quietly(cells, out)
    assert standing(cells[0], out, again=True)[0] == "again"
    summary = run_quietly(cells, out, again=True)
    assert (len(summary.made), summary.found) == (2, [])
    starts = [{r.provenance.started_utc for r in one.made} for one in (first, summary)]
    assert max(starts[0]) < min(starts[1])
    assert standing(cells[0], out)[0] == "finished"
    assert cells[0].key == replace(cells[0], again=True).key


def test_an_agent_that_now_fails_says_so_when_asked_again(mine: Path, out: Path) -> None:
    """It reads a file that its key does not know; once it declares it, nobody needs to ask."""
    weights = mine.with_name("weights.txt")
    reads = CONSTANT.format(value="float(open(__file__[:-7] + 'weights.txt').read())")
    mine.write_text(reads)
    weights.write_text("0.1")
    run_quietly(short_cells(mine), out)
    weights.write_text("none")
    assert run_quietly(short_cells(mine), out).made == []
    (record,) = run_quietly(short_cells(mine), out, again=True).made
    assert (record.state, read_record(short_cells(mine)[0].path(out))) == ("failed", record)
    mine.write_text(f"files = ['weights.txt']\n{reads}")
    weights.write_text("0.1")
    (good,) = run_quietly(short_cells(mine), out).made
    assert standing(short_cells(mine)[0], out)[0] == "finished"
    weights.write_text("0.5")
    (other,) = run_quietly(short_cells(mine), out).made
    assert good.test.scores != other.test.scores


@pytest.mark.parametrize("content", TORN)
def test_a_torn_record_is_stale_and_run_again(out: Path, content: str) -> None:
    """What a crash left, or another version wrote, is no record; the others stand."""
    cells = short_cells("random", seeds=[0, 1])
    run_quietly(cells, out)
    torn = cells[1].path(out)
    torn.write_text(content)
    assert standing(cells[1], out) == ("stale", None)
    witness = Witness()
    summary = run(cells, out, observer=witness)
    assert witness.begun == [(1, 1, 1)]
    assert [record.seed for record in summary.made] == [1]
    assert read_record(torn).state == "ok"


def test_another_cells_record_is_no_record_here(out: Path) -> None:
    """A copied file does not stand for a result."""
    cells = short_cells("random", seeds=[0, 1])
    run_quietly(cells[:1], out)
    shutil.copy(cells[0].path(out), cells[1].path(out))
    assert standing(cells[1], out)[0] == "stale"
    assert [record.seed for record in run_quietly(cells, out).made] == [1]


def test_what_is_no_file_is_no_record(out: Path) -> None:
    """A folder in its place is stale, and the run that cannot replace it says so."""
    (cell,) = short_cells("random")
    cell.path(out).mkdir(parents=True)
    assert standing(cell, out)[0] == "stale"
    with pytest.raises(CannotSave, match=r"seed-0\.json"):
        run_quietly([cell], out)


def task_file(cell: Cell, out: Path) -> Path:
    return task_path(out, cell.task)


def test_what_the_records_of_a_variant_share_is_written_once(mine: Path, out: Path) -> None:
    """Beside them, when the run begins; later runs leave it as it is."""
    cells = short_cells(mine, "random", seeds=[0, 1])
    run_quietly(cells[:1], out)
    path = task_file(cells[0], out)
    assert path == out / "smoke/hw1-1/sinc/variant.json"
    assert read_task(path) == cells[0].task
    before = path.stat()
    run_quietly(cells, out)
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_other_words_are_written_and_records_stay_fresh(
    out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A new question, or anchor: nothing is run again, and no row is stale."""
    run_quietly(short_cells("random"), out)
    monkeypatch.setitem(HOMEWORKS, "hw1-1", "is deeper better?")
    (cell,) = short_cells("random")
    anchors = cell.variant.anchors
    best = anchors.best.model_copy(update={"source": "somebody else"})
    words = anchors.model_copy(update={"best": best})
    cell = replace(cell, variant=replace(cell.variant, anchors=words))
    summary = run_quietly([cell], out)
    assert (len(summary.made), len(summary.found)) == (0, 1)
    task = read_task(task_file(cell, out))
    assert (task.question, task.anchors.best.source) == ("is deeper better?", "somebody else")
    assert [result.state for result in read_results(out)] == ["ok"]


def test_another_task_makes_the_records_of_others_stale(out: Path) -> None:
    """Whoever is not run again under the new task is shown as stale, and not as a result."""
    random, constant = short_cells("random", "constant")
    run_quietly([random, constant], out)
    env_kwargs = {**random.variant.env_kwargs, "test_points": 512}
    other = replace(random, variant=replace(random.variant, env_kwargs=env_kwargs))
    assert [record.agent for record in run_quietly([other], out).made] == ["random"]
    states = {result.record.agent: result.state for result in read_results(out)}
    assert states == {"random": "ok", "constant": "stale"}


@pytest.mark.parametrize("content", TORN)
def test_a_torn_task_is_written_anew(out: Path, content: str) -> None:
    """It follows from the variant; no record is run again for it."""
    (cell,) = short_cells("random")
    run_quietly([cell], out)
    task_file(cell, out).write_text(content)
    assert run_quietly([cell], out).made == []
    assert read_task(task_file(cell, out)) == cell.task


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    """Before anything runs; also for root, who may write nearly everywhere."""
    (tmp_path / "file").write_text("")
    for folder in (tmp_path / "file", tmp_path / "file/below"):
        with pytest.raises(UsageError, match=r"cannot write to .*choose another folder"):
            run_quietly(short_cells("random"), folder)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["file"]


def test_a_record_that_cannot_be_saved_ends_the_run(out: Path) -> None:
    """The place of a record's folder is taken by a file."""
    cells = short_cells("random", "constant")
    folder = cells[0].path(out).parent
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    witness = Witness()
    with pytest.raises(CannotSave, match=r"seed-0\.json: .*(Not a directory|File exists)"):
        run(cells, out, observer=witness, workers=1)
    assert witness.ends == 1
    assert not cells[1].path(out).exists()
    assert left_over(out) == []


def test_a_variant_whose_folder_is_taken_ends_the_run(out: Path) -> None:
    """Before anything runs, in one line with the path."""
    cells = short_cells("random")
    (out / "smoke/hw1-1").mkdir(parents=True)
    (out / "smoke/hw1-1/sinc").write_text("in the way")
    with pytest.raises(CannotSave, match=r"sinc/variant\.json: (Not a directory|File exists)"):
        run_quietly(cells, out)


def test_what_a_killed_run_left_is_swept(mine: Path, out: Path) -> None:
    """Half-written files of the cells that are run; others' files stay."""
    cells = short_cells(mine, "random")
    for cell in cells:
        folder = cell.path(out).parent
        (folder / ".seed-0.partial").mkdir(parents=True)
        (folder / ".seed-0.partial/log.txt").write_text("half")
        (folder / ".seed-0.json.0badcafe.tmp").write_text('{"half')
    (out / "notes.txt").write_text("mine")
    run_quietly(cells, out)
    assert left_over(out) == []
    assert (out / "notes.txt").read_text() == "mine"


def test_records_are_strict_json_and_alone(out: Path) -> None:
    """No NaN, no temporary files; the writability probe is gone, too."""
    (cell,) = short_cells("random")
    run_quietly([cell], out)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(cell.path(out).read_text(), parse_constant=refuse)
    assert [path.name for path in out.iterdir()] == ["smoke"]
