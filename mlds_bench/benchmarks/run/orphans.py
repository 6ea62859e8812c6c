"""Processes that outlive the one that started them: adopted, and ended."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Collection
from contextlib import suppress

import psutil

PR_SET_CHILD_SUBREAPER = 36  # linux/prctl.h
ROUNDS = 100
"""So often is looked for what was started while we killed."""


def adopt_orphans() -> None:
    """What descendants leave running when they die becomes this process's child, on Linux."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)


def end_orphans(children: Collection[int]) -> None:
    """Kill all children of this process but its own, with whatever they have started.

    Args:
        children: process ids of those that stay.
    """
    for _ in range(ROUNDS):
        orphans = [one for one in psutil.Process().children() if one.pid not in children]
        if not orphans:
            return
        for orphan in orphans:
            with suppress(psutil.Error):
                for process in [orphan, *orphan.children(recursive=True)]:
                    kill(process.pid)
        for orphan in orphans:
            with suppress(ChildProcessError):
                os.waitpid(orphan.pid, 0)


def kill(pid: int, *, group: bool = False) -> None:
    """SIGKILL to a process, or to its group, if it is still there."""
    with suppress(ProcessLookupError, PermissionError):
        (os.killpg if group else os.kill)(pid, signal.SIGKILL)
