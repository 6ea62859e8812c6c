"""The server above the cells: what it starts, what it ends, what it leaves alone."""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import time
from multiprocessing import Pipe
from multiprocessing.connection import Connection, wait
from pathlib import Path

import psutil
import pytest

from mlds_bench.benchmarks.run.engines import fork_server as module
from mlds_bench.benchmarks.run.engines.fork_server import (
    LONGEST_TEMPORARY,
    Child,
    fork_server,
    temporary_folder,
)
from tests.benchmarks.run.files import CONSTANT
from tests.benchmarks.short import run_quietly, short_cells

KILLS_SERVER = CONSTANT.format(value=0.1).replace(
    "        env.reset()\n",
    "        import os, psutil, signal, time\n"
    "        os.kill(psutil.Process(os.getppid()).ppid(), signal.SIGKILL)\n"
    "        time.sleep(60)\n",
)


def ask(target: object, *args: object) -> tuple[Child, Connection]:
    ours, theirs = Pipe()
    with theirs:
        child = fork_server().start(target, *args, pipe=theirs)  # type: ignore[arg-type]
    return child, ours


def wait_for(child: Child, seconds: float = 30.0) -> int:
    deadline = time.monotonic() + seconds
    while child.exitcode is None and time.monotonic() < deadline:
        wait([fork_server().control], timeout=0.1)
        fork_server().hear()
    assert child.exitcode is not None
    return child.exitcode


def tell(word: str, pipe: Connection) -> None:
    pipe.send((word, str(Path.cwd()), os.environ["TMPDIR"], dict(os.environ), os.getsid(0)))


def leave(code: int, pipe: Connection) -> None:
    pipe.close()
    raise SystemExit(code)


def start_and_die(pipe: Connection) -> None:
    child = subprocess.Popen(["sleep", "1000"], start_new_session=True)
    pipe.send(child.pid)
    os.kill(os.getpid(), signal.SIGKILL)


def ignore(pipe: Connection) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    pipe.send("ignoring")
    time.sleep(1000)


def test_a_process_stands_where_we_stand(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In our folder, in another session, with a folder for temporary files that goes with it."""
    monkeypatch.chdir(tmp_path)
    child, pipe = ask(tell, "word")
    word, folder, temporary, environment, session = pipe.recv()
    assert (word, folder) == ("word", str(tmp_path))
    assert wait_for(child) == 0
    assert not Path(temporary).exists()
    assert environment["PYTHONSAFEPATH"] == environment["OMP_NUM_THREADS"] == "1"
    assert session != os.getsid(0)


def test_our_own_environment_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Variables of cells are no matter of who runs them."""
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    before = dict(os.environ)
    assert wait_for(ask(leave, 0)[0]) == 0
    assert dict(os.environ) == before


@pytest.mark.parametrize("code", [0, 3, 7])
def test_how_a_process_ended_is_told(code: int) -> None:
    assert wait_for(ask(leave, code)[0]) == code


def test_what_a_dead_process_has_started_ends() -> None:
    """In whatever session it is."""
    child, pipe = ask(start_and_die)
    pid = pipe.recv()
    assert wait_for(child) == -signal.SIGKILL
    assert not psutil.pid_exists(pid)


def test_who_does_not_end_when_told_is_ended() -> None:
    child, pipe = ask(ignore)
    assert pipe.recv() == "ignoring"
    fork_server().end([child])
    assert child.exitcode == -signal.SIGKILL


def test_an_agent_that_kills_the_server_ends_its_own_cell(tmp_path: Path) -> None:
    """The next ones run, below a new server."""
    (tmp_path / "mine.py").write_text(KILLS_SERVER)
    cells = short_cells(tmp_path / "mine.py", "random", "constant")
    made = run_quietly(cells, tmp_path / "out", workers=1).made
    assert [record.state for record in made] == ["failed", "ok", "ok"]
    assert made[0].reason == "the cell's own process was killed by SIGKILL"


def test_a_long_folder_for_temporary_files_is_not_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Sockets below it could not be named; a short one is the user's choice."""
    monkeypatch.setattr(tempfile, "tempdir", "/short")
    assert temporary_folder() == Path("/short")
    monkeypatch.setattr(tempfile, "tempdir", f"/{'x' * LONGEST_TEMPORARY}")
    assert temporary_folder() == Path("/tmp")


def test_a_machine_that_starts_nothing_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    with pytest.raises(module.CannotStart, match="cannot start a process: Resource temp"):
        module.ForkServer()
