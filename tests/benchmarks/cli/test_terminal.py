"""What commands write to: encodings, terminals and logs, signals, what the system refuses."""

from __future__ import annotations

import errno
import os
import pty
import signal
import subprocess
import sys
import time
from io import BytesIO, StringIO, TextIOWrapper
from pathlib import Path

import pytest

from mlds_bench.benchmarks.cli import terminal
from mlds_bench.benchmarks.cli.app import designed
from tests.benchmarks.cli.asking import RUN, Ask
from tests.processes import ROOT, python

SHORT = [sys.executable, "-W", "error", "-m", "tests.benchmarks.short"]
HIDE, SHOW = b"\x1b[?25l", b"\x1b[?25h"


def encoded(text: str, encoding: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a stream of this encoding shows of a text."""
    file = BytesIO()
    monkeypatch.setattr(sys, "stdout", TextIOWrapper(file, encoding=encoding))
    with terminal.prepared():
        print(text, end="", flush=True)
    return file.getvalue().decode(encoding)


@pytest.mark.parametrize(
    ("encoding", "shown"),
    [("utf-8", "-5 ± 1 ↑ 名"), ("cp1252", "-5 ± 1 ^ ?"), ("ascii", "-5 +- 1 ^ ?")],
)
def test_any_text_can_be_printed(
    encoding: str, shown: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What an encoding lacks is written in plain characters."""
    assert encoded("-5 ± 1 ↑ 名", encoding, monkeypatch) == shown


def test_a_broken_file_name_can_be_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes of a name that are no UTF-8 are lone surrogates in Python."""
    assert encoded(os.fsdecode(b"a\xff.py"), "utf-8", monkeypatch) == "a?.py"


@pytest.mark.parametrize("arguments", [("list",), ("show", "hw4-2/breakout"), ("table", "there")])
def test_commands_print_in_any_encoding(
    arguments: tuple[str, ...], out: Path, tmp_path: Path
) -> None:
    """In a process of its own, whose streams have it from the start."""
    (tmp_path / "there").symlink_to(out)
    shown = python(
        "-m", "mlds_bench", *arguments, *(["--no-write"] if arguments[0] == "table" else []),
        cwd=tmp_path, PYTHONIOENCODING="ascii", PYTHONPATH=str(ROOT),
    )  # fmt: skip
    assert (shown.returncode, shown.stderr) == (0, "")


def test_a_console_prints_data_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    """Brackets are no markup, and a name between colons is no emoji."""
    file = StringIO()
    monkeypatch.setattr(sys, "stdout", file)
    terminal.console().print("a[/b] exp[lr=1] :smile:")
    assert file.getvalue() == "a[/b] exp[lr=1] :smile:\n"


def test_a_folder_with_brackets_is_printed_as_it_is(ask: Ask) -> None:
    """In the last line of a run, too."""
    for folder in ("a[/b]", "exp[lr=1]"):
        answer = ask(*RUN, "-a", "random", "--preset", "smoke", "-o", folder)
        assert answer.code == 0
        assert f"records in {folder}, " in answer.error


def test_a_log_gets_no_panel(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though FORCE_COLOR asks for colors in it."""
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setattr(sys, "stderr", StringIO())
    screen = terminal.console(stderr=True)
    assert screen.is_terminal
    assert not terminal.is_live(screen)


def test_sigterm_gives_the_cursor_back(tmp_path: Path) -> None:
    """The panel is closed, one line says what to do, and the cells end."""
    (tmp_path / "slow.py").write_text(
        "import time\nclass Slow:\n    def learn(self, env, budget): time.sleep(60)\n"
        "    def act(self, obs): return obs\n"
    )
    ours, theirs = pty.openpty()
    command = [*SHORT, *RUN, "-a", str(tmp_path / "slow.py"), "--preset", "smoke", "--seeds", "0"]
    process = subprocess.Popen(
        [*command, "-o", str(tmp_path / "out")],
        cwd=ROOT, stdout=theirs, stderr=theirs, stdin=subprocess.DEVNULL,
        env={**os.environ, "TERM": "xterm"},
    )  # fmt: skip
    os.close(theirs)
    said = b""
    try:
        while HIDE not in said or b"Slow" not in said:
            said += os.read(ours, 4096)
        process.send_signal(signal.SIGTERM)
        while chunk := _read(ours):
            said += chunk
        assert process.wait(timeout=30) == 128 + signal.SIGTERM
    finally:
        process.kill()
        os.close(ours)
    assert said.rfind(SHOW) > said.rfind(HIDE)
    assert b"mlds-bench: ended by SIGTERM; the same command continues" in said
    assert b"Traceback" not in said


def _read(file: int) -> bytes:
    try:
        return os.read(file, 4096)
    except OSError:  # the other end is closed
        return b""


LOADING = """
import sys
class Pressed:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            raise KeyboardInterrupt
sys.meta_path.insert(0, Pressed())
sys.argv = ["/usr/bin/mlds-bench", "list"]
from mlds_bench.benchmarks.cli.app import main
main()
"""


@pytest.mark.parametrize("module", ["gymnasium", "typer", "mlds_bench.benchmarks.cli.listing"])
def test_ctrl_c_while_it_loads_is_one_line(module: str) -> None:
    """Whatever is being imported."""
    answer = python("-c", LOADING.format(module=module))
    assert (answer.returncode, answer.stdout) == (130, "")
    assert answer.stderr.strip() == "mlds-bench: interrupted"


def test_ctrl_c_in_the_first_second_is_one_line(tmp_path: Path) -> None:
    """To the whole group, as a terminal sends it, at moments up to the first cell."""
    for delay in (0.8, 1.4, 2.0):
        command = [*SHORT, *RUN, "-a", "deep", "--preset", "smoke", "-o", str(tmp_path)]
        process = subprocess.Popen(
            command, cwd=ROOT, stderr=subprocess.PIPE, text=True, start_new_session=True
        )
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGINT)
        _, error = process.communicate(timeout=60)
        if "mlds-bench: interrupted" in error:  # else it was before our first line
            assert process.returncode == 130
            assert "Traceback" not in error


@pytest.mark.parametrize("code", [errno.EACCES, errno.ENOSPC, errno.EROFS])
@pytest.mark.parametrize(
    ("command", "function"),
    [("table", "write_tables"), ("plot", "mlds_bench.leaderboard.plots.write_curves")],
)
def test_what_cannot_be_written_is_one_line(
    ask: Ask, out: Path, monkeypatch: pytest.MonkeyPatch, command: str, function: str, code: int
) -> None:
    """Another user's folder, a full disk: with a way out."""

    def refuse(*_: object) -> None:
        raise OSError(code, os.strerror(code), "there.md" if code == errno.EACCES else None)

    place = function if "." in function else f"mlds_bench.benchmarks.cli.commands.{function}"
    monkeypatch.setattr(place, refuse)
    answer = ask(command, out)
    assert answer.code == 2
    assert answer.error.count("\n") == 1
    assert answer.error.startswith(f"mlds-bench: cannot write to {out}: ")
    assert os.strerror(code) in answer.error


@pytest.mark.parametrize("command", ["table", "show", "plot"])
def test_a_record_that_cannot_be_read_is_no_traceback(
    ask: Ask, out: Path, tmp_path: Path, command: str
) -> None:
    """A folder in its place, for one."""
    copy = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(out), str(copy)], check=True)
    record = copy / "smoke/hw1-1/sinc/random/seed-0.json"
    record.unlink()
    record.mkdir()
    answer = ask(command, record if command == "show" else copy)
    assert answer.code == (2 if command == "show" else 0)
    assert "Traceback" not in answer.error
    assert "sinc/random/seed-0.json: " in (answer.said if command == "table" else answer.error)


def test_a_refusal_of_the_system_names_the_file() -> None:
    """A bug of ours keeps its traceback."""
    assert designed(PermissionError(13, "Permission denied", "a.py")) == "a.py: Permission denied"
    assert designed(OSError(28, "No space left on device")) == "No space left on device"
    assert designed(ValueError("a bug")) is None
