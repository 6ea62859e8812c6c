"""Agents that spoil files and folders, and machines that refuse: a row each, and no more."""

from __future__ import annotations

import errno
import os
import re
import resource
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from mlds_bench.benchmarks.run import cell, outcome
from mlds_bench.benchmarks.run.agent_process import _limit
from mlds_bench.benchmarks.run.outcome import Outcome, keep_failure
from mlds_bench.leaderboard.record import read_record, write_record
from mlds_bench.leaderboard.results import read_results
from tests.benchmarks.records import MACHINE, record_of
from tests.benchmarks.run.engines.test_protocol import SpoolEngine
from tests.benchmarks.run.files import CONSTANT
from tests.benchmarks.short import PRESET, landscape_cell, left_over, run_quietly, short_cells
from tests.common.test_interpreter import shadow
from tests.processes import ROOT

NAMED = ["hw1-1/sinc", "--preset", "smoke", "--seeds", "0"]
SAVES = CONSTANT.format(value=0.1) + "    def save(self, folder):\n        import os, shutil, sys\n"
LINK = """
        foreign = folder.parents[5] / "foreign"
        folder.parent.rename(folder.parents[5] / "moved")
        folder.parent.symlink_to(foreign)
"""
SPOILS = {
    "link": (LINK, "failed", "the agent has moved or replaced .*py-Mine"),
    "locked": ("        folder.parent.chmod(0o500)\n", "ok", "^$"),
    "removed": ("        shutil.rmtree(folder)\n", "failed", "what the agent saved is gone"),
    "pipe": ("        os.mkfifo(folder.parent / 'seed-99.json')\n", "ok", "^$"),
    "source": ("        os.unlink(__file__)\n", "ok", "^$"),
}
SLOW = """
import time
import numpy as np
class Mine:
    def act(self, obs):
        time.sleep(0.3)
        return np.column_stack([-0.01 * obs["gradient"], np.ones(len(obs["loss"]))])
"""
SLEEPS = """
import time
from pathlib import Path
class Mine:
    def learn(self, env, budget):
        first = Path(__file__).with_name("first")
        is_first = not first.exists()
        first.touch()
        time.sleep(3.0)
        if {fails} and not is_first:
            time.sleep(2.0)
            raise RuntimeError("the second one fails")
    def act(self, obs):
        return [[0.1]] * len(obs)
    def save(self, folder):
        (folder / "weights.txt").write_text("1")
"""
LONG_PATHS = """
import tempfile
from multiprocessing import Manager
class Mine:
    def learn(self, env, budget):
        with Manager() as manager:
            assert manager.list([1])[0] == 1
        assert tempfile.gettempdir() != "/tmp"
    def act(self, obs):
        return [[0.1]] * len(obs)
"""
IMPORTS = """
import json, random, string
import helper
class Mine:
    def learn(self, env, budget):
        import statistics
        assert statistics.mean([1, 3]) == 2
    def act(self, obs):
        return [[helper.VALUE]] * len(obs)
"""


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    return tmp_path / "mine.py"


def command(mine: Path, out: Path) -> list[str]:
    """What a user types, for one short cell."""
    words = ["run", *NAMED, "-a", str(mine), "-o", str(out)]
    return [sys.executable, "-P", "-m", "tests.benchmarks.short", *words]


@pytest.mark.parametrize("spoil", SPOILS)
def test_an_agent_that_spoils_folders_is_a_row(
    mine: Path, out: Path, tmp_path: Path, spoil: str
) -> None:
    """The next cells run, and what belongs to others stays as it is."""
    code, state, reason = SPOILS[spoil]
    (tmp_path / "foreign/seed-0").mkdir(parents=True)
    (tmp_path / "foreign/seed-0/precious").write_text("precious")
    mine.write_text(SAVES + code)
    cells = short_cells(mine, "random")
    spoiler, other = run_quietly(cells, out, workers=1).made
    assert (spoiler.state, other.state) == (state, "ok"), spoiler.reason
    assert [path.name for path in (tmp_path / "foreign").iterdir()] == ["seed-0"]
    assert (tmp_path / "foreign/seed-0/precious").read_text() == "precious"
    records = {result.record.agent: result.record for result in read_results(out)}
    assert records["mine.py:Mine"] == spoiler
    assert re.search(reason, spoiler.reason)


def test_a_machine_that_refuses_a_process_makes_a_row(
    out: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The cell fails; the run and its other cells do not end for it."""

    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(errno.EAGAIN, os.strerror(errno.EAGAIN))

    monkeypatch.setattr(cell, "AgentLink", refuse)
    engine = SpoolEngine(tmp_path / "spool")
    summary = run_quietly(short_cells("random", "constant"), out, engine=engine)
    reason = "BlockingIOError in the harness: Resource temporarily unavailable"
    assert [(r.state, r.reason) for r in summary.made] == [("failed", reason)] * 2


def test_a_disk_that_the_agent_has_filled_makes_a_row(
    out: Path, tmp_path: Path, mine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What it has saved goes, so that the record has room."""
    mine.write_text(SAVES + "        (folder / 'weights.txt').write_text('1')\n")

    def write(record: object, path: Path) -> None:
        if path.with_suffix("").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        write_record(record, path)  # type: ignore[arg-type]

    monkeypatch.setattr(outcome, "write_record", write)
    engine = SpoolEngine(tmp_path / "spool")
    (record,) = run_quietly(short_cells(mine), out, engine=engine).made
    assert record.state == "failed"
    assert record.reason == "No space left on device, with what the agent has saved"


def test_a_whole_test_has_a_limit(mine: Path, out: Path) -> None:
    """Of forty answers each is in time, and all of them are not."""
    mine.write_text(SLOW)
    planned = landscape_cell(mine, pictures=False)
    planned = replace(planned, preset=replace(PRESET, test_seconds=2.0))
    (record,) = run_quietly([planned], out).made
    assert (record.state, record.reason) == ("timeout", "the test took longer than 2 s")


@pytest.mark.parametrize("fails", [False, True])
def test_two_runs_of_one_cell_at_once_leave_one_good_record(
    mine: Path, out: Path, tmp_path: Path, fails: bool
) -> None:
    """Also if the second one fails after the first has ended well."""
    mine.write_text(SLEEPS.format(fails=fails))
    runs = []
    for _ in range(2):
        process = subprocess.Popen(
            command(mine, out), cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        runs.append(process)
        while not (tmp_path / "first").exists():
            time.sleep(0.05)
        time.sleep(0.5)
    said = [process.communicate(timeout=120)[1] for process in runs]
    assert [process.returncode for process in runs] == [0, 0], said
    (result,) = read_results(out)
    assert (result.record.state, result.record.reason) == ("ok", "")
    assert (out / "smoke/hw1-1/sinc/mine.py-Mine/seed-0/weights.txt").read_text() == "1"
    assert left_over(out) == []


@pytest.mark.parametrize("again", [False, True])
def test_a_failure_replaces_a_good_record_only_when_asked(out: Path, again: bool) -> None:
    """And a good one of another key always."""
    (planned,) = short_cells("random")
    path = planned.path(out)
    write_record(record_of(planned), path)
    failed = Outcome(state="failed", reason="killed")
    asked = replace(planned, again=again)
    record = keep_failure(asked, failed, MACHINE, path)
    assert (record.state == "failed") == again
    assert read_record(path) == record
    other = replace(planned, seed=0, budget=replace(planned.budget, env_steps=64))
    assert keep_failure(other, failed, MACHINE, path).state == "failed"


def test_a_long_path_for_temporary_files_is_no_matter(
    mine: Path, out: Path, tmp_path: Path
) -> None:
    """Neither for us nor for what an agent starts."""
    mine.write_text(LONG_PATHS)
    folder = tmp_path / ("x" * 100)
    folder.mkdir()
    ended = subprocess.run(
        command(mine, out),
        cwd=ROOT,
        env={**os.environ, "TMPDIR": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (["run", *NAMED, "-a", "mine.py"], 0),
        (["run", *NAMED, "-a", "mine.py", "-p", "x=1"], 2),
        (["check", "mine.py"], 0),
    ],
)
def test_a_users_folder_shadows_no_library(
    mine: Path, tmp_path: Path, words: list[str], code: int
) -> None:
    """Though the command is given in it and the agent lies in it, beside what it imports."""
    shadow(tmp_path)
    script = tmp_path / "bin/mlds-bench"
    script.parent.mkdir()
    script.write_text("import runpy; runpy.run_module('tests.benchmarks.short', {}, '__main__')")
    (tmp_path / "helper.py").write_text("VALUE = 0.1")
    mine.write_text(IMPORTS)
    ended = subprocess.run(
        [sys.executable, str(script), *words],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == code, ended.stdout + ended.stderr
    assert "imported" not in ended.stderr


@pytest.mark.parametrize(
    ("theirs", "limit"), [((-1, -1), 100), ((-1, 70), 70), ((50, 70), 50), ((500, 700), 100)]
)
def test_the_smaller_limit_holds(
    monkeypatch: pytest.MonkeyPatch, theirs: tuple[int, int], limit: int
) -> None:
    """Ours, or one that the user has set: raising that is refused to most."""
    made = []
    monkeypatch.setattr(resource, "getrlimit", lambda _: theirs)
    monkeypatch.setattr(resource, "setrlimit", lambda *given: made.append(given))
    _limit(7, 100)
    assert made == [(7, (limit, limit))]
