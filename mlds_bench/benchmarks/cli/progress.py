"""How a run goes, told to a person: a live panel on a terminal, plain lines elsewhere."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console, Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.run.events import Event
from mlds_bench.leaderboard.record import (
    Record,
    Task,
    artifact_folder,
    normalized_score,
    record_path,
)

COLORS = {"ok": "green", "skipped": "yellow"}
SECONDS_PER_LINE = 60.0
"""Of learning, from one plain line to the next."""


class Lines:
    """One plain line per event that matters, one per minute of learning: for logs and pipes."""

    def __init__(self, console: Console, out: Path) -> None:
        self._console = console
        self._out = out
        self._left = 0
        self._total = 0
        self._told: dict[str, float] = {}

    def begin(self, todo: Sequence[Cell], finished: Sequence[Record], stale: int) -> None:
        """Say what there is to do."""
        self._left = self._total = len(todo)
        self._console.print(opening(len(todo), len(finished), stale), highlight=False)

    def event(self, event: Event) -> None:
        """Say how a cell ended, or now and then how its learning goes."""
        if event.point is not None:
            self._tell_point(event, event.point.seconds)
        if event.record is not None:
            self._left -= 1
            count = f"[{self._total - self._left}/{self._total}]"
            self._console.print(
                Text(f"{count} {event.cell}: {ending(event.record, event.cell.task, self._out)}"),
                soft_wrap=True,
            )

    def end(self) -> None:
        """Nothing to tidy."""

    def _tell_point(self, event: Event, seconds: float) -> None:
        name = str(event.cell)
        if seconds - self._told.get(name, 0.0) >= SECONDS_PER_LINE:
            self._told[name] = seconds
            self._console.print(
                Text(f"{name}: {_phase(event)[0].strip()}, {seconds:.0f} s"), soft_wrap=True
            )


class Panel:
    """A live panel: cells done, running and failed, time left, the scores of the moment."""

    def __init__(self, console: Console, out: Path) -> None:
        self._console = console
        self._out = out
        self._bar = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("{task.fields[left]}"),
            console=console,
        )
        self._running: dict[str, tuple[Cell, float, str, float]] = {}
        self._failed = 0
        self._work = 0.0
        self._done_work = 0.0
        self._began = time.monotonic()
        self._task: TaskID | None = None
        self._live = Live(get_renderable=self._render, console=console, refresh_per_second=4)

    def begin(self, todo: Sequence[Cell], finished: Sequence[Record], stale: int) -> None:
        """Open the panel."""
        self._console.print(opening(len(todo), len(finished), stale), highlight=False)
        if not todo:
            return
        self._work = float(sum(_work(cell) for cell in todo))
        self._task = self._bar.add_task("cells", total=len(todo), left="")
        self._live.start()

    def event(self, event: Event) -> None:
        """Bring the panel up to date."""
        name = str(event.cell)
        if event.kind == "started":
            self._running[name] = (event.cell, time.monotonic(), "starting", 0.0)
        elif event.kind == "ended":
            self._finish(name, event)
        else:
            cell, began, *_ = self._running[name]
            self._running[name] = (cell, began, *_phase(event))

    def end(self) -> None:
        """Close the panel."""
        if self._live.is_started:
            self._live.stop()

    def _finish(self, name: str, event: Event) -> None:
        self._running.pop(name, None)
        record = event.record
        if record is None or self._task is None:
            return
        self._done_work += _work(event.cell)
        self._failed += record.state not in COLORS
        self._bar.advance(self._task)
        style = COLORS.get(record.state, "red")
        line = f"{name}: {ending(record, event.cell.task, self._out)}"
        self._live.console.print(Text(line, style=style))

    def _render(self) -> Group:
        rows = Table.grid(padding=(0, 2))
        for cell, began, phase, _ in self._running.values():
            seconds = f"{time.monotonic() - began:.0f} s"
            told = (cell.variant.id, cell.label, f"seed {cell.seed}", phase, seconds)
            rows.add_row(*map(Text, told))
        if self._task is not None:
            self._bar.update(self._task, left=self._time_left(), description=self._counts())
        return Group(rows, self._bar)

    def _counts(self) -> str:
        return f"{self._failed} failed" if self._failed else "cells"

    def _time_left(self) -> str:
        underway = sum(share * _work(cell) for cell, _, _, share in self._running.values())
        done = (self._done_work + underway) / self._work
        if done < 0.02:
            return ""
        left = (time.monotonic() - self._began) * (1 / done - 1)
        return f"about {left / 60:.0f} min left" if left > 90 else f"about {left:.0f} s left"


def opening(todo: int, finished: int, stale: int) -> str:
    """What a run is about to do."""
    parts = [f"{todo} cell{'s' * (todo != 1)} to run"]
    if finished:
        parts.append(f"{finished} finished before")
    if stale:
        parts.append(f"{stale} stale and run again")
    return ", ".join(parts)


def ending(record: Record, task: Task, out: Path) -> str:
    """How a cell ended, in one line; ``out`` is the folder of the run."""
    if record.state != "ok":
        return reason_with_log(record, out)
    primary = task.primary
    score = record.test.scores[primary]
    normalized = normalized_score(score, task.anchors)
    return f"{primary} {score:.4g}, normalized {normalized:.2f}, {record.cost.wall_seconds:.1f} s"


def reason_with_log(record: Record, out: Path) -> str:
    """Why a cell is not ok, with the file that holds the traceback and what the agent printed."""
    log = artifact_folder(record_path(out, record)) / "log.txt"
    where = f" (traceback and prints: {log})" if log.is_file() else ""
    return f"{record.state}: {record.reason}{where}"


def _phase(event: Event) -> tuple[str, float]:
    if event.kind == "testing" or event.point is None:
        return "testing", 1.0
    share = event.point.env_steps / max(event.cell.budget.env_steps, 1)
    returned = event.point.episode_return
    told = f"reward {event.point.reward:.3g}" if returned is None else f"return {returned:.3g}"
    return f"{share:4.0%}  {told}", share


def _work(cell: Cell) -> float:
    """A rough guess of a cell's length, for the time left: a start-up and its steps."""
    full = cell.variant.budgets[cell.preset.name].env_steps
    return 1.0 + 10.0 * min(full, 10_000_000) / 1e6 * (
        cell.agent.base not in ("random", "constant")
    )
