"""Worker processes of this machine, forked from a server that has the libraries loaded.

A cell's threads are its variant's, not a share of the machine: the same cell then gives the same
record on one worker or on many. Cells start while their threads fit the cores.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path

from mlds_bench.agents.registry import AgentSpec, UnknownAgent
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.run.cell import CANNOT_SAVE, run_cell
from mlds_bench.benchmarks.run.engines import CannotSave
from mlds_bench.benchmarks.run.engines.fork_server import Child, fork_server
from mlds_bench.benchmarks.run.events import Event
from mlds_bench.benchmarks.run.machine import Machine
from mlds_bench.benchmarks.run.outcome import Outcome, keep_failure
from mlds_bench.benchmarks.run.place import sweep
from mlds_bench.common.processors import available_cores
from mlds_bench.leaderboard.record import Record, TornRecord, read_record

POLL_SECONDS = 0.25


@dataclass
class _Running:
    cell: Cell
    child: Child
    pipe: Connection
    outcome: Outcome


class LocalEngine:
    """Runs cells in processes of this machine.

    Args:
        workers: cells at a time, at most; default one a core.
    """

    def __init__(self, workers: int | None = None) -> None:
        self.workers = workers or available_cores()

    def run(self, cells: Sequence[Cell], out: Path, machine: Machine) -> Iterator[Event]:
        """Run the cells; each has written its record when its ``ended`` comes.

        Raises:
            CannotSave: a record could not be written.
        """
        if not cells:
            return
        fork_server().preload(preloads(cells))
        waiting, running = list(cells), list[_Running]()
        try:
            while waiting or running:
                while waiting and self._has_room(waiting[0], running):
                    running.append(_start(waiting.pop(0), out, machine))
                    yield Event("started", running[-1].cell)
                server = fork_server()  # a new one, should an agent have killed it
                wait([server.control, *(one.pipe for one in running)], timeout=POLL_SECONDS)
                server.hear()
                for one in list(running):
                    has_ended = one.child.exitcode is not None
                    yield from _hear(one)
                    if has_ended:
                        running.remove(one)
                        one.pipe.close()
                        yield Event("ended", one.cell, record=_collect(one, out, machine))
        finally:
            fork_server().end(one.child for one in running)

    def _has_room(self, cell: Cell, running: Sequence[_Running]) -> bool:
        threads = sum(one.cell.variant.threads for one in running) + cell.variant.threads
        return not running or (
            len(running) < self.workers and threads <= max(available_cores(), self.workers)
        )


def _start(cell: Cell, out: Path, machine: Machine) -> _Running:
    ours, theirs = Pipe()
    with suppress(OSError, UnknownAgent):  # its own process says what is wrong with the file
        _ = cell.agent.source_hash  # once per agent, here, and not in every cell's process
    closed = replace(cell, seal=cell.seal.close())
    with theirs:
        child = fork_server().start(run_cell, closed, out, machine, pipe=theirs)
    with suppress(BrokenPipeError):  # the cell has died: `_collect` says how
        ours.send(cell.seal.test_seed(cell.variant.id, cell.seed))
    return _Running(cell, child, ours, Outcome())


def _hear(one: _Running) -> Iterator[Event]:
    while one.pipe.poll():
        try:
            kind, content = one.pipe.recv()
        except (EOFError, ConnectionError):
            return  # the cell has ended: `_collect` says how
        if kind == "cannot save":
            raise CannotSave(content)
        if kind == "refused":
            one.outcome.fail(f"the cell's own process could not be started: {content}")
        elif kind != "done":
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
    path, code = one.cell.path(out), one.child.exitcode
    if code == CANNOT_SAVE:
        raise CannotSave(f"{path}: the record could not be written")
    if code == 0:
        with suppress(TornRecord, OSError):
            return read_record(path)
    one.outcome.fail(_how_it_died(code))
    sweep(path.parent)
    try:
        return keep_failure(one.cell, one.outcome, machine, path)
    except OSError as error:
        raise CannotSave(f"{path}: {error.strerror or error}") from None


def _how_it_died(code: int | None) -> str:
    if code == 0:
        return "somebody has removed the cell's record"
    if code is not None and code < 0:
        return f"the cell's own process was killed by {signal.Signals(-code).name}"
    return f"the cell's own process ended with exit code {code}"
