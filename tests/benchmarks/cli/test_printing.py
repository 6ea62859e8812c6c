"""What the commands print: to terminals, pipes and narrow encodings."""

from __future__ import annotations

import io
import os
import sys

import pytest

from mlds_bench.benchmarks.cli import terminal
from mlds_bench.benchmarks.cli.printing import print_page
from mlds_bench.leaderboard.tables import leaderboard
from tests.leaderboard.factory import make_result, of

PAGE = leaderboard(of([make_result(-5.0 - seed, seed=seed) for seed in range(3)]), title="quick")


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("encoding", ["cp1252", "ascii", "utf-8"])
@pytest.mark.parametrize("kind", [io.TextIOWrapper, Terminal])
def test_any_encoding_takes_a_page(
    kind: type[io.TextIOWrapper], encoding: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As under PYTHONIOENCODING=cp1252, which has no arrows."""
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", kind(raw, encoding=encoding))
    with terminal.prepared():
        print_page(PAGE)
    sys.stdout.flush()
    text = raw.getvalue().decode(encoding)
    assert ("log10_mse ↓" if encoding == "utf-8" else "log10_mse v") in text
    assert ("| deep" in text) is (kind is not Terminal)


def test_a_terminal_is_given_its_width(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = io.BytesIO()
    monkeypatch.setattr(sys, "stdout", Terminal(raw, encoding="utf-8"))
    monkeypatch.setattr("shutil.get_terminal_size", lambda: os.terminal_size((60, 24)))
    print_page(PAGE)
    sys.stdout.flush()
    assert max(map(len, raw.getvalue().decode().splitlines())) <= 60
