"""Agents that do what agents should not, all in one run: a row each, and the others run on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from mlds_bench.leaderboard.record import Record
from mlds_bench.leaderboard.results import Result, read_results
from tests.benchmarks.run.hostile import AGENTS, SECRET
from tests.benchmarks.short import BUDGET, alive_with, left_over, run_quietly, short_cells
from tests.processes import ROOT

MARK = f"MLDS_BENCH_TEST_HOSTILE_{os.getpid()}"


@dataclass(frozen=True)
class Run:
    """What a run left."""

    folder: Path
    results: dict[str, Result]
    command: subprocess.CompletedProcess[str]
    pid: int
    left: list[str]

    def record(self, name: str) -> Record:
        return self.results[name].record


def run_agents(folder: Path, sources: dict[str, str], *options: str) -> Run:
    """Run agents' files under a secret seal, as a user does."""
    for name, source in sources.items():
        (folder / f"{name}.py").write_text(source)
    files = ",".join(str(folder / f"{name}.py") for name in sources)
    out = folder / "out"
    command = [sys.executable, "-m", "tests.benchmarks.short", "run", "hw1-1/sinc"]
    command += ["--preset", "smoke", "--workers", "3", "-a", files, "-o", str(out), *options]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", MARK: "1", "MLDS_BENCH_SEAL": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    said, error = process.communicate(timeout=400)
    deadline = time.monotonic() + 5
    while alive_with(MARK) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [" ".join(process.cmdline()) for process in alive_with(MARK)]
    for survivor in alive_with(MARK):
        survivor.kill()
    results = list(read_results(out)) if out.exists() else []
    return Run(
        folder,
        {result.record.agent.partition(".py")[0]: result for result in results},
        subprocess.CompletedProcess(command, process.returncode, said, error),
        process.pid,
        left,
    )


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    sources = {name: agent.source for name, agent in AGENTS.items()}
    return run_agents(tmp_path_factory.mktemp("hostile"), sources)


def test_the_command_says_that_cells_failed(run: Run) -> None:
    """Exit code 1, no traceback of ours, one line per cell."""
    assert run.command.returncode == 1, run.command.stderr
    assert "Traceback" not in run.command.stderr
    assert len(re.findall(r"^\[\d+/\d+\] ", run.command.stderr, re.M)) == len(AGENTS)


@pytest.mark.parametrize("name", AGENTS)
def test_every_agent_has_its_row(run: Run, name: str) -> None:
    """State and reason, in one line of bearable length."""
    record, agent = run.record(name), AGENTS[name]
    assert record.state == agent.state, record.reason
    assert re.search(agent.reason, record.reason)
    assert len(record.reason) < 1000
    assert "\n" not in record.reason


@pytest.mark.parametrize("name", [name for name, agent in AGENTS.items() if agent.state != "ok"])
def test_a_cell_that_did_not_go_well_has_no_scores(run: Run, name: str) -> None:
    """It has passed nothing, and its reason stands on the screen, too."""
    assert run.record(name).test.scores == {}
    assert not run.results[name].passed
    assert run.record(name).reason in run.command.stderr


def test_a_failed_cell_counts_as_trivial_and_a_skipped_one_does_not(run: Run) -> None:
    """An agent cannot drop its bad seeds by declining once it has learned or seen the test."""
    for name in ("unsupported_in_learn", "unsupported_in_act", "hangs_in_act", "hog"):
        assert run.results[name].counted_as_trivial, name
    assert run.results["unsupported"].counted is None


@pytest.mark.parametrize("name", ["computes", "sleeps"])
def test_who_does_not_step_is_interrupted_and_tested(run: Run, name: str) -> None:
    """At the end of its seconds, as it stands then."""
    record = run.record(name)
    assert record.training.stopped_by == "seconds"
    assert record.training.env_steps == 0
    assert BUDGET.seconds < (record.cost.train_seconds or 0.0) < BUDGET.seconds + 4.0


def test_resets_are_paid_for(run: Run) -> None:
    """Whoever only resets has spent its budget, and has no curve to show for it."""
    training = run.record("only_resets").training
    assert (training.env_steps, training.stopped_by) == (BUDGET.env_steps, "env_steps")
    assert training.curve == ()


def test_who_echoes_the_oracle_passes_nothing(run: Run) -> None:
    """Its training reward is perfect; passed is what the test says."""
    result = run.results["echoes"]
    assert max(point.reward for point in result.record.training.curve) == 0.0
    assert not result.passed
    assert result.seconds_to_pass is None


def test_time_is_the_harnesss(run: Run) -> None:
    """An agent that stops its own clock, and sleeps for 0.5 s, is timed all the same."""
    record = run.record("stops_the_clock")
    assert record.training.curve[-1].seconds > 0.4
    assert (record.cost.train_seconds or 0.0) > 0.4


def test_nothing_is_left_behind(run: Run) -> None:
    """No process, no half-written file, no shared memory."""
    assert run.left == []
    assert left_over(run.folder) == []


def test_no_cell_died_for_its_agent(run: Run) -> None:
    """Whatever the agent does, its cell's own process stays in order."""
    died = [name for name in AGENTS if "the cell's own process" in run.record(name).reason]
    assert died == []


def everything_said(run: Run) -> str:
    """On the screen, in records and in logs."""
    text = run.command.stdout + run.command.stderr
    for path in run.folder.rglob("*"):
        text += path.read_text(errors="replace") if path.is_file() and path.suffix != ".py" else ""
    return text


def test_the_seal_is_told_nobody(run: Run) -> None:
    """Not in a record, not in a log, not on the screen."""
    assert SECRET not in everything_said(run)


def test_what_an_agent_prints_stands_in_its_log(run: Run) -> None:
    """Not on the screen; the traceback of a failure stands there, too."""
    folder = run.folder / "out/smoke/hw1-1/sinc"
    assert "noise noise" in (folder / "noisy.py-A/seed-0/log.txt").read_text()
    assert "noise" not in run.command.stdout + run.command.stderr.replace("noisy", "")
    assert "Traceback" in (folder / "raises.py-A/seed-0/log.txt").read_text()
    assert not (folder / "good.py-A/seed-0").exists()


SEEKS_SEAL = """
import os, sys
from pathlib import Path
Path(__file__).with_name(f"imported_by_{os.getpid()}").touch()
from mlds_bench.benchmarks.plan.seal import take_seal
Path(__file__).with_name(f"seal_{os.getpid()}").write_text(str(take_seal()._value))
class A:
    def __init__(self, x=0): pass
    def act(self, obs): return obs * 0
"""


def test_an_agents_code_never_runs_where_the_seal_is(tmp_path: Path) -> None:
    """Nor when its hyper-parameters are checked; where it runs there is only the public seal."""
    run = run_agents(tmp_path, {"seeks": SEEKS_SEAL}, "-p", "x=1")
    assert run.command.returncode == 0, run.command.stderr
    importers = {int(path.name.rpartition("_")[2]) for path in tmp_path.glob("imported_by_*")}
    assert len(importers) == 2, "one to be asked for its hyper-parameters, one to play"
    assert run.pid not in importers
    seals = {path.read_text() for path in tmp_path.glob("seal_*")}
    assert len(seals) == 1
    assert SECRET not in everything_said(run)


def test_code_that_ends_the_interpreter_ends_nothing_of_ours(tmp_path: Path) -> None:
    """With ``-p`` its import is tried: exit code 2 and one line; the records stay as they were."""
    good = AGENTS["good"].source
    before = run_agents(tmp_path, {"mine": good})
    path = tmp_path / "out/smoke/hw1-1/sinc/mine.py-A/seed-0.json"
    record = path.read_bytes()
    run = run_agents(tmp_path, {"mine": "raise SystemExit(0)\n" + good}, "-p", "x=1")
    assert (before.command.returncode, run.command.returncode) == (0, 2)
    assert run.command.stdout == ""
    assert re.fullmatch(
        r"mlds-bench: mine\.py:A: the code ended the interpreter with exit code 0 [^\n]+\n",
        run.command.stderr,
    )
    assert path.read_bytes() == record


CLAIMS_A_VIEW = """
from dataclasses import replace
from mlds_bench.benchmarks.run import agent_process
honest = agent_process.build_player
agent_process.build_player = lambda *a, **k: replace(honest(*a, **k), env_options={"stack": -1})
class Mine:
    def act(self, obs): return [0] * len(obs)
"""


def test_a_view_that_is_none_is_refused_by_the_harness(tmp_path: Path) -> None:
    """Where an agent may choose, too, its process has no say in what a right choice is."""
    (tmp_path / "mine.py").write_text(CLAIMS_A_VIEW)
    cells = short_cells(tmp_path / "mine.py", variant="hw4-1/pong")
    (record,) = run_quietly(cells, tmp_path / "out").records
    assert (record.state, record.training.curve) == ("failed", ())
    assert re.match(r"stack must be .*-1", record.reason)
