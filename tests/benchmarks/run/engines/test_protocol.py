"""Engines other than ours: whoever keeps the protocol runs the same cells to the same records."""

from __future__ import annotations

import pickle
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.run.cell import run_cell
from mlds_bench.benchmarks.run.engines import CannotSave, Engine
from mlds_bench.benchmarks.run.events import Event, Silent
from mlds_bench.benchmarks.run.machine import Machine
from mlds_bench.benchmarks.run.runner import run
from mlds_bench.leaderboard.record import read_record, strip_times, task_path, write_record
from tests.benchmarks.records import GOOD, record_of
from tests.benchmarks.short import left_over, run_quietly, short_cells


@dataclass(frozen=True)
class Spool:
    """A channel that is no pipe: a folder that both sides see, as on a cluster."""

    folder: Path

    def recv(self) -> Any:
        place = self.folder / "seed"
        while not place.exists():
            time.sleep(0.01)
        return int(place.read_text())

    def send(self, obj: Any) -> None:
        with (self.folder / "said").open("ab") as file:
            pickle.dump(obj, file)

    def close(self) -> None:
        """Nothing is open."""

    def said(self) -> Iterator[tuple[Any, Any]]:
        with (self.folder / "said").open("rb") as file:
            while file.peek():
                yield pickle.load(file)


class SpoolEngine:
    """One cell after the other, each in a forked process with a folder for its messages."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.words: list[str] = []

    def run(self, cells: Sequence[Cell], out: Path, machine: Machine) -> Iterator[Event]:
        for number, cell in enumerate(cells):
            channel = Spool(self.folder / str(number))
            channel.folder.mkdir(parents=True)
            yield Event("started", cell)
            closed = replace(cell, seal=cell.seal.close())
            process = get_context("fork").Process(
                target=run_cell, args=(closed, out, machine, channel)
            )
            process.start()
            time.sleep(0.2)  # the agent is forked before the seed is there
            (channel.folder / "seed").write_text(str(cell.seal.test_seed(cell.variant.id, 0)))
            process.join()
            for kind, content in channel.said():
                self.words.append(kind)
                if kind == "cannot save":
                    raise CannotSave(content)
                if kind != "done":
                    yield Event(kind, cell, point=content)
            yield Event("ended", cell, record=read_record(cell.path(out)))


class PreparedEngine:
    """Knows the results beforehand."""

    def run(self, cells: Sequence[Cell], out: Path, machine: Machine) -> Iterator[Event]:
        for cell in cells:
            record = record_of(cell)
            write_record(record, cell.path(out))
            yield Event("ended", cell, record=record)


class Witness(Silent):
    def __init__(self) -> None:
        self.kinds: list[str] = []

    def event(self, event: Event) -> None:
        self.kinds.append(event.kind)


def roomy(cell: Cell) -> Cell:
    """With more memory: agents are forked from this process here, and what it holds counts."""
    return replace(cell, preset=replace(cell.preset, memory_mb=8192))


def test_the_same_cells_give_the_same_records(mine: Path, tmp_path: Path) -> None:
    """On an engine with another transport; the observer is told the same story."""
    cells, witness = [roomy(cell) for cell in short_cells(mine, "deep")], Witness()
    engine = SpoolEngine(tmp_path / "spool")
    theirs = run(cells, tmp_path / "theirs", observer=witness, engine=engine)
    ours = run_quietly(cells, tmp_path / "ours", workers=1)
    assert [strip_times(r) for r in theirs.made] == [strip_times(r) for r in ours.made]
    assert {record.state for record in theirs.made} == {"ok"}
    assert witness.kinds[0] == "started"
    assert witness.kinds[-2:] == ["testing", "ended"]
    assert witness.kinds.count("point") >= 60
    assert engine.words[-1] == "done"
    assert left_over(tmp_path) == []


def test_an_engine_that_cannot_save_ends_the_run(mine: Path, tmp_path: Path) -> None:
    """The cell says so through its channel."""
    (cell,) = short_cells(mine)
    folder = cell.path(tmp_path).parent
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    with pytest.raises(CannotSave, match=r"seed-0\.json"):
        run([cell], tmp_path, observer=Silent(), engine=SpoolEngine(tmp_path / "spool"))


def test_the_runner_takes_what_an_engine_brings(tmp_path: Path) -> None:
    """It asks for no process and no machine; finished cells are not handed over again."""
    engine: Engine = PreparedEngine()
    cells = short_cells("random", "deep")
    first = run(cells[:1], tmp_path, observer=Silent(), engine=engine)
    both = run(cells, tmp_path, observer=Silent(), engine=engine)
    assert [(record.agent, record.test.scores) for record in first.made] == [("random", GOOD)]
    assert ([r.agent for r in both.found], [r.agent for r in both.made]) == (["random"], ["deep"])
    assert task_path(tmp_path, cells[0].task).exists()
