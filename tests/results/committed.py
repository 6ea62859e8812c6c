"""The committed results, and how to pick from them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from mlds_bench.leaderboard.results import Result, Results, read_results
from tests.processes import ROOT

RESULTS = ROOT / "results"
MIGRATED = pytest.mark.skipif(
    not any(RESULTS.glob("*/*/*/variant.json")),
    reason="the committed records have yet to be migrated",
)


def read(folder: Path = RESULTS) -> Results:
    """Every committed result; a file that cannot be read fails the test."""
    results = read_results(folder)
    assert results.problems == ()
    return results


def of(results: Iterable[Result], preset: str, variant: str, agent: str) -> list[Result]:
    """Those of an agent on a variant."""
    wanted = preset, variant, agent
    return [
        result
        for result in results
        if (result.record.preset, result.record.variant, result.record.agent) == wanted
    ]


def scores(results: Iterable[Result], name: str | None = None) -> list[float]:
    """Values of a score, the primary by default, in ascending order; there is one at least."""
    found = sorted(result.record.test.scores[name or result.task.primary] for result in results)
    assert found, "no such records"
    return found
