"""Cells that take a moment, and the command line on them: ``python -m tests.benchmarks.short``.

Only what makes a cell long is changed: the budget, the size of the test, the limits.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from mlds_bench.agents.budget import Budget
from mlds_bench.benchmarks.cli.app import main
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import plan
from mlds_bench.benchmarks.plan.variant import TestSize, Variant, everywhere
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.benchmarks.run.events import Silent
from mlds_bench.benchmarks.run.runner import Summary, run

BUDGET = Budget(4096, seconds=6.0)
TEST_POINTS = 1024
PRESET = replace(
    PRESETS["smoke"], memory_mb=1024, start_seconds=30.0, grace_seconds=4.0, act_seconds=3.0
)
"""The grace is longer than it takes to interrupt an agent that does not step."""


def short_variant(variant: Variant) -> Variant:
    """The variant with a small budget at preset smoke and a small test."""
    has_grid = "test_points" in variant.env_kwargs
    grid = {"test_points": TEST_POINTS} if has_grid else {}
    return replace(
        variant,
        env_kwargs={**variant.env_kwargs, **grid},
        test_sizes=everywhere(TestSize(TEST_POINTS if has_grid else 2)),
        budgets={**variant.budgets, "smoke": BUDGET},
        budgets_by_agent={},
    )


def short_cells(
    *agents: str | Path,
    seeds: Sequence[int] = (0,),
    params: Mapping[str, Any] | None = None,
    variant: str = "hw1-1/sinc",
) -> list[Cell]:
    """Cells of a variant that take a moment each."""
    cells = plan(
        [variant],
        preset="smoke",
        agents=[str(agent) for agent in agents],
        seeds=seeds,
        params=params,
        seal=Seal(),
    )
    return [
        replace(cell, variant=short_variant(cell.variant), preset=PRESET, budget=BUDGET)
        for cell in cells
    ]


def landscape_cell(agent: Path, *, pictures: bool = True) -> Cell:
    """A cell of a room that draws, with episodes of up to 40 steps, over in a moment."""
    (cell,) = short_cells(agent, variant="hw1-2/xor")
    variant = replace(
        cell.variant,
        env_kwargs={"problem": "xor", "query_budget": 40},
        test_sizes=everywhere(TestSize(16)),
    )
    return replace(cell, variant=variant, draws=pictures, budget=Budget(64, seconds=6.0))


def run_quietly(cells: Sequence[Cell], out: Path, *, workers: int = 2, **options: Any) -> Summary:
    """Run cells and say nothing; options as of `run`."""
    return run(cells, out, observer=Silent(), workers=workers, **options)


def left_over(out: Path) -> list[Path]:
    """Half-written things below a run's folder."""
    return [path for path in out.rglob(".*") if path.name.endswith((".tmp", ".partial"))]


def alive_with(variable: str) -> list[psutil.Process]:
    """Living processes that inherited an environment variable."""
    found = []
    for process in psutil.process_iter():
        try:
            if variable in process.environ() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except psutil.Error:
            continue  # it ended, or is not ours
    return found


if __name__ == "__main__":
    PRESETS["smoke"] = PRESET
    VARIANTS.update({name: short_variant(variant) for name, variant in VARIANTS.items()})
    main()
