"""What lies beside a record: what the agent saved, its log, and pictures of the test.

The agent has ended by then, but may have done anything to its folder. One name in it is the
harness's own: ``pictures``. What is kept are folders and regular files: links are not followed, and
what blocks its reader is removed.
"""

from __future__ import annotations

import os
import shutil
import stat
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from mlds_bench.benchmarks.run.place import clear, unlock_tree

Draw: TypeAlias = Callable[[Path], list[Path]]

PICTURES = "pictures"
"""Folder of the pictures, whatever an agent puts there."""
NO_PICTURES = "error.txt"
"""File in that folder that says why there are none, or not all."""
LONGEST_LOG = 2**16
LOG = "log.txt"


def tidy_artifacts(made: Path, draw: Draw | None) -> None:
    """Make what the agent left fit to be kept, and add pictures.

    A picture that cannot be drawn is no reason to lose a record: a file in the folder of the
    pictures then says why.

    Args:
        made: the folder the agent wrote to.
        draw: draws pictures into an existing folder; None where there are none.

    Raises:
        OSError: the agent has left its folder in disorder; it is removed then.
    """
    try:
        if made.is_symlink():
            raise OSError("its folder has become a link")
        unlock_tree(made)
        clear(made / PICTURES)
        _keep_regular_files(made)
        _trim(made / LOG)
        if draw:
            _draw(draw, made / PICTURES)
    except OSError:
        clear(made)
        raise


def move_artifacts(made: Path, kept: Path) -> None:
    """Put a tidy folder in its place, unless it is empty; what lies there goes.

    Raises:
        OSError: it cannot be moved.
    """
    clear(kept)
    if made.exists() and any(made.iterdir()):
        made.replace(kept)
    else:
        clear(made)


def _keep_regular_files(folder: Path) -> None:
    """Remove links, pipes, sockets and devices, without opening one of them."""
    for here, folders, files in os.walk(folder):
        for name in (*folders, *files):
            mode = os.lstat(os.path.join(here, name)).st_mode  # noqa: PTH118 - thousands of them
            if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
                Path(here, name).unlink()


def _draw(draw: Draw, folder: Path) -> None:
    folder.mkdir()
    try:
        draw(folder)
    except Exception:  # whatever it is, the scores are not to blame
        (folder / NO_PICTURES).write_text(traceback.format_exc())


def _trim(log: Path) -> None:
    """Keep the end of a log; an empty one is no log.

    A long one is written anew: the agent may have made its name a second one of another file.
    """
    if log.is_dir():
        shutil.rmtree(log)
    if not log.exists():
        return
    size = log.stat().st_size
    if not size:
        log.unlink()
    elif size > LONGEST_LOG:
        with log.open("rb") as file:
            file.seek(-LONGEST_LOG, os.SEEK_END)
            end = file.read()
        log.unlink()
        log.write_bytes(b"[...]\n" + end)
