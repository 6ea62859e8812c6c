"""Questions about agents' classes are answered in a process of their own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.agents import inspection
from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.inspection import check_agents, check_settings, known_defaults
from mlds_bench.agents.registry import UnknownAgent, resolve

MINE = """
import os, sys
print("noise on standard output")
class Mine:
    def __init__(self, degree=12):
        self.degree = degree
    def act(self, obs):
        return obs
"""


def mine(folder: Path, top: str = "") -> Path:
    path = folder / "mine.py"
    path.write_text(top + MINE)
    return path


def test_hyperparameters_are_checked_by_name(tmp_path: Path) -> None:
    """Of a file's agent and of one of ours; right ones pass, wrong ones get one line."""
    specs = [resolve(str(mine(tmp_path))), resolve("spline")]
    check_agents(specs[:1], {"degree": 3})
    check_agents(specs[1:], {"pieces": 3})
    with pytest.raises(UnknownHyperparameter, match="did you mean 'degree'"):
        check_agents(specs[:1], {"degre": 3})
    with pytest.raises(UnknownHyperparameter, match="hyper-parameter degree must be int, got True"):
        check_agents(specs[:1], {"degree": True})


def test_one_process_answers_for_many_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each agent with its own; the wrong one is found among right ones."""
    begun: list[object] = []
    run = subprocess.run

    def counted(command: list[str], **settings: Any) -> Any:
        begun.append(command)
        return run(command, **settings)

    monkeypatch.setattr(subprocess, "run", counted)
    spline = resolve("spline")
    check_settings([(spline, {"pieces": 3}), (spline, {"pieces": 4}), (resolve("random"), {})])
    assert len(begun) == 1
    with pytest.raises(UnknownHyperparameter, match="did you mean 'pieces'"):
        check_settings([(spline, {"pieces": 3}), (spline, {"piece": 4})])


def test_a_file_that_is_no_python_refuses_nothing(tmp_path: Path) -> None:
    """It becomes a row of its own; the other agents are asked."""
    (tmp_path / "torn.py").write_text("def f(:")
    torn, whole = resolve(str(tmp_path / "torn.py")), resolve(str(mine(tmp_path)))
    check_agents([torn], {"degree": 1})
    with pytest.raises(UnknownHyperparameter, match="degree must be int, got 'abc'"):
        check_agents([torn, whole], {"degree": "abc"})


def test_the_code_of_an_agent_is_not_run_here(tmp_path: Path) -> None:
    """What it does to its own process does nothing to this one."""
    top = "import os, sys\nos.environ['SPOILED'] = '1'\nsys.modules['json'] = None\n"
    before = set(sys.modules)
    check_agents([resolve(str(mine(tmp_path, top)))], {"degree": 1})
    assert "SPOILED" not in os.environ
    assert sys.modules["json"] is not None
    assert not any("agents.files." in name for name in set(sys.modules) - before)


@pytest.mark.parametrize(
    ("top", "line"),
    [
        ("raise SystemExit(0)\n", "ended the interpreter with exit code 0 when it was imported"),
        ("import os; os._exit(3)\n", "ended the interpreter with exit code 3"),
        ("1 / 0\n", "cannot be imported: ZeroDivisionError: division by zero"),
    ],
)
def test_code_that_cannot_be_imported_is_named(tmp_path: Path, top: str, line: str) -> None:
    """One line, and nobody's process ends but the child's."""
    with pytest.raises(UnknownAgent, match=line) as error:
        check_agents([resolve(str(mine(tmp_path, top)))], {"degree": 1})
    assert "\n" not in str(error.value)


def test_code_that_hangs_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One line here, too: nobody waits for ever."""
    monkeypatch.setattr(inspection, "SECONDS", 4.0)
    top = "import time; time.sleep(1000)\n"
    with pytest.raises(UnknownAgent, match=r"mine\.py:Mine: importing it took longer than 4 s"):
        check_agents([resolve(str(mine(tmp_path, top)))], {"degree": 1})


def test_files_beside_the_user_do_not_stand_for_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file in the folder of the command that is called like a module of Python's is not it."""
    (tmp_path / "json.py").write_text("raise RuntimeError('not this one')\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry])
    assert known_defaults(resolve("spline")) == {"pieces": "16"}


def test_defaults_are_told() -> None:
    """The settings of an agent of ours, as text."""
    assert known_defaults(resolve("spline")) == {"pieces": "16"}
