"""An agent that is a file goes on finding what lies beside it, and so do its children."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlds_bench.agents.files import FOLDER
from mlds_bench.agents.registry import resolve

AGENT = """
import importlib
import multiprocessing
import subprocess
import sys
from dataclasses import dataclass


@dataclass
class Memory:
    value: int


def double(memory):
    from late import factor
    return Memory(factor * memory.value)


class Mine:
    def act(self, obs):
        return importlib.import_module("late").factor

    def in_child(self, method):
        with multiprocessing.get_context(method).Pool(1) as pool:
            return pool.map(double, [Memory(21)])[0].value

    def in_program(self):
        code = "import late; print(late.factor)"
        return int(subprocess.check_output([sys.executable, "-c", code]))
"""

PROGRAM = """
import pickle, sys
from pathlib import Path
from mlds_bench.agents.registry import resolve

if __name__ == "__main__":
    agent = resolve(sys.argv[1]).load()()
    {body}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An agent, and a module that it imports when it acts."""
    place = tmp_path / "first"
    place.mkdir()
    (place / "my-agent.py").write_text(AGENT)
    (place / "late.py").write_text("factor = 2\n")
    return place


def run(folder: Path, body: str, tmp_path: Path) -> str:
    """What a program prints that has loaded the agent."""
    script = tmp_path / "program.py"
    script.write_text(PROGRAM.format(body=body))
    command = [sys.executable, str(script), str(folder / "my-agent.py")]
    return subprocess.check_output(command, text=True, cwd=tmp_path, timeout=120).strip()


def test_children_find_the_agent_and_its_siblings(folder: Path, tmp_path: Path) -> None:
    """However they are started."""
    body = (
        "print(agent.act([]), agent.in_child('spawn'), agent.in_child('forkserver'), "
        "agent.in_program())"
    )
    assert run(folder, body, tmp_path) == "2 42 42 2"


def test_what_an_agent_pickles_outlives_its_folder(folder: Path, tmp_path: Path) -> None:
    """The name of its module does not depend on the place."""
    memory = "sys.modules[type(agent).__module__].Memory"
    place = tmp_path / "memory.pkl"
    run(folder, f"Path({str(place)!r}).write_bytes(pickle.dumps({memory}(7)))", tmp_path)
    moved = folder.rename(tmp_path / "second")
    body = f"print(pickle.loads(Path({str(place)!r}).read_bytes()).value)"
    assert run(moved, body, tmp_path) == "7"


def test_siblings_do_not_hide_pythons_own_modules(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Here and in children: such a folder is not put before Python's own."""
    monkeypatch.delenv(FOLDER, raising=False)
    (folder / "colorsys.py").write_text("raise RuntimeError('not this one')\n")
    body = "import colorsys; print(agent.act([]), agent.in_child('spawn'))"
    assert run(folder, body, tmp_path) == "2 42"


def test_a_file_that_fails_leaves_the_search_path_alone(tmp_path: Path) -> None:
    """And tells children nothing."""
    (tmp_path / "torn.py").write_text("class A:\n    def act(self, o): ...\nraise ValueError\n")
    path, told = list(sys.path), os.environ.get(FOLDER)
    with pytest.raises(ValueError, match=r"^$"):
        resolve(str(tmp_path / "torn.py")).load()
    assert sys.path == path
    assert os.environ.get(FOLDER) == told
