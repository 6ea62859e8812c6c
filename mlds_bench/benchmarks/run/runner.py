"""Run cells, keep what is finished, tell how it goes."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.run.events import Observer
from mlds_bench.benchmarks.run.place import sweep
from mlds_bench.leaderboard.record import (
    Record,
    Task,
    TornRecord,
    read_record,
    read_task,
    task_path,
    write_task,
)

if TYPE_CHECKING:
    from mlds_bench.benchmarks.run.engines import Engine

Standing = Literal["new", "finished", "stale", "retried", "again"]
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


def standing(
    cell: Cell, out: Path, *, retry: bool = False, again: bool = False
) -> tuple[Standing, Record | None]:
    """Whether a cell has a record that stands; what is no whole record is stale."""
    path = cell.path(out)
    if not path.exists():
        return "new", None
    try:
        record = read_record(path)
    except (TornRecord, OSError):
        return "stale", None
    if record.provenance.key != cell.key:
        return "stale", record
    if retry and record.state not in GOOD:
        return "retried", record
    if again:
        return "again", record
    return "finished", record


def run(
    cells: Sequence[Cell],
    out: Path,
    *,
    observer: Observer,
    workers: int | None = None,
    retry: bool = False,
    again: bool = False,
    engine: Engine | None = None,
) -> Summary:
    """Run those cells that have no valid record yet.

    Args:
        cells: from `suite.plan`.
        out: folder of the records.
        observer: is told how it goes.
        workers: cells at a time; default one per core.
        retry: run failed cells again, too.
        again: run every cell, finished or not: for agents that read what is not in their key.
        engine: what the cells run on; by default processes of this machine.

    Raises:
        UsageError: the folder cannot be written.
        CannotSave: a record, or what the records of a variant share, could not be written.
    """
    from mlds_bench.benchmarks.run.engines.local import LocalEngine
    from mlds_bench.benchmarks.run.machine import examine_machine

    make_writable(out)
    began = time.perf_counter()
    standings = [(cell, *standing(cell, out, retry=retry, again=again)) for cell in cells]
    todo = [replace(c, again=again) if again else c for c, s, _ in standings if s != "finished"]
    summary = Summary([r for _, state, r in standings if state == "finished" and r is not None])
    for folder in {cell.path(out).parent for cell in todo}:
        sweep(folder)
    for task in {cell.variant.id: cell.task for cell in cells}.values():
        _keep_task(task, out)
    machine = examine_machine(cells[0].device if cells else "cpu")
    engine = engine or LocalEngine(workers)
    observer.begin(todo, summary.found, sum(state == "stale" for _, state, _ in standings))
    try:
        for event in engine.run(todo, out, machine):
            observer.event(event)
            if event.record is not None:
                summary.made.append(event.record)
    finally:
        observer.end()
        summary.seconds = time.perf_counter() - began
    return summary


def _keep_task(task: Task, out: Path) -> None:
    """Write what the records of a variant share, unless it is there already."""
    from mlds_bench.benchmarks.run.engines import CannotSave

    path = task_path(out, task)
    with suppress(OSError, TornRecord):
        if read_task(path) == task:
            return
    try:
        write_task(task, path)
    except OSError as error:
        raise CannotSave(f"{path}: {error.strerror or error}") from None


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
