"""Ctrl-C while a program is loading: which programs are ours."""

from __future__ import annotations

import sys

import pytest

from mlds_bench.common.interrupts import is_started_as


@pytest.mark.parametrize(
    ("argv", "orig_argv", "ours"),
    [
        (["/usr/bin/mlds-bench", "list"], ["python", "/usr/bin/mlds-bench", "list"], True),
        (["-m", "list"], ["python", "-W", "error", "-m", "mlds_bench", "list"], True),
        (["-m", "mlds_bench"], ["python", "-m", "pytest", "mlds_bench"], False),
        (["mine.py", "-m", "mlds_bench"], ["python", "mine.py", "-m", "mlds_bench"], False),
        ([""], ["python"], False),
        ([], ["python"], False),
    ],
)
def test_a_program_is_known_by_how_it_was_started(
    argv: list[str], orig_argv: list[str], ours: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By its name, or as a module; a program that imports the package is another's."""
    monkeypatch.setattr(sys, "argv", argv)
    monkeypatch.setattr(sys, "orig_argv", orig_argv)
    assert is_started_as("mlds-bench", "mlds_bench") is ours
