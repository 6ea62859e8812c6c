"""Engines: what cells run on. A second engine implements `Engine` and gives cells a `Channel`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Protocol

from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.run.events import Event
from mlds_bench.benchmarks.run.machine import Machine


class CannotSave(OSError):
    """A record could not be written; the run ends, because it cannot keep its promise."""


class Engine(Protocol):
    """Runs cells, each by `run_cell` in a process of its own, and tells how they go.

    It hands every cell a copy whose seal is closed, and a `Channel` whose first word is the seed of
    the test split. The same cell gives the same record on any engine.
    """

    def run(self, cells: Sequence[Cell], out: Path, machine: Machine) -> Iterator[Event]:
        """Run the cells; each has written its record when its ``ended`` comes.

        Raises:
            CannotSave: a record could not be written.
        """
