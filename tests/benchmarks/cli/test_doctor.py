"""What this machine is, and whether everything works on it."""

from __future__ import annotations

import re

import pytest

from mlds_bench.benchmarks.cli import doctor
from tests.benchmarks.cli.asking import Ask


def test_doctor_finds_everything_in_order(ask: Ask) -> None:
    """It runs a cell, too."""
    answer = ask("doctor")
    assert answer.code == 0, answer.said
    assert "everything works" in answer.said
    assert "FAILED" not in answer.said
    assert re.search(r"^data +.+ \(below .+\)$", answer.said, re.M)


def test_doctor_says_what_is_broken(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding stands in a line of its own; exit code 1."""

    def broken() -> str:
        raise RuntimeError("a wheel\nis off")

    monkeypatch.setattr(doctor, "TESTS", {"wheels": broken, "disk": doctor.TESTS["disk"]})
    answer = ask("doctor")
    assert answer.code == 1
    assert re.search(r"^FAILED +wheels: RuntimeError: a wheel is off$", answer.said, re.M)
    assert "1 of 2 do not work" in answer.said
