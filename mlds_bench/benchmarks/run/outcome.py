"""What became of a cell, and how that is kept as a record."""

from __future__ import annotations

import errno
import math
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.run.artifacts import Draw, move_artifacts, tidy_artifacts
from mlds_bench.benchmarks.run.machine import Machine
from mlds_bench.benchmarks.run.place import Place, clear, locked
from mlds_bench.leaderboard.record import (
    Cost,
    CurvePoint,
    Provenance,
    Record,
    RecordBudget,
    State,
    Testing,
    TornRecord,
    Training,
    artifact_folder,
    read_record,
    write_record,
)

FULL_DISK = (errno.ENOSPC, errno.EDQUOT)


@dataclass
class Outcome:
    """What became of a cell so far; `make_record` turns it into a record."""

    state: State = "ok"
    reason: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    env_options: dict[str, Any] = field(default_factory=dict)
    env_kwargs: dict[str, Any] = field(default_factory=dict)
    env_steps: int = 0
    stopped_by: Literal["agent", "env_steps", "seconds"] | None = None
    curve: list[CurvePoint] = field(default_factory=list)
    test: Testing = field(default_factory=lambda: Testing(scores={}, episodes=0))
    train_seconds: float | None = None
    eval_seconds: float | None = None
    cpu_seconds: float | None = None
    peak_memory_mb: float | None = None
    started_utc: str = field(default_factory=lambda: datetime.now(UTC).isoformat())
    began: float = field(default_factory=time.perf_counter)

    def fail(self, reason: str) -> None:
        """It has failed, for the first reason that there was."""
        if self.state == "ok":
            self.state, self.reason = "failed", reason


def keep(cell: Cell, outcome: Outcome, machine: Machine, place: Place, draw: Draw | None) -> None:
    """Keep the record of a cell, what its agent saved, and pictures; the agent has ended.

    Whatever the agent did to its files makes a failed record, and nothing else.

    Args:
        cell: what was run.
        outcome: how that went.
        machine: where.
        place: its folders.
        draw: draws pictures of the test; None where there are none.

    Raises:
        OSError: the record cannot be written.
    """
    disorder = place.restore()
    if disorder:
        outcome.fail(disorder)
    else:
        _try(outcome, lambda: tidy_artifacts(place.private, draw))
    with locked(place.path.parent):
        if outcome.state != "ok" and is_kept(cell, place.path):
            clear(place.private)
            return
        kept = artifact_folder(place.path)
        _try(outcome, lambda: place.insist(lambda: move_artifacts(place.private, kept)))
        try:
            place.insist(lambda: write_record(make_record(cell, outcome, machine), place.path))
        except OSError as error:
            if error.errno not in FULL_DISK:
                raise
            clear(kept)  # what the agent saved may be what fills it
            outcome.fail(f"{error.strerror}, with what the agent has saved")
            write_record(make_record(cell, outcome, machine), place.path)


def keep_failure(cell: Cell, outcome: Outcome, machine: Machine, path: Path) -> Record:
    """Write the record of a cell whose process has died; the record that stands then.

    Raises:
        OSError: the record cannot be written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with locked(path.parent):
        if not is_kept(cell, path):
            write_record(make_record(cell, outcome, machine), path)
        return read_record(path)


def is_kept(cell: Cell, path: Path) -> bool:
    """Whether another run has left a good record of the very cell: no failure replaces that."""
    try:
        record = read_record(path)
    except (TornRecord, OSError):
        return False
    return record.state == "ok" and record.provenance.key == cell.key and not cell.again


def _try(outcome: Outcome, act: Callable[[], None]) -> None:
    try:
        act()
    except OSError as error:
        outcome.fail(f"what the agent saved is gone or broken: {error.strerror or error}")


def make_record(cell: Cell, outcome: Outcome, machine: Machine) -> Record:
    """The record of a cell that has ended, however it ended."""
    seconds = cell.budget.seconds
    return Record(
        preset=cell.preset.name,
        variant=cell.variant.id,
        agent=cell.label,
        seed=cell.seed,
        pretrained=cell.trained.origin if cell.trained else "",
        state=outcome.state,
        reason=outcome.reason,
        training=Training(
            params=outcome.params or cell.all_params,
            env_options=outcome.env_options,
            env_steps=outcome.env_steps,
            budget=RecordBudget(
                env_steps=cell.budget.env_steps,
                seconds=seconds if math.isfinite(seconds) else None,
            ),
            stopped_by=outcome.stopped_by,
            curve=tuple(outcome.curve),
        ),
        test=outcome.test,
        cost=Cost(
            wall_seconds=time.perf_counter() - outcome.began,
            train_seconds=outcome.train_seconds,
            eval_seconds=outcome.eval_seconds,
            cpu_seconds=outcome.cpu_seconds,
            peak_memory_mb=outcome.peak_memory_mb,
        ),
        provenance=Provenance(
            key="" if cell.absent else cell.key,  # it is run once the data are here
            task=cell.task.digest,
            agent_version=cell.agent.version,
            source_hash=cell.agent.source_hash,
            package_version=machine.package_version,
            git_commit=machine.git_commit,
            python=machine.python,
            packages=machine.packages,
            hardware=machine.hardware,
            threads=cell.variant.threads,
            started_utc=outcome.started_utc,
        ),
    )
