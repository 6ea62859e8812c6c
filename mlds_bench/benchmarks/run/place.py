"""The folders of a cell: where its agent writes, and where its record and artifacts belong.

Several runs may work on the same cell at once, so each has a private folder, and changes to what
all see are made under a lock. An agent may do anything to the folders around its own; once it has
ended, they are put back as they were.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import stat
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

LOCK_SECONDS = 10.0
"""Longer nobody holds a lock but an agent that means harm."""
RETRY_SECONDS = 0.05
ATTEMPTS = 5


class Place:
    """Where a cell lives on disk.

    Args:
        path: where its record belongs.
        out: folder of the run.

    Attributes:
        private: the folder of its agent, locked as long as this process lives.
        lock: descriptor of the private folder; other processes have to close it.

    Raises:
        OSError: the folders cannot be made.
    """

    def __init__(self, path: Path, out: Path) -> None:
        self.path = path
        path.parent.mkdir(parents=True, exist_ok=True)
        inner = path.parent.relative_to(out)
        self._around = [out / parent for parent in reversed(inner.parents)] + [path.parent]
        self._before = {folder: folder.stat() for folder in self._around}
        self.private = path.parent / f".{path.stem}.{secrets.token_hex(4)}.partial"
        self.insist(self.private.mkdir)
        self.lock = os.open(self.private, os.O_RDONLY | os.O_DIRECTORY)
        with suppress(OSError):  # a file system without locks
            fcntl.flock(self.lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def close(self) -> None:
        """Let go of the private folder."""
        os.close(self.lock)

    def insist(self, act: Callable[[], None]) -> None:
        """Do something in the folders around, also while another seed of the agent locks them.

        Raises:
            OSError: it cannot be done.
        """
        for _ in range(ATTEMPTS):
            try:
                return act()
            except PermissionError:
                self.restore()
        return act()

    def restore(self) -> str:
        """Undo what was done to the folders around; what that was, or "" for nothing.

        Raises:
            OSError: they cannot be put back.
        """
        done = ""
        for folder in self._around:
            if folder.exists() and os.path.samestat(folder.stat(), self._before[folder]):
                unlock(folder)
                continue
            done = done or f"the agent has moved or replaced {folder}"
            if folder.is_symlink() or not folder.is_dir():
                folder.unlink(missing_ok=True)
            folder.mkdir(exist_ok=True)
            self._before[folder] = folder.stat()
        return done


@contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep others from changing a folder; without a lock after `LOCK_SECONDS`."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    except PermissionError:  # whoever writes there says what is wrong
        yield
        return
    try:
        deadline = time.monotonic() + LOCK_SECONDS
        while not _lock(descriptor) and time.monotonic() < deadline:
            time.sleep(RETRY_SECONDS)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return True
    return True


def sweep(folder: Path) -> None:
    """Remove what processes that are no more left half written among the records of an agent."""
    with suppress(OSError), locked(folder):
        for left in folder.glob(".*.tmp"):
            left.unlink(missing_ok=True)
        for left in folder.glob(".*.partial"):
            if not _is_in_use(left):
                clear(left)


def _is_in_use(folder: Path) -> bool:
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return not _lock(descriptor)
    finally:
        os.close(descriptor)


def clear(path: Path) -> None:
    """Remove a file or folder as far as that is possible; what a link points to stays."""
    with suppress(OSError):
        if path.is_symlink() or not path.is_dir():
            path.unlink(missing_ok=True)
        else:
            unlock_tree(path)
            shutil.rmtree(path, ignore_errors=True)


def unlock(folder: Path) -> None:
    """Let the owner of a folder read and write it.

    Raises:
        OSError: it is somebody else's.
    """
    mode = stat.S_IMODE(folder.stat().st_mode)
    if mode & stat.S_IRWXU != stat.S_IRWXU:
        folder.chmod(mode | stat.S_IRWXU)


def unlock_tree(path: Path) -> None:
    """The same for a folder and all below it, links excepted."""
    unlock(path)
    for here, folders, _ in os.walk(path):
        for folder in (Path(here, name) for name in folders):
            if not folder.is_symlink():
                unlock(folder)
