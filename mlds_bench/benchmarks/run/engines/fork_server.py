"""A server process that has the libraries loaded and forks a process per cell.

It stands above the cells, in a session of its own: whatever a cell leaves running when it dies
becomes the server's child and is ended, and when the run's own process is gone, however it went,
the server ends all cells. No folder of a user comes before the standard library in it, and nothing
of it depends on the length of a path.
"""

from __future__ import annotations

import atexit
import fcntl
import os
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from itertools import count
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from multiprocessing.reduction import recv_handle, send_handle
from pathlib import Path
from typing import Any

from mlds_bench.benchmarks.run.orphans import adopt_orphans, end_orphans
from mlds_bench.benchmarks.run.surroundings import SURROUNDINGS
from mlds_bench.common.interpreter import absolute_path, interpreter_command

POLL_SECONDS = 0.25
POLITE_SECONDS = 1.0
"""A cell that is told to end has so long to do so by itself."""
LONGEST_TEMPORARY = 50
"""Sockets below a longer folder for temporary files have names that the kernel refuses."""
FREE_DESCRIPTOR = 10  # above those that libraries take for standard streams


class CannotStart(OSError):
    """The machine refuses to start another process."""


@dataclass
class Child:
    """A process that the server has forked.

    Attributes:
        number: its name between the server and us.
        exitcode: None as long as it lives; negative for the signal that ended it.
    """

    number: int
    exitcode: int | None = None


class ForkServer:
    """Our side of the server.

    Attributes:
        control: the connection to it; readable when a child has ended.
    """

    def __init__(self) -> None:
        self._folder = tempfile.mkdtemp(prefix="mlds-", dir=temporary_folder())
        ours, theirs = socket.socketpair()
        with theirs:
            try:
                self._process = subprocess.Popen(
                    interpreter_command(__name__, self._folder),
                    stdin=theirs.fileno(),
                    stdout=subprocess.DEVNULL,
                    env={**os.environ, **SURROUNDINGS, "PYTHONSAFEPATH": "1"},
                    start_new_session=True,
                )
            except OSError as error:
                ours.close()
                Path(self._folder).rmdir()
                raise CannotStart(f"cannot start a process: {error.strerror or error}") from None
        self.control: Connection = Connection(ours.detach())
        self._owner = os.getpid()
        atexit.register(self._close)
        self._children: dict[int, Child] = {}
        self._numbers = count()

    @property
    def is_alive(self) -> bool:
        """Whether it can start processes."""
        is_ours = self._owner == os.getpid()  # not a fork of the process that made it
        return is_ours and not self.control.closed and self._process.poll() is None

    def preload(self, modules: Iterable[str]) -> None:
        """Import modules once for all processes that are started later."""
        self._tell("preload", list(modules))

    def start(self, target: Callable[..., None], *args: Any, pipe: Connection) -> Child:
        """Call ``target(*args, pipe)`` in a process of its own, with a folder for temporary files.

        Args:
            target: a function of a module.
            args: pickled.
            pipe: handed over; the caller may close its own copy.
        """
        child = Child(next(self._numbers))
        self._children[child.number] = child
        place = (str(Path.cwd()), absolute_path())
        self._tell("start", (child.number, pickle.dumps((target, args, place))))
        with suppress(OSError):
            send_handle(self.control, pipe.fileno(), self._process.pid)
        return child

    def end(self, children: Iterable[Child], *, seconds: float = 5.0) -> None:
        """End processes, politely at first, and wait until they and theirs are gone."""
        wanted = [child for child in children if child.exitcode is None]
        for child in wanted:
            self._tell("end", child.number)
        deadline = time.monotonic() + seconds
        while any(one.exitcode is None for one in wanted) and time.monotonic() < deadline:
            wait([self.control], timeout=POLL_SECONDS)
            self.hear()

    def hear(self) -> None:
        """Take note of children that have ended; all of them, if the server itself is gone."""
        try:
            while not self.control.closed and self.control.poll():
                number, code = self.control.recv()
                self._children.pop(number).exitcode = code
        except (EOFError, OSError):
            self.give_up()

    def _close(self) -> None:
        self.control.close()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=POLITE_SECONDS)
        shutil.rmtree(self._folder, ignore_errors=True)

    def _tell(self, kind: str, content: Any) -> None:
        try:
            self.control.send((kind, content))
        except OSError:
            self.give_up()

    def give_up(self) -> None:
        """The server is gone: so are its children, and this says so."""
        self.control.close()
        for child in self._children.values():
            child.exitcode = -signal.SIGKILL
        self._children.clear()
        shutil.rmtree(self._folder, ignore_errors=True)


@cache
def _servers() -> list[ForkServer]:
    return []


def fork_server() -> ForkServer:
    """This process's server: one serves all its runs, and ends with it."""
    servers = _servers()
    if servers and not servers[-1].is_alive:
        servers.pop().give_up()
    if not servers:
        servers.append(ForkServer())
    return servers[-1]


class _Server:
    """The server's own side."""

    def __init__(self, control: Connection, folder: str) -> None:
        self._control = control
        self._folder = folder
        self._context = get_context("fork")
        self._cells: dict[int, tuple[ForkProcess, Path]] = {}
        self._deadlines: dict[int, float] = {}

    def serve(self) -> None:
        """Until the run's process is gone."""
        try:
            while True:
                sentinels = [process.sentinel for process, _ in self._cells.values()]
                if self._control in wait([self._control, *sentinels], timeout=POLL_SECONDS):
                    self._obey(*self._control.recv())
                self._end_late()
                self._report()
        except (EOFError, OSError):
            pass  # the run's process is gone, and nobody is left to tell
        finally:
            for process, _ in self._cells.values():
                process.kill()
            for process, _ in self._cells.values():
                process.join()
            end_orphans(())
            shutil.rmtree(self._folder, ignore_errors=True)

    def _obey(self, kind: str, content: Any) -> None:
        if kind == "preload":
            for module in content:
                with suppress(ImportError):  # whoever needs it says so
                    import_module(module)
        elif kind == "start":
            number, payload = content
            self._start(number, payload, Connection(recv_handle(self._control)))
        elif content in self._cells:
            self._cells[content][0].terminate()
            self._deadlines[content] = time.monotonic() + POLITE_SECONDS

    def _start(self, number: int, payload: bytes, pipe: Connection) -> None:
        with pipe:
            try:
                folder = Path(tempfile.mkdtemp(dir=self._folder))
                process = self._context.Process(
                    target=_begin, args=(self._control, payload, pipe, folder)
                )
                process.start()
            except OSError as error:  # no memory, no room: the next cell may have more luck
                with suppress(OSError):
                    pipe.send(("refused", error.strerror or str(error)))
                self._control.send((number, 1))
            else:
                self._cells[number] = process, folder

    def _report(self) -> None:
        for number, (process, folder) in list(self._cells.items()):
            if not process.is_alive():
                process.join()
                del self._cells[number]
                self._deadlines.pop(number, None)
                end_orphans(self._alive())
                shutil.rmtree(folder, ignore_errors=True)
                self._control.send((number, process.exitcode))

    def _end_late(self) -> None:
        for number, deadline in self._deadlines.items():
            if time.monotonic() > deadline:
                self._cells[number][0].kill()

    def _alive(self) -> set[int]:
        return {process.pid for process, _ in self._cells.values() if process.pid is not None}


def _begin(control: Connection, payload: bytes, pipe: Connection, folder: Path) -> None:
    """In the new process: stand where the run stands, then do what is asked."""
    control.close()
    for kind in (signal.SIGHUP, signal.SIGINT, signal.SIGTERM):
        signal.signal(kind, signal.SIG_DFL)
    os.environ["TMPDIR"] = str(folder)
    tempfile.tempdir = None
    target, args, (place, path) = pickle.loads(payload)  # from the run's own process
    os.chdir(place)
    sys.path += [entry for entry in path if entry not in sys.path]
    target(*args, pipe)


def temporary_folder() -> Path:
    """Where temporary files go: the user's choice, unless sockets could not be named below it."""
    chosen, usual = Path(tempfile.gettempdir()), Path("/tmp")
    is_long = len(os.fsencode(chosen)) > LONGEST_TEMPORARY
    return usual if is_long and os.access(usual, os.W_OK | os.X_OK) else chosen


def main(folder: str) -> None:
    """Serve the process at the other end of standard input; temporary files go to the folder."""
    control: Connection = Connection(fcntl.fcntl(0, fcntl.F_DUPFD_CLOEXEC, FREE_DESCRIPTOR))
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    adopt_orphans()
    _Server(control, folder).serve()
    os._exit(0)  # the libraries need not be taken down
