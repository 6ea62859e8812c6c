"""Planning a large run: names, settings, checksums, keys, and where each cell stands.

The claim: 2,500 cells are planned in under 2 s of wall time in a process that has just started.
Every variant is named, families included, and its own agents play it under as many seeds as that
takes. Their records do not exist, so that no time goes into reading them. ``cold`` is the first
plan of a process, which imports what the data are checked with; ``warm`` is a second plan.
"""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from mlds_bench.benchmarks.perf.report import publish
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.suite import plan
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.benchmarks.run.runner import standing

CELLS = 2_500
PRESET = "quick"


def seeds_for(count: int) -> range:
    """As many seeds as it takes for so many cells."""
    players = sum(len(variant.runs[PRESET].alone.agents) for variant in VARIANTS.values())
    return range(-(-count // players))


def plan_all(out: Path) -> tuple[list[Cell], float]:
    """Plan `CELLS` cells or a few more, and look each up in a folder; returns the seconds, too."""
    began = time.perf_counter()
    cells = plan(list(VARIANTS), preset=PRESET, seeds=seeds_for(CELLS), seal=Seal())
    for cell in cells:
        standing(cell, out)
    return cells, time.perf_counter() - began


def measure() -> dict[str, float]:
    """The first plan of this process, and a second."""
    with tempfile.TemporaryDirectory() as folder:
        cells, cold = plan_all(Path(folder))
        _, warm = plan_all(Path(folder))
    share = CELLS / len(cells)
    return {
        "cells": float(len(cells)),
        "cold_seconds_per_2500_cells": cold * share,
        "warm_seconds_per_2500_cells": warm * share,
    }


if __name__ == "__main__":
    publish(__file__, measure)
