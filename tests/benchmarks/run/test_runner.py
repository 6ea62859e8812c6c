"""Running cells: what is kept, what is run again, what is refused."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.run.engines.local import CannotSave
from mlds_bench.benchmarks.run.events import Event, Silent
from mlds_bench.benchmarks.run.runner import run, standing
from mlds_bench.leaderboard.record import TornRecord, read_records, strip_times
from tests.benchmarks.short import TEST_POINTS, left_over, run_quietly, short_cells

CONSTANT = """
class Mine:
    num_envs = 64
    def learn(self, env, budget):
        env.reset()
        while True:
            env.step(self.act(range(64)))
    def act(self, obs):
        return [[{value}]] * len(obs)
"""
RAISES = """
class Mine:
    def act(self, obs):
        raise RuntimeError("no idea")
"""
UNSUPPORTED = """
from mlds_bench.agents.base import Unsupported
class Mine:
    def __init__(self, observation_space):
        raise Unsupported(f"not in {observation_space.shape}")
    def act(self, obs): ...
"""
REPEATABLE = """
class Mine:
    def act(self, obs):
        import os, torch
        assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
        return [[float(torch.are_deterministic_algorithms_enabled())]] * len(obs)
"""


def contents(folder: Path) -> dict[str, tuple[bytes, int]]:
    """Bytes and time of change of every file below a folder."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(f.relative_to(folder)): (f.read_bytes(), f.stat().st_mtime_ns) for f in files}


def stripped(folder: Path) -> list[dict[str, Any]]:
    return [strip_times(record) for record in read_records(folder)]


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(CONSTANT.format(value=0.1))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


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


def test_a_record_says_what_was_run(mine: Path, out: Path) -> None:
    """Against the cell it came from; the test is as large as the variant says."""
    (cell,) = short_cells(mine)
    (record,) = run_quietly([cell], out).records
    assert record.state == "ok"
    assert (record.key, record.agent_hash) == (cell.key, cell.agent.source_hash())
    assert record.identity == cell.identity
    assert record.test_episodes == TEST_POINTS
    assert (record.env_steps, record.stopped_by) == (cell.budget.env_steps, "env_steps")
    assert record.budget.env_steps == cell.budget.env_steps
    assert record.curve[-1].env_steps == record.env_steps
    one_step_each = sum(point.episodes or 0 for point in record.curve)
    assert one_step_each == record.env_steps
    rewards = [point.reward for point in record.curve]
    assert -1 < min(rewards) <= max(rewards) < 0
    assert record.threads == cell.variant.threads
    assert 0 < (record.train_seconds or 0) < record.wall_seconds
    assert 0 < (record.eval_seconds or 0) < record.wall_seconds
    assert 10 < (record.peak_memory_mb or 0) < 4096


def test_a_second_run_runs_nothing_and_changes_no_byte(mine: Path, out: Path) -> None:
    """Finished cells are kept; the watcher is told so."""
    cells = short_cells(mine, "random", seeds=[0, 1])
    run_quietly(cells, out)
    before, witness = contents(out), Witness()
    summary = run(cells, out, watcher=witness)
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
    summary = run([cell, other], out, watcher=witness)
    assert witness.begun == [(1, 1, 1)]
    assert witness.kinds[0] == "started"
    assert witness.kinds[-2:] == ["testing", "ended"]
    assert [record.agent for record in summary.made] == ["mine.py:Mine"]
    assert summary.made[0].key == cell.key != old.key
    assert summary.made[0].scores != old.scores
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


def test_an_agent_that_does_not_fit_is_skipped(mine: Path, out: Path) -> None:
    """With its own words as the reason; skipped is not failed, and is not tried again."""
    mine.write_text(UNSUPPORTED)
    cells = short_cells(mine)
    summary = run_quietly(cells, out)
    (record,) = summary.records
    assert (record.state, record.normalized) == ("skipped", None)
    assert record.reason.startswith("not in (1,)")
    assert summary.failed == []
    assert run_quietly(cells, out, retry=True).made == []


def test_the_spline_skips_products(out: Path) -> None:
    """A reference agent that knows its limits."""
    (record,) = run_quietly(short_cells("spline", variant="hw1-1/product"), out).records
    assert record.state == "skipped"


@pytest.mark.parametrize("content", ["", "{", '{"variant": "hw1-1/sinc"}', "[]", "\x00\x00"])
def test_a_torn_record_ends_the_run_before_it_begins(out: Path, content: str) -> None:
    """Nobody's file is overwritten: the line names it."""
    cells = short_cells("random", seeds=[0, 1])
    path = cells[1].path(out)
    path.parent.mkdir(parents=True)
    path.write_text(content)
    with pytest.raises(TornRecord, match=r"seed-1\.json"):
        run_quietly(cells, out)
    assert path.read_text() == content
    assert not cells[0].path(out).exists()


def test_another_cells_record_is_no_record_here(out: Path) -> None:
    """A copied file does not stand for a result."""
    cells = short_cells("random", seeds=[0, 1])
    run_quietly(cells[:1], out)
    shutil.copy(cells[0].path(out), cells[1].path(out))
    with pytest.raises(TornRecord, match="belongs at"):
        run_quietly(cells, out)


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
        run(cells, out, watcher=witness, workers=1)
    assert witness.ends == 1
    assert not cells[1].path(out).exists()
    assert left_over(out) == []


def test_workers_and_folders_do_not_change_a_record(mine: Path, tmp_path: Path) -> None:
    """On one worker, on two, and again elsewhere: the same but for times."""
    cells = [*short_cells("shallow"), *short_cells(mine, "random", "constant", seeds=[0, 1])]
    for name, workers in (("one", 1), ("two", 2), ("again", 2)):
        run_quietly(cells, tmp_path / name, workers=workers)
    one = stripped(tmp_path / "one")
    assert len(one) == 7
    assert {record["state"] for record in one} == {"ok"}
    assert one == stripped(tmp_path / "two") == stripped(tmp_path / "again")


def test_seeds_differ(mine: Path, out: Path) -> None:
    """Else equal records would prove nothing: the test hangs on the seed."""
    records = run_quietly(short_cells("random", mine, seeds=[0, 1]), out).records
    scores = [record.scores["log10_mse"] for record in records]
    assert len(set(scores)) == 4


def test_agents_meet_the_same_test(out: Path, mine: Path) -> None:
    """Two agents that answer alike score alike, to the last bit; another seal is another test."""
    twin = mine.with_name("twin.py")
    twin.write_text(mine.read_text())
    one, two = run_quietly(short_cells(mine, twin), out).records
    assert one.scores == two.scores


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


def test_artifacts_of_an_older_record_go(mine: Path, out: Path) -> None:
    """What lies beside a record belongs to it."""
    saves = "    def save(self, folder):\n        (folder / 'weights.txt').write_text('1')\n"
    mine.write_text(CONSTANT.format(value=0.1) + saves)
    (cell,) = short_cells(mine)
    run_quietly([cell], out)
    folder = cell.path(out).with_suffix("")
    assert [path.name for path in folder.iterdir()] == ["weights.txt"]
    mine.write_text(CONSTANT.format(value=0.1))
    run_quietly(short_cells(mine), out)
    assert not folder.exists()


def test_records_are_strict_json_and_alone(out: Path) -> None:
    """No NaN, no temporary files; the writability probe is gone, too."""
    (cell,) = short_cells("random")
    run_quietly([cell], out)

    def refuse(name: str) -> None:
        raise AssertionError(name)

    json.loads(cell.path(out).read_text(), parse_constant=refuse)
    assert [path.name for path in out.iterdir()] == ["smoke"]


@pytest.mark.parametrize(("device", "error"), [("cpu", 1.0), ("meta", 1.217)])
def test_an_accelerator_is_told_to_repeat_and_named(
    tmp_path: Path, device: str, error: float
) -> None:
    """The agent tells by a constant: against sinc 0 errs by its 1, and 1 by its -0.217."""
    (tmp_path / "mine.py").write_text(REPEATABLE)
    cells = [replace(cell, device=device) for cell in short_cells(tmp_path / "mine.py")]
    (record,) = run_quietly(cells, tmp_path / "out").records
    assert record.state == "ok", record.reason
    assert record.scores["sup_error"] == pytest.approx(error, abs=0.01)
    assert record.hardware.get("accelerator") == (None if device == "cpu" else device)
