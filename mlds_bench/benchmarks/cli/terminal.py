"""What commands write to: a terminal, a log, a pipe, in whatever encoding it has.

Texts that come from users (names, folders, reasons) are data: no console here reads markup in them.
"""

from __future__ import annotations

import codecs
import os
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import TextIOWrapper
from types import FrameType
from typing import NoReturn

from rich.console import Console

PLAIN = {"±": "+-", "↑": "^", "↓": "v", "†": "*", "‡": "**", "Δ": "d", "—": "-", "…": "..."}
"""What stands for a character that an encoding does not have; a question mark for any other."""
WIDEST = 2_000
"""Columns of what is no terminal."""
ENDING = (signal.SIGTERM, signal.SIGHUP)
"""Signals that end a command as Ctrl-C does: tidily."""


class Terminated(BaseException):
    """The command was told to end by one of `ENDING`.

    Attributes:
        signal: which one.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.signal = signal.Signals(number)


class Interrupted(Exception):
    """Ctrl-C, where a command has more to say of it than that; one line."""


@contextmanager
def prepared() -> Iterator[None]:
    """Streams that take any text, and signals that end a command tidily, while the block runs."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_ERRORS)
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {
        number: signal.signal(number, _end)
        for number in ENDING
        if signal.getsignal(number) is signal.SIG_DFL
    }
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _end(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001
    for one in ENDING:  # a second signal ends the command at once
        signal.signal(one, signal.SIG_DFL)
    raise Terminated(number)


def _plainly(error: UnicodeError) -> tuple[str, int]:
    """An error handler of codecs: see `PLAIN`."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    missing = error.object[error.start : error.end]
    return "".join(PLAIN.get(character, "?") for character in missing), error.end


_ERRORS = "mlds_bench.plainly"
codecs.register_error(_ERRORS, _plainly)


def console(*, stderr: bool = False) -> Console:
    """A console that prints data as they are: no markup, no emoji codes, no highlighting.

    What is no terminal gets one line per entry, to be searched and cut.
    """
    made = Console(stderr=stderr, markup=False, emoji=False, highlight=False)
    if not made.is_terminal:
        made.width = WIDEST
    return made


def is_live(console: Console) -> bool:
    """Whether somebody sits at a terminal that can redraw; FORCE_COLOR makes none of a log."""
    with suppress(ValueError, OSError):  # a closed stream is no terminal
        return console.is_terminal and not console.is_dumb_terminal and console.file.isatty()
    return False


def complain(text: str) -> None:
    """One line on standard error, under the name of the program."""
    print(f"mlds-bench: {' '.join(text.split())}", file=sys.stderr)


def told(error: OSError) -> str:
    """An error of the operating system in a few words: the file, and what is the matter."""
    reason = error.strerror or str(error) or type(error).__name__
    return f"{os.fsdecode(error.filename)}: {reason}" if _has_name(error) else reason


def _has_name(error: OSError) -> bool:
    return isinstance(error.filename, (str, bytes, os.PathLike)) and bool(error.filename)
