"""Write the figures of a speed script beside it, with the machine they were measured on."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from mlds_bench.benchmarks.run.machine import examine_machine
from mlds_bench.benchmarks.run.surroundings import enter_surroundings
from mlds_bench.leaderboard.record import replace_file


def publish(script: str, measure: Callable[[], dict[str, Any]]) -> None:
    """Measure as a cell runs; print the figures and keep them in ``<script>.json``."""
    enter_surroundings()
    figures = measure()
    where = examine_machine()
    content = {
        "measured_utc": datetime.now(UTC).isoformat(timespec="seconds"),
        "package_version": where.package_version,
        "git_commit": where.git_commit,
        "python": where.python,
        "packages": where.packages,
        "hardware": where.hardware,
        "figures": figures,
    }
    for name, value in figures.items():
        print(f"{name:40} {value:.4g}" if isinstance(value, float) else f"{name:40} {value}")
    path = Path(script).with_suffix(".json")
    replace_file(path, json.dumps(content, indent=1) + "\n")
    print(f"written: {path.name}")
