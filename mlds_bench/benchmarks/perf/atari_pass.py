"""Seconds of training to Pong's pass mark: our `ppo` against `sb3:PPO` with the zoo's settings.

Both learn as in the table, for as many decisions, and play the test of thirty games afterwards; the
goal is at most a fifth of their time. The records are the committed ones: a cell runs only where
there is none, or where its agent has changed (ours eight minutes a seed, theirs fifty). Where
theirs has not passed by its end, the ratio is a lower bound.
"""

from __future__ import annotations

from statistics import median
from typing import Any

from rich.console import Console

from mlds_bench.benchmarks.cli.progress import Lines
from mlds_bench.benchmarks.perf.report import publish
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import plan
from mlds_bench.benchmarks.plan.trained import COMMITTED
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.benchmarks.run.runner import run
from mlds_bench.leaderboard.record import Record

VARIANT = VARIANTS["hw4-1/pong"]
MARK = VARIANT.anchors.pass_mark.value


def records(agent: str, seeds: range, **params: Any) -> list[Record]:
    """Of the cells at preset standard, run where they are missing."""
    cells = plan(
        [VARIANT.id], preset="standard", agents=[agent], seeds=seeds, params=params, seal=Seal()
    )
    return run(cells, COMMITTED, observer=Lines(Console(stderr=True), COMMITTED), workers=1).records


def measure() -> dict[str, Any]:
    """Medians of seconds and of points."""
    groups = records("ppo", range(5)), records("sb3:PPO", range(1), zoo=True)
    seconds = [median(record.cost.train_seconds or 0.0 for record in group) for group in groups]
    primary = VARIANT.primary.name
    points = [median(record.test.scores[primary] for record in group) for group in groups]
    return {
        "ppo_seconds": seconds[0],
        "ppo_points": points[0],
        "ppo_passes": points[0] > MARK,
        "sb3_zoo_seconds": seconds[1],
        "sb3_zoo_points": points[1],
        "sb3_zoo_passes": points[1] > MARK,
        "sb3_zoo_over_ppo_at_least": seconds[1] / seconds[0],
    }


if __name__ == "__main__":
    publish(__file__, measure)
