"""CIFAR-10 in its binary version, as arrays that are memory-mapped from the cache.

The archive holds six files of 10,000 records: one byte for the class, then 3,072 bytes for the red,
green and blue channel of 32 x 32 pixels, row by row. Source: Krizhevsky 2009,
https://www.cs.toronto.edu/~kriz/cifar.html, "Binary version".
"""

from __future__ import annotations

import gzip
import tarfile
import zlib
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mlds_bench.common.data.store import derived
from mlds_bench.common.names import unknown_name

NAME = "cifar10"
"""Of the data set."""
ARCHIVE = "cifar-10-binary.tar.gz"
FOLDER = "cifar-10-batches-bin"
MEMBERS = {
    "train": tuple(f"data_batch_{number}.bin" for number in range(1, 6)),
    "test": ("test_batch.bin",),
}
"""Split -> its files in the archive."""
CLASSES = 10
SIDE, CHANNELS = 32, 3
RECORD = 1 + CHANNELS * SIDE**2
"""Bytes of a record."""
PER_FILE = 10_000
"""Records of a file."""


class TornCifar(ValueError):
    """An archive that is not CIFAR-10's; one line."""


def load(split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images and labels of one split; the first time they are unpacked into the cache.

    Args:
        split: ``train`` (50,000 images) or ``test`` (10,000).

    Returns:
        Images (N, 32, 32, 3) uint8, 0 to 255, and labels (N,) int64, 0 to 9, in the published
        order; both read-only and memory-mapped.

    Raises:
        ValueError: there is no such split.
        MissingData: the data set is not here; the line names the command that fetches it.
    """
    if split not in MEMBERS:
        raise ValueError(unknown_name("split", split, MEMBERS))
    images = derived(NAME, f"{split}-images-v1", lambda folder: _read(folder, split)[0])
    labels = derived(NAME, f"{split}-labels-v1", lambda folder: _read(folder, split)[1])
    return images, labels


def read_archive(
    path: Path, split: str, per_file: int = PER_FILE
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images (N, 32, 32, 3) uint8 and labels (N,) int64 of a split, from the archive.

    Args:
        path: of the archive.
        split: ``train`` or ``test``.
        per_file: records that each file must have.

    Raises:
        TornCifar: the archive is not whole; the line names it and what is wrong.
        OSError: it cannot be read.
    """
    wanted = [f"{FOLDER}/{name}" for name in MEMBERS[split]]
    try:
        with tarfile.open(path, "r:gz") as archive:
            contents = [_content(archive, name) for name in wanted]
    except (tarfile.TarError, gzip.BadGzipFile, EOFError, zlib.error, KeyError) as error:
        raise TornCifar(f"{path}: {error.args[0] if error.args else error}") from None
    for name, content in zip(wanted, contents, strict=True):
        if len(content) != per_file * RECORD:
            raise TornCifar(
                f"{path}: {name} has {len(content):,} bytes, {per_file:,} records have "
                f"{per_file * RECORD:,}"
            )
    records = np.frombuffer(b"".join(contents), np.uint8).reshape(-1, RECORD)
    labels = records[:, 0].astype(np.int64)
    if labels.max() >= CLASSES:
        raise TornCifar(f"{path}: class {labels.max()}, there are 0 to {CLASSES - 1}")
    images = records[:, 1:].reshape(-1, CHANNELS, SIDE, SIDE).transpose(0, 2, 3, 1)
    return np.ascontiguousarray(images), labels


def _content(archive: tarfile.TarFile, name: str) -> bytes:
    """A file of the archive, without writing it anywhere."""
    file = archive.extractfile(name)
    if file is None:
        raise KeyError(f"{name} is no file")
    return file.read()


def _read(folder: Path, split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    return read_archive(folder / ARCHIVE, split)
