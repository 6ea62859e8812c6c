"""Run cells, keep what is finished, tell how it goes."""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.suite import Cell
from mlds_bench.benchmarks.run.events import Watcher
from mlds_bench.leaderboard.record import Record, read_record

Standing = Literal["new", "finished", "stale", "retried"]
GOOD = ("ok", "skipped")


@dataclass
class Summary:
    """What a run came to."""

    found: list[Record] = field(default_factory=list)
    made: list[Record] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def records(self) -> list[Record]:
        """All records of the run's cells."""
        return self.found + self.made

    @property
    def failed(self) -> list[Record]:
        """Records that are neither ok nor skipped."""
        return [record for record in self.records if record.state not in GOOD]

    @property
    def failed_before(self) -> list[Record]:
        """Failed records that this run found and kept."""
        return [record for record in self.found if record.state not in GOOD]


def standing(cell: Cell, out: Path, *, retry: bool = False) -> tuple[Standing, Record | None]:
    """Whether a cell has a record that stands.

    Raises:
        TornRecord: what lies there is no record.
    """
    path = cell.path(out)
    if not path.exists():
        return "new", None
    record = read_record(path)
    if record.key != cell.key:
        return "stale", record
    if retry and record.state not in GOOD:
        return "retried", record
    return "finished", record


def run(
    cells: Sequence[Cell],
    out: Path,
    *,
    watcher: Watcher,
    workers: int | None = None,
    retry: bool = False,
) -> Summary:
    """Run those cells that have no valid record yet.

    Args:
        cells: from `suite.plan`.
        out: folder of the records.
        watcher: is told how it goes.
        workers: cells at a time; default one a core.
        retry: run failed cells again, too.

    Raises:
        UsageError: the folder cannot be written.
        TornRecord: a file in the place of a record is none.
        CannotSave: a record could not be written.
    """
    from mlds_bench.benchmarks.run.engines.local import LocalEngine
    from mlds_bench.benchmarks.run.provenance import provenance

    make_writable(out)
    began = time.perf_counter()
    standings = [(cell, *standing(cell, out, retry=retry)) for cell in cells]
    todo = [cell for cell, state, _ in standings if state != "finished"]
    summary = Summary([r for _, state, r in standings if state == "finished" and r is not None])
    _sweep(todo, out)
    where = provenance(cells[0].device if cells else "cpu")
    watcher.begin(todo, summary.found, sum(state == "stale" for _, state, _ in standings))
    try:
        for event in LocalEngine(workers).run(todo, out, where):
            watcher.event(event)
            if event.record is not None:
                summary.made.append(event.record)
    finally:
        watcher.end()
        summary.seconds = time.perf_counter() - began
    return summary


def make_writable(out: Path) -> None:
    """Make the folder of a run, or say why it cannot be."""
    probe = out / f".writable-{os.getpid()}"
    try:
        out.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise UsageError(
            f"cannot write to {out}: {error.strerror or error}; choose another folder with --out"
        ) from None


def _sweep(cells: Iterable[Cell], out: Path) -> None:
    """Remove what a killed run left half written."""
    for folder in {cell.path(out).parent for cell in cells}:
        for left in folder.glob(".*.tmp"):
            left.unlink(missing_ok=True)
