"""What lies beside a record: what the agent saved, its log, and pictures of the test.

The agent has ended by then, but may have done anything to its folder. One name in it is the
harness's own: ``pictures``.
"""

from __future__ import annotations

import os
import shutil
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

Draw: TypeAlias = Callable[[Path], list[Path]]

PICTURES = "pictures"
"""Folder of the pictures, whatever an agent puts there."""
NO_PICTURES = "error.txt"
"""File in that folder that says why there are none, or not all."""
LONGEST_LOG = 2**16


def partial_folder(path: Path) -> Path:
    """Where the artifacts of the record at ``path`` grow until they are moved beside it."""
    return path.parent / f".{path.stem}.partial"


def clear(path: Path) -> None:
    """Remove a folder as far as that is possible; a link goes, what it points to stays."""
    if path.is_symlink():
        path.unlink()
    else:
        shutil.rmtree(path, ignore_errors=True)


def keep_artifacts(made: Path, kept: Path, draw: Draw | None) -> None:
    """Move what the agent saved beside the record, with pictures; leave no empty folder.

    A picture that cannot be drawn is no reason to lose a record: a file in the folder of the
    pictures then says why.

    Args:
        made: the folder the agent wrote to.
        kept: where it belongs; what lies there goes.
        draw: draws pictures into an existing folder; None where there are none.

    Raises:
        OSError: the agent has left its folder in disorder; nothing is kept then.
    """
    clear(kept)
    try:
        _reserve(made)
        _trim(made / "log.txt")
        if draw:
            _draw(draw, made / PICTURES)
        if any(made.iterdir()):
            made.replace(kept)
        else:
            made.rmdir()
    except OSError:
        clear(made)
        raise


def _reserve(made: Path) -> None:
    """Make sure that what is called pictures is ours, and that it lies where it seems to lie."""
    if made.is_symlink():
        raise OSError("its folder has become a link")
    made.chmod(0o700)
    pictures = made / PICTURES
    if pictures.is_dir() and not pictures.is_symlink():
        shutil.rmtree(pictures)
    else:
        pictures.unlink(missing_ok=True)


def _draw(draw: Draw, folder: Path) -> None:
    folder.mkdir()
    try:
        draw(folder)
    except Exception:  # whatever it is, the scores are not to blame
        (folder / NO_PICTURES).write_text(traceback.format_exc())


def _trim(log: Path) -> None:
    """Keep the end of a log; an empty one is no log."""
    size = log.stat().st_size
    if not size:
        log.unlink()
    elif size > LONGEST_LOG:
        with log.open("rb") as file:
            file.seek(-LONGEST_LOG, os.SEEK_END)
            end = file.read()
        log.write_bytes(b"[...]\n" + end)
