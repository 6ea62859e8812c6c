"""Ctrl-C while a program is still loading: one line, and the exit code of an interrupted one."""

from __future__ import annotations

import os
import sys
from types import TracebackType

INTERRUPTED = 130
"""Exit code of a command that Ctrl-C ended, as shells have it."""


def is_started_as(program: str, package: str) -> bool:
    """Whether this process is a program, by its name or as ``python -m package``."""
    name, *_ = (*sys.argv, "")
    if name == "-m":  # what it is while the package is imported
        return ["-m", package] in [sys.orig_argv[i : i + 2] for i in range(len(sys.orig_argv))]
    return name.endswith(program)


def end_quietly_when_interrupted(program: str) -> None:
    """Let a Ctrl-C that nobody catches end this process with one line instead of a traceback."""
    otherwise = sys.excepthook

    def hook(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        if not issubclass(kind, KeyboardInterrupt):
            otherwise(kind, error, trace)
            return
        print(f"{program}: interrupted", file=sys.stderr, flush=True)
        os._exit(INTERRUPTED)  # else the interpreter reports the signal as its own end

    sys.excepthook = hook
