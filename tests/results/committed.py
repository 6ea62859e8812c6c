"""The committed results, read once."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from mlds_bench.leaderboard.results import Result, read_results

RESULTS = Path(__file__).parents[2] / "results"


@cache
def committed() -> tuple[Result, ...]:
    """Every committed result; none is torn or misplaced."""
    results = read_results(RESULTS)
    assert results.problems == ()
    return results.items


def of(preset: str, variant: str, agent: str) -> list[Result]:
    """Those of an agent, one per seed, best first."""
    found = [
        result
        for result in committed()
        if (result.record.preset, result.record.variant, result.record.agent)
        == (preset, variant, agent)
    ]
    assert found, f"no records of {agent} on {variant} at {preset}"
    return sorted(found, key=lambda result: -(result.normalized or 0.0))


def scores(preset: str, variant: str, agent: str, score: str = "") -> list[float]:
    """Their scores of this name, rising; the primary one where none is named."""
    found = [
        result.record.test.scores.get(score or result.task.primary, 0.0)
        for result in of(preset, variant, agent)
    ]
    return sorted(found)
