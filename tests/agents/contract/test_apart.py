"""A check ends, whatever an agent does to its process."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from mlds_bench.agents.contract.apart import check_apart
from mlds_bench.agents.contract.check import CHECKS, AgentViolation
from mlds_bench.agents.registry import AgentSpec, UnknownAgent, resolve

FITTING = "mlds/FunctionFitting-v0"
AGENT = """
import os, signal, subprocess, sys, time
class Mine:
    def learn(self, env, budget):
        env.reset()
        {learn}
    def act(self, obs):
        return 0.5 + 0.0 * obs[:, :1]
"""


def mine(folder: Path, learn: str = "pass") -> AgentSpec:
    """An agent in a file that learns in one line."""
    (folder / "mine.py").write_text(AGENT.format(learn=learn))
    return resolve(str(folder / "mine.py"))


def test_rules_are_told_as_they_are_kept(tmp_path: Path) -> None:
    """In the order of the contract, and nothing of the agent's code runs here."""
    told: list[tuple[str, str | None]] = []
    check_apart(
        mine(tmp_path, "os.environ['SPOILED'] = '1'; print('a word')"),
        FITTING,
        env_kwargs={"target": "sgn"},
        report=lambda *message: told.append(message),
    )
    assert [rule for rule, line in told if line] == list(CHECKS)
    assert ("saves and loads", "keeps nothing: no save()") in told
    assert "SPOILED" not in os.environ


@pytest.mark.parametrize(
    ("learn", "line"),
    [
        ("os._exit(3)", "the agent's process ended with exit code 3"),
        ("os.kill(os.getpid(), signal.SIGSEGV)", "the agent's process was killed by SIGSEGV"),
        ("sys.exit(0)", "SystemExit: 0"),
        ("1 / 0", r"ZeroDivisionError: division by zero \(mine.py, line 6\)"),
    ],
)
def test_an_agent_that_ends_its_process_is_told(tmp_path: Path, learn: str, line: str) -> None:
    """With the rule that was being checked."""
    with pytest.raises(AgentViolation, match=f"^learns within its budget: {line}"):
        check_apart(mine(tmp_path, learn), FITTING)


def test_an_agent_that_cannot_be_interrupted_is_ended(tmp_path: Path) -> None:
    """And what it has started, too."""
    learn = (
        f"signal.signal(signal.SIGALRM, signal.SIG_IGN); "
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(subprocess.Popen(['sleep', '99']).pid)); "
        "time.sleep(99)"
    )
    began = time.monotonic()
    line = "^learns within its budget: no end after 8 s: the agent hangs"
    with pytest.raises(AgentViolation, match=line):
        check_apart(mine(tmp_path, learn), FITTING, rule_seconds=8.0)
    assert time.monotonic() - began < 60.0
    state = Path("/proc", (tmp_path / "pid").read_text(), "stat")
    deadline = time.monotonic() + 10.0
    while state.exists() and ") Z " not in state.read_text() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not state.exists() or ") Z " in state.read_text()


def test_the_traceback_is_at_hand(tmp_path: Path) -> None:
    """Of what the agent raised; an answer that is wrong has none."""
    with pytest.raises(AgentViolation) as error:
        check_apart(mine(tmp_path, "raise KeyError('lost')"), FITTING)
    assert "mine.py" in error.value.traceback
    assert error.value.traceback.endswith("KeyError: 'lost'\n")
    (tmp_path / "mine.py").write_text("class Mine:\n    def act(self, obs): return obs[:0]\n")
    with pytest.raises(AgentViolation) as error:
        check_apart(resolve(str(tmp_path / "mine.py")), FITTING)
    assert error.value.traceback == ""


def test_mistakes_of_the_user_pass_through(tmp_path: Path) -> None:
    """As they do without a process."""
    with pytest.raises(UnknownHyperparameter, match="unknown hyper-parameter 'width'"):
        check_apart(mine(tmp_path), FITTING, {"width": 3})
    with pytest.raises(Unsupported):
        check_apart(resolve("gd"), FITTING)
    (tmp_path / "torn.py").write_text("def f(:")
    with pytest.raises(UnknownAgent, match=r"torn\.py, line 1: invalid syntax"):
        check_apart(resolve(str(tmp_path / "torn.py")), FITTING)
