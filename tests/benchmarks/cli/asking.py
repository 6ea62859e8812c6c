"""The command line, called as the shell does."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlds_bench.benchmarks.cli import app as cli

RUN = ("run", "hw1-1/sinc")
MINE = "class Mine:\n    def act(self, obs):\n        return obs * 0\n"


class Answer:
    """What `main` answered."""

    def __init__(self, code: int, said: str, error: str) -> None:
        self.code, self.said, self.error = code, said, error


class Ask:
    """Calls `main` as the shell does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str | Path) -> Answer:
        self._monkeypatch.setattr(sys, "argv", ["mlds-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        captured = self._capsys.readouterr()
        return Answer(ended.value.code, captured.out, captured.err)
