from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.cli.asking import Ask
from tests.benchmarks.short import run_quietly, short_cells


@pytest.fixture(scope="package")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run: two good agents and a bad one. Not to be changed."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "bad.py").write_text("class Bad:\n    def act(self, obs): raise ValueError('no')\n")
    out = folder / "out"
    run_quietly(short_cells("random", "constant", folder / "bad.py", seeds=[0, 1]), out)
    return out


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return Ask(monkeypatch, capsys)
