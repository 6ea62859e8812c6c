"""Worker processes of this machine, forked from a server that has the libraries loaded.

A cell's threads are its variant's, not a share of the machine: the same cell then gives the same
record on one worker or on many. Cells start while their threads fit the cores.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import ModuleType

from mlds_bench.agents.registry import AgentSpec
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.run.artifacts import clear, partial_folder
from mlds_bench.benchmarks.run.cell import CANNOT_SAVE, Outcome, make_record, run_cell
from mlds_bench.benchmarks.run.engines import CannotSave
from mlds_bench.benchmarks.run.events import Event
from mlds_bench.benchmarks.run.machine import Machine
from mlds_bench.benchmarks.run.surroundings import SURROUNDINGS
from mlds_bench.common.processors import available_cores
from mlds_bench.leaderboard.record import Record, read_record, write_record

POLL_SECONDS = 0.25


@dataclass
class _Running:
    cell: Cell
    process: ForkServerProcess
    pipe: Connection
    outcome: Outcome


class LocalEngine:
    """Runs cells in processes of this machine.

    Args:
        workers: cells at a time, at most; default one a core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or available_cores()
        self._context = get_context("forkserver")

    def run(self, cells: Sequence[Cell], out: Path, machine: Machine) -> Iterator[Event]:
        """Run the cells; each has written its record when its ``ended`` comes.

        Raises:
            CannotSave: a record could not be written.
        """
        self._context.set_forkserver_preload(preloads(cells))
        waiting, running = list(cells), list[_Running]()
        try:
            while waiting or running:
                while waiting and self._has_room(waiting[0], running):
                    running.append(self._start(waiting.pop(0), out, machine))
                    yield Event("started", running[-1].cell)
                handles = [handle for one in running for handle in (one.pipe, one.process.sentinel)]
                wait(handles, timeout=POLL_SECONDS)
                for one in list(running):
                    yield from self._hear(one)
                    if not one.process.is_alive():
                        running.remove(one)
                        yield from self._hear(one)
                        yield Event("ended", one.cell, record=_collect(one, out, machine))
        finally:
            _end(running)

    def _has_room(self, cell: Cell, running: Sequence[_Running]) -> bool:
        threads = sum(one.cell.variant.threads for one in running) + cell.variant.threads
        return not running or (
            len(running) < self.workers and threads <= max(available_cores(), self.workers)
        )

    def _start(self, cell: Cell, out: Path, machine: Machine) -> _Running:
        ours, theirs = self._context.Pipe()
        _ = cell.agent.source_hash  # once per agent, here, and not in every cell's process
        closed = replace(cell, seal=cell.seal.close())
        process = self._context.Process(
            target=run_cell, args=(closed, out, machine, theirs), name=str(cell)
        )
        with _without_main(), _surrounded():
            _ensure_server()
            process.start()
        theirs.close()
        with suppress(BrokenPipeError):  # the cell has died: `_collect` says how
            ours.send(cell.seal.test_seed(cell.variant.id, cell.seed))
        return _Running(cell, process, ours, Outcome())

    def _hear(self, one: _Running) -> Iterator[Event]:
        while one.pipe.poll():
            try:
                kind, content = one.pipe.recv()
            except (EOFError, ConnectionError):
                return  # the cell has died: `_collect` says how
            if kind == "cannot save":
                raise CannotSave(content)
            if kind != "done":
                yield Event(kind, one.cell, point=content)


def preloads(cells: Sequence[Cell]) -> list[str]:
    """Modules that the fork server imports once for all cells."""
    modules = {"mlds_bench.benchmarks.run.cell": None}
    for cell in cells:
        environment = cell.variant.environment
        draws = cell.draws and environment.has_pictures
        files = ("env", "scoring", "pictures") if draws else ("env", "scoring")
        modules |= dict.fromkeys(map(environment.module_name, files))
        modules |= dict.fromkeys(_agent_modules(cell.agent))
    return list(modules)


def _agent_modules(agent: AgentSpec) -> list[str]:
    """Our own agents are loaded beforehand; of a user's agent only the torch it asks for."""
    if agent.kind in ("builtin", "sb3"):
        return [agent.module]
    wants_torch = any(b"torch" in source.content for source in agent.sources.values())
    return ["torch"] if wants_torch else []


def _collect(one: _Running, out: Path, machine: Machine) -> Record:
    """The record of a cell whose process has ended; a cell that died is given one."""
    one.process.join()
    path, code = one.cell.path(out), one.process.exitcode
    if code == CANNOT_SAVE:
        raise CannotSave(f"{path}: the record could not be written")
    if code == 0:
        return read_record(path)
    clear(partial_folder(path))
    one.outcome.state = "failed"
    one.outcome.reason = f"the cell's own process ended with exit code {code}"
    record = make_record(one.cell, one.outcome, machine)
    write_record(record, path)
    return record


def _end(running: Sequence[_Running]) -> None:
    """End cells that are not wanted any more: politely, then not."""
    for one in running:
        one.process.terminate()
    deadline = time.monotonic() + 5.0
    for one in running:
        one.process.join(max(deadline - time.monotonic(), 0.1))
        if one.process.is_alive():
            one.process.kill()


@contextmanager
def _without_main() -> Iterator[None]:
    """Start processes that do not import the caller's main script: nothing of it is needed."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


@contextmanager
def _surrounded() -> Iterator[None]:
    """The surroundings of cells in our environment while a child is started, and no longer."""
    before = {name: os.environ.get(name) for name in SURROUNDINGS}
    os.environ.update(SURROUNDINGS)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


def _ensure_server() -> None:
    """Start the fork server deaf to Ctrl-C, which a terminal sends to it, too, while it loads."""
    if threading.current_thread() is not threading.main_thread():
        forkserver.ensure_running()
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        forkserver.ensure_running()
    finally:
        signal.signal(signal.SIGINT, before)
