"""A run that is killed at any moment goes on where it stopped, and loses nothing."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import psutil
import pytest

from mlds_bench.leaderboard.record import NoRecords, strip_times
from mlds_bench.leaderboard.results import read_results
from tests.benchmarks.short import alive_with, left_over
from tests.processes import ROOT

KILLS = 20
SEEDS = 16
FEW = 6
MARK = f"MLDS_BENCH_TEST_KILL_{os.getpid()}"
AGENT = """
import subprocess, time
class Busy:
    num_envs = 64
    def learn(self, env, budget):
        subprocess.Popen(["sleep", "1000"])
        observation, _ = env.reset()
        while True:
            time.sleep(0.003)
            observation, *_ = env.step(self.act(observation))
    def act(self, obs):
        return obs * 0.1
    def save(self, folder):
        (folder / "weights.txt").write_text("0.1")
"""
HANGS = """
import multiprocessing.util, os, subprocess, time
from pathlib import Path
class Busy:
    def learn(self, env, budget):
        subprocess.Popen(["sleep", "1000"], start_new_session=True)
        multiprocessing.util.get_temp_dir()
        said = Path(__file__).with_name("learning")
        own = said.with_suffix(f".{os.getpid()}")  # its neighbor's agent says the same
        own.write_text(str(os.getppid()))
        own.rename(said)
        time.sleep(1000)
    def act(self, obs): ...
"""


class Runs:
    """The same command again and again, in one folder."""

    def __init__(self, folder: Path, seeds: int = SEEDS, agent: str = AGENT) -> None:
        self.out = folder / "out"
        self.temporary = Path(mkdtemp(prefix="kill-"))  # short, so that it is taken
        (folder / "busy.py").write_text(agent)
        self.command = [sys.executable, "-m", "tests.benchmarks.short", "run", "hw1-1/sinc"]
        self.command += ["--preset", "smoke", "--seeds", f"0-{seeds - 1}", "--workers", "2"]
        self.command += ["-a", str(folder / "busy.py"), "-o", str(self.out)]

    def start(self) -> subprocess.Popen[str]:
        return subprocess.Popen(
            self.command,
            cwd=ROOT,
            env={**os.environ, "OMP_NUM_THREADS": "1", MARK: "1", "TMPDIR": str(self.temporary)},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def finish(self) -> str:
        """Run to the end; what it said."""
        process = self.start()
        _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        return said

    def records(self) -> dict[Path, bytes]:
        """Every record there is, each of them whole."""
        try:
            assert read_results(self.out).problems == ()
        except NoRecords:
            return {}
        return {path: path.read_bytes() for path in sorted(self.out.rglob("seed-*.json"))}

    def results(self) -> list[dict[str, Any]]:
        """All but times, and the commit: somebody may commit meanwhile."""
        results = [strip_times(result.record) for result in read_results(self.out)]
        for result in results:
            result["provenance"]["git_commit"] = None
        return results

    def gone(self, seconds: float = 5.0) -> list[psutil.Process]:
        """The processes of the run that outlive it by so much: none."""
        deadline = time.monotonic() + seconds
        while (alive := alive_with(MARK)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return alive


def wait_for_line(process: subprocess.Popen[str], start: str = "") -> None:
    """Until the run says so: what there is to do, or how a cell ended; or until it is over."""
    assert process.stderr is not None
    while (line := process.stderr.readline()) and not line.startswith(start):
        pass


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    runs = Runs(tmp_path_factory.mktemp("uninterrupted"))
    runs.finish()
    runs.temporary.rmdir()
    return runs.results()


def test_twenty_kills_lose_nothing(tmp_path: Path, uninterrupted: list[dict[str, Any]]) -> None:
    """kill -9 at random moments: finished cells stay to the byte, none is torn, no process stays.

    The main process alone, or its cells with it, as when the power fails. The end is what an
    uninterrupted run gives, but for times.
    """
    runs = Runs(tmp_path)
    moments, grown = random.Random(2), 0
    kept: dict[Path, bytes] = {}
    for number in range(KILLS):
        process = runs.start()
        if number % 4:  # some kills hit the start-up, some the first cells, most the midst
            wait_for_line(process, start="[" if number % 4 > 1 else "")
        time.sleep(moments.uniform(0.0, 0.2 if number % 4 > 1 else 0.7))
        if number % 3:
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
        process.communicate()
        assert runs.gone() == [], f"kill {number}"
        now = runs.records()
        assert kept.items() <= now.items()
        grown += len(now) > len(kept)
        kept = now
    assert grown >= 3, "the kills came too early to show anything"
    runs.finish()
    assert kept.items() <= runs.records().items()
    assert runs.results() == uninterrupted
    assert [path for path in left_over(runs.out) if "seed-" in path.name] == []
    runs.temporary.rmdir()  # it is empty


def test_control_c_is_one_line_and_the_run_goes_on(
    tmp_path: Path, uninterrupted: list[dict[str, Any]]
) -> None:
    """SIGINT to the whole group, as a terminal sends it: exit code 130, no traceback."""
    runs = Runs(tmp_path, seeds=FEW)
    process = runs.start()
    wait_for_line(process, start="[")
    time.sleep(0.1)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert process.returncode == 130
    lines = [line for line in said.splitlines() if not line.startswith("[")]
    assert lines == ["mlds-bench: interrupted; the same command continues where it stopped"]
    assert runs.gone() == []
    kept = runs.records()
    assert 0 < len(kept) < FEW
    assert f"{len(kept)} finished before" in runs.finish()
    assert kept.items() <= runs.records().items()
    assert runs.results() == [result for result in uninterrupted if result["seed"] in range(FEW)]
    runs.temporary.rmdir()


def wait_for_learning(folder: Path) -> int:
    """Until the agent has begun to learn; the process of its cell."""
    while not (folder / "learning").exists():
        time.sleep(0.05)
    return int((folder / "learning").read_text())


@pytest.mark.parametrize("send", [os.kill, os.killpg])
@pytest.mark.parametrize("kind", [signal.SIGKILL, signal.SIGTERM, signal.SIGHUP])
def test_a_run_that_is_ended_leaves_nothing(
    tmp_path: Path, kind: signal.Signals, send: Callable[[int, int], None]
) -> None:
    """Not its cells, not a hanging agent, not what that has started in a session of its own.

    The main process alone is told, or its group with it; files for a moment go as well.
    """
    process = (runs := Runs(tmp_path, agent=HANGS)).start()
    wait_for_learning(tmp_path)
    assert list(runs.temporary.rglob("pymp-*"))
    send(process.pid, kind)
    process.communicate(timeout=120)
    assert process.returncode != 0
    assert runs.gone(seconds=2.0) == []
    assert runs.records() == {}
    runs.temporary.rmdir()  # it is empty


def test_a_cell_that_is_killed_leaves_nothing_but_its_row(tmp_path: Path) -> None:
    """As when memory runs out: the agent and all it has started end, and the run goes on."""
    runs = Runs(tmp_path, seeds=1, agent=HANGS)
    process = runs.start()
    os.kill(wait_for_learning(tmp_path), signal.SIGKILL)
    process.communicate(timeout=60)
    assert process.returncode == 1
    (result,) = read_results(runs.out)
    assert result.record.state == "failed"
    assert result.record.reason == "the cell's own process was killed by SIGKILL"
    assert runs.gone(seconds=2.0) == []
    runs.temporary.rmdir()  # it is empty
    assert left_over(runs.out) == []
