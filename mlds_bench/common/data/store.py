"""Finds data sets, fetches them, and caches what is made of them.

A set lies in the folder of its name below `MLDS_BENCH_DATA`, or else below the user's cache folder
(`~/.cache/mlds-bench/data` on Linux). It counts as present only when all its files are whole. What
is derived from it lies in the cache folder and is memory-mapped.
"""

from __future__ import annotations

import os
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from mlds_bench.common.data.catalogue import DataFile, DataSet, find_set
from mlds_bench.common.data.checksums import ChecksumMemory
from mlds_bench.common.files import replacing

VARIABLE = "MLDS_BENCH_DATA"
ABSENT = "absent"


class MissingData(ValueError):
    """A data set is not here: one line with where it was looked for and what fetches it."""


class TornData(MissingData):
    """A data set is here in part, or one of its files is not the published one; one line."""


@dataclass(frozen=True)
class Finding:
    """How a file of a set stands.

    Attributes:
        path: where it is, or should be.
        problem: empty for a whole file, `ABSENT`, or what is wrong with it.
    """

    path: Path
    problem: str


def cache_folder() -> Path:
    """The folder of this package in the user's cache; it need not exist."""
    import pooch  # here, because most commands need no cache

    return Path(pooch.os_cache("mlds-bench"))


def data_folders() -> tuple[Path, ...]:
    """Where data sets are looked for, in this order; they are fetched into the first."""
    chosen = os.environ.get(VARIABLE)
    cache = cache_folder() / "data"
    return (Path(chosen).expanduser(), cache) if chosen else (cache,)


def find(name: str) -> Path:
    """The folder of a data set that is here and whole.

    Files are read the first time; later a look at their size and time is enough.

    Args:
        name: of a data set, ``mnist`` say.

    Raises:
        UnknownData: there is no such data set.
        MissingData: it is not here.
        TornData: it is here in part, or damaged.
    """
    data = find_set(name)
    folder, findings = _look(data)
    problems = [finding for finding in findings if finding.problem]
    if not problems:
        return folder
    command = f"mlds-bench data get {name}"
    if all(finding.problem == ABSENT for finding in findings):
        places = " and ".join(str(place / name) for place in data_folders())
        raise MissingData(f"{name} is not here (looked in {places}): {command} fetches it")
    first = problems[0]
    others = f" and {len(problems) - 1} more" if len(problems) > 1 else ""
    raise TornData(
        f"{name} is not whole: {first.path}{others}: {first.problem}; "
        f"{command} fetches what is missing"
    )


def is_here(name: str) -> bool:
    """Whether a data set is here and whole; see `find`."""
    try:
        find(name)
    except MissingData:
        return False
    return True


def check(name: str) -> tuple[Path, tuple[Finding, ...]]:
    """Reads every file of a data set again, whatever is remembered of it.

    Args:
        name: of a data set.

    Returns:
        The folder where most of the set is, and one finding per file.

    Raises:
        UnknownData: there is no such data set.
    """
    return _look(find_set(name), fresh=True)


def get(name: str, report: Callable[[DataFile, int], None] = lambda _file, _size: None) -> Path:
    """Fetches what is missing of a data set into the first of `data_folders`.

    A download that was interrupted goes on where it stopped. A file appears under its name only
    when it is complete and has the published checksum.

    Args:
        name: of a data set.
        report: called with a file and its bytes that are here, as they come.

    Returns:
        The folder of the set, which is whole.

    Raises:
        UnknownData: there is no such data set.
        DownloadFailed: a file could not be fetched or written; the same call goes on later.
    """
    from mlds_bench.common.data.download import download  # brings requests

    data = find_set(name)
    folder, findings = _look(data)
    if any(finding.problem for finding in findings):
        folder = data_folders()[0] / name
        memory = _memory()
        for file in data.files:
            if _examine(folder / file.path, file, memory).problem:
                download(file, folder, report)
    return find(name)


def derived(name: str, key: str, make: Callable[[Path], npt.NDArray[Any]]) -> npt.NDArray[Any]:
    """An array made from a data set: made once, then memory-mapped from the cache folder.

    Args:
        name: of the data set.
        key: of the array, with a version that rises when ``make`` changes: ``train-images-v1``.
        make: makes the array from the folder of the set; it must not be empty.

    Returns:
        The array, read-only. A cached file that is torn is made again. Where the cache folder
        cannot be written, the array is in memory.

    Raises:
        UnknownData: there is no such data set.
        MissingData: it is not here.
    """
    folder = find(name)
    digest = find_set(name).checksum[:16]
    path = cache_folder() / "derived" / name / f"{key}-{digest}.npy"
    cached = _map(path)
    if cached is not None:
        return cached
    array = np.ascontiguousarray(make(folder))
    try:
        with replacing(path) as file:
            np.lib.format.write_array(file, array, allow_pickle=False)
    except OSError:
        array.flags.writeable = False
        return array
    return np.lib.format.open_memmap(path, mode="r")


def _map(path: Path) -> npt.NDArray[Any] | None:
    """The array of a cached file; None if it is absent or torn."""
    try:
        array = np.lib.format.open_memmap(path, mode="r")
    except (OSError, ValueError, EOFError):
        return None
    return array if array.offset + array.nbytes == path.stat().st_size else None


def _memory() -> ChecksumMemory:
    return ChecksumMemory(cache_folder() / "checksums.json")


def _look(data: DataSet, *, fresh: bool = False) -> tuple[Path, tuple[Finding, ...]]:
    """Where least is wrong with a set, and how its files stand there."""
    memory = _memory()
    places = [folder / data.name for folder in data_folders()]
    looks = [
        (place, tuple(_examine(place / f.path, f, memory, fresh=fresh) for f in data.files))
        for place in places
    ]
    return min(looks, key=lambda look: _badness([finding.problem for finding in look[1]]))


def _badness(problems: list[str]) -> tuple[int, int]:
    """Files with a problem, then files that are absent: least where most of a set is."""
    return sum(map(bool, problems)), problems.count(ABSENT)


def _examine(path: Path, file: DataFile, memory: ChecksumMemory, *, fresh: bool = False) -> Finding:
    try:
        return Finding(path, _problem(path, file, memory, fresh=fresh))
    except FileNotFoundError:
        return Finding(path, ABSENT)
    except (OSError, EOFError, zlib.error) as error:
        return Finding(path, f"cannot be read: {error}")


def _problem(path: Path, file: DataFile, memory: ChecksumMemory, *, fresh: bool) -> str:
    size = path.stat().st_size
    if not file.gzipped and size != file.size:
        return f"has {size:,} of {file.size:,} bytes, expected sha256 {file.sha256[:8]}..."
    digest = memory.sha256(path, unpacked=file.gzipped, fresh=fresh)
    if digest != file.sha256:
        return f"not the published file: sha256 {digest[:8]}..., expected {file.sha256[:8]}..."
    return ""
