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

from mlds_bench.leaderboard.record import Record, read_records
from tests.benchmarks.short import alive_with, left_over
from tests.processes import ROOT

MARK = f"MLDS_BENCH_TEST_HOSTILE_{os.getpid()}"
SECRET = "a secret of the hosts"
PREAMBLE = "import gc, os, signal, subprocess, sys, time\nimport numpy as np\n"
SPEAK = """
from multiprocessing.connection import Connection
def say(*messages):
    for pipe in [x for x in gc.get_objects() if isinstance(x, Connection) and not x.closed]:
        for message in messages:
            pipe.send_bytes(message)
"""


@dataclass(frozen=True)
class Agent:
    """An agent's file, what becomes of it, and a pattern of the reason."""

    state: str
    reason: str
    learn: str = "pass"
    act: str = "return obs * 0"
    top: str = ""
    inside: str = ""

    @property
    def source(self) -> str:
        return (
            f"{PREAMBLE}{self.top}\nclass A:\n    {self.inside or 'num_envs = 64'}\n"
            f"    def learn(self, env, budget): {indented(self.learn)}\n"
            f"    def act(self, obs): {indented(self.act)}\n"
        )


def indented(code: str) -> str:
    return code if "\n" not in code else code.replace("\n", "\n        ")


SLEEPER = "subprocess.Popen(['sleep', '1000'], start_new_session={})"
FOREVER = """
env.reset()
while True:
    try: env.step(np.zeros((64, 1)))
    except{}: pass"""
AGENTS: dict[str, Agent] = {
    "good": Agent("ok", "", learn="env.reset(); env.step(np.zeros((64, 1)))"),
    "raises": Agent(
        "failed",
        r"KeyError: .*oops.*second.* \(raises\.py:6\), while learning",
        learn="raise KeyError('oops\\nsecond line')",
    ),
    "raises_long": Agent(
        "failed", "RuntimeError: xxx", learn="raise RuntimeError('x' * 30_000_000)"
    ),
    "raises_surrogate": Agent("failed", "OSError: .*name", learn="raise OSError('\\udcff name')"),
    "raises_in_act": Agent(
        "failed", "ZeroDivisionError.*while acting", act="return obs / (1 // 0)"
    ),
    "asks_the_user": Agent("failed", "EOFError: .*while learning", learn="input()"),
    "hangs": Agent("timeout", "learning took longer than 10 s", learn="\nwhile True: pass"),
    "hangs_in_act": Agent("timeout", "acting took longer than 3 s", act="time.sleep(1000)"),
    "exits_in_import": Agent("failed", "SystemExit", top="sys.exit('no import')"),
    "nan": Agent("failed", "InvalidAction: .*nan", act="return obs * np.nan"),
    "far": Agent("failed", r"InvalidAction: .*2", act="return obs * 0 + 2.5"),
    "disarms": Agent(
        "failed",
        r"InvalidAction: action\[0, 0\] is nan, .*, while acting",
        top="from mlds_bench.benchmarks.run import agent_process",
        act="agent_process.cast_actions = lambda *_, **__: obs * np.nan; return obs",
    ),
    "shape": Agent("failed", r"InvalidAction: .*\(1024, 1\)", act="return obs[:3, 0]"),
    "strings": Agent("failed", "InvalidAction: ", act="return np.full((len(obs), 1), 'one')"),
    "nothing": Agent("failed", "InvalidAction: ", act="return None"),
    "ragged": Agent("failed", "InvalidAction: ", act="return [[0.0], []] * (len(obs) // 2)"),
    "wrong_in_learn": Agent(
        "failed", "InvalidAction: .*while learning", learn="env.reset(); env.step(np.ones((3, 1)))"
    ),
    "hog": Agent(
        "out-of-memory", "MemoryError: Unable to allocate 100", learn="np.ones(100 * 2**30 // 8)"
    ),
    "slow_hog": Agent("out-of-memory", ".", learn="\nx = []\nwhile True: x.append(np.ones(2**22))"),
    "shared_hog": Agent(
        "out-of-memory",
        "the agent took .* MiB of 1024 MiB",
        learn="\nimport mmap\nm = mmap.mmap(-1, 2**32)\nfor i in range(0, 2**32, 4096): m[i] = 1",
    ),
    "exits": Agent("failed", "ended with exit code 0 while learning", learn="os._exit(0)"),
    "exits_politely": Agent("failed", "SystemExit: 0.*while learning", learn="sys.exit(0)"),
    "exits_in_act": Agent("failed", "ended with exit code 7 while acting", act="os._exit(7)"),
    "interrupts": Agent("failed", "KeyboardInterrupt", learn="raise KeyboardInterrupt"),
    "segfault": Agent("failed", "killed by SIGSEGV", learn="os.kill(os.getpid(), signal.SIGSEGV)"),
    "child": Agent("ok", "", learn=SLEEPER.format(False)),
    "child_apart": Agent("ok", "", learn=SLEEPER.format(True)),
    "orphan": Agent(
        "failed",
        "killed by SIGKILL",
        learn=f"{SLEEPER.format(False)}; time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)",
    ),
    "orphan_apart": Agent(
        "failed",
        "killed by SIGKILL",
        learn=f"{SLEEPER.format(True)}; time.sleep(0.5); os.kill(os.getpid(), signal.SIGKILL)",
    ),
    "swallows": Agent("timeout", "learning took", learn=FOREVER.format("")),
    "swallows_exceptions": Agent("ok", "", learn=FOREVER.format(" Exception")),
    "peeks": Agent(
        "failed",
        "env_options sets split, but .* an agent",
        inside="env_options = {'split': 'test'}",
    ),
    "asks_for_test": Agent(
        "failed",
        "ValueError: unknown reset option 'split': .*",
        learn="env.reset(options={'split': 'test'})",
    ),
    "imports_nothing": Agent(
        "failed", "ModuleNotFoundError: .*nosuchmodule", top="import nosuchmodule"
    ),
    "wants_seal": Agent(
        "ok",
        "",
        learn="assert 'MLDS_BENCH_SEAL' not in os.environ; "
        f"assert {SECRET!r} not in open('/proc/self/environ').read()",
    ),
    "noisy": Agent("ok", "", learn="\nfor _ in range(20_000): print('noise ' * 20)"),
    "crowd": Agent("failed", "num_envs must be a whole number", inside="num_envs = 0"),
    "unsupported": Agent(
        "skipped",
        "^not my room",
        top="from mlds_bench.agents.base import Unsupported",
        inside="\n    def __init__(self): raise Unsupported('not my room')",
    ),
    "garbage": Agent("failed", "message", top=SPEAK, learn="say(b'\\xff\\x00 garbage')"),
    "garbage_list": Agent("failed", "message", top=SPEAK, learn="say(b'[1, 2]')"),
    "garbage_deep": Agent("failed", ".", top=SPEAK, learn="say(b'[' * 100_000)"),
    "garbage_kind": Agent("failed", "message", top=SPEAK, learn='say(b\'{"kind": "prize"}\')'),
    "garbage_point": Agent(
        "failed", ".", top=SPEAK, learn='say(b\'{"kind": "point", "point": {}}\')'
    ),
    "lies": Agent(
        "failed",
        ".",
        top=SPEAK,
        learn='say(b\'{"kind": "error", "state": "ok", "reason": "fine"}\')',
    ),
    "learns_nothing": Agent("failed", ".", top=SPEAK, learn='say(b\'{"kind": "learned"}\')'),
    "hangs_up": Agent(
        "failed",
        "while learning",
        top=SPEAK,
        learn="\n[x.close() for x in gc.get_objects() if isinstance(x, Connection)]"
        "\ntime.sleep(1000)",
    ),
    "good_too": Agent("ok", "", learn="env.reset(); env.step(np.zeros((64, 1)))"),
}


@dataclass(frozen=True)
class Run:
    """What a run left."""

    folder: Path
    records: dict[str, Record]
    command: subprocess.CompletedProcess[str]
    left: list[str]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("hostile")
    for name, agent in AGENTS.items():
        (folder / f"{name}.py").write_text(agent.source)
    files = ",".join(str(folder / f"{name}.py") for name in AGENTS)
    out = folder / "out"
    command = subprocess.run(
        [
            sys.executable,
            "-m",
            "tests.benchmarks.short",
            "run",
            "hw1-1/sinc",
            "--preset",
            "smoke",
            "-a",
            files,
            "--workers",
            "3",
            "-o",
            str(out),
        ],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1", MARK: "1", "MLDS_BENCH_SEAL": SECRET},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    deadline = time.monotonic() + 5
    while alive_with(MARK) and time.monotonic() < deadline:
        time.sleep(0.1)
    left = [" ".join(process.cmdline()) for process in alive_with(MARK)]
    for process in alive_with(MARK):
        process.kill()
    records = {r.agent.partition(".py")[0]: r for r in read_records(out)} if out.exists() else {}
    return Run(folder, records, command, left)


def test_the_command_says_that_cells_failed(run: Run) -> None:
    """Exit code 1, no traceback of ours, a line a cell."""
    assert run.command.returncode == 1, run.command.stderr
    assert "Traceback" not in run.command.stderr
    assert len(re.findall(r"^\[\d+/\d+\] ", run.command.stderr, re.M)) == len(AGENTS)


@pytest.mark.parametrize("name", AGENTS)
def test_every_agent_has_its_row(run: Run, name: str) -> None:
    """State and reason, in one line of bearable length."""
    record, agent = run.records[name], AGENTS[name]
    assert record.state == agent.state, record.reason
    assert re.search(agent.reason, record.reason)
    assert len(record.reason) < 1000
    assert "\n" not in record.reason


@pytest.mark.parametrize("name", [name for name, agent in AGENTS.items() if agent.state != "ok"])
def test_a_cell_that_did_not_go_well_has_no_normalized_score(run: Run, name: str) -> None:
    """And its reason stands on the screen, too."""
    assert run.records[name].normalized is None
    assert run.records[name].reason in run.command.stderr


def test_nothing_is_left_behind(run: Run) -> None:
    """No process, no half-written file, no shared memory."""
    assert run.left == []
    assert left_over(run.folder) == []


def test_no_cell_died_for_its_agent(run: Run) -> None:
    """Whatever the agent does, its cell's own process stays in order."""
    died = [name for name, r in run.records.items() if "the cell's own process" in r.reason]
    assert died == []


def test_the_seal_is_told_nobody(run: Run) -> None:
    """Not in a record, not in a log, not on the screen."""
    text = run.command.stdout + run.command.stderr
    for path in (run.folder / "out").rglob("*"):
        text += path.read_text(errors="replace") if path.is_file() else ""
    assert SECRET not in text


def test_what_an_agent_prints_stands_in_its_log(run: Run) -> None:
    """Not on the screen; the traceback of a failure stands there, too."""
    folder = run.folder / "out/smoke/hw1-1/sinc"
    assert "noise noise" in (folder / "noisy.py-A/seed-0/log.txt").read_text()
    assert "noise" not in run.command.stdout + run.command.stderr.replace("noisy", "")
    assert "Traceback" in (folder / "raises.py-A/seed-0/log.txt").read_text()
    assert not (folder / "good.py-A/seed-0").exists()
