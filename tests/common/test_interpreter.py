"""A new interpreter imports what this one can, and nothing of a user's folder by mistake."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from mlds_bench.common.interpreter import absolute_path, interpreter_command
from tests.processes import ROOT

SHADOWS = ("random", "json", "copy", "types", "signal", "secrets", "string", "statistics", "pickle")


def shadow(folder: Path) -> None:
    """Files with the names of the standard library, which end whoever imports them."""
    for name in SHADOWS:
        (folder / f"{name}.py").write_text(f"raise SystemExit('imported {name}')")


def test_the_current_folder_shadows_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Though it stands first in our own path, as under ``python -m``."""
    shadow(tmp_path)
    (tmp_path / "question.py").write_text("import json\nanswer = json.dumps([1])")
    monkeypatch.setattr(sys, "path", ["", *sys.path])
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    command = interpreter_command("tests.common.test_interpreter", "question", "answer")
    ended = subprocess.run(command, capture_output=True, text=True, check=True)
    assert ended.stdout == "[1]\n"


def test_nothing_depends_on_the_current_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", ["", "below"])
    assert absolute_path() == [str(Path.cwd()), str(Path.cwd() / "below")]


def main(module: str, name: str) -> None:
    """What the new interpreter does in these tests."""
    from importlib import import_module

    print(getattr(import_module(module), name))
