"""The IDX format of the MNIST family: big-endian arrays with a short header.

Bytes 0 and 1 are zero, byte 2 is the code of the dtype, byte 3 the number of dimensions; their
sizes follow as unsigned 32-bit integers, then the data. Source: LeCun, Cortes and Burges 1998,
http://yann.lecun.com/exdb/mnist, "The IDX file format".
"""

from __future__ import annotations

import gzip
import math
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

DTYPES: dict[int, np.dtype[Any]] = {
    0x08: np.dtype("u1"),
    0x09: np.dtype("i1"),
    0x0B: np.dtype(">i2"),
    0x0C: np.dtype(">i4"),
    0x0D: np.dtype(">f4"),
    0x0E: np.dtype(">f8"),
}
"""Code of the third byte -> dtype in the file."""


class TornIdx(ValueError):
    """A file that is not a whole IDX file; one line."""


def read_idx(path: Path) -> npt.NDArray[Any]:
    """The array of an IDX file, gzipped or plain.

    Returns:
        The array with the shape and dtype that the file names, in this machine's byte order;
        read-only where the file's bytes need no conversion.

    Raises:
        TornIdx: the file is no whole IDX file; the line names the file and what is wrong.
        OSError: the file cannot be read.
    """
    content = path.read_bytes()
    try:
        if content.startswith(b"\x1f\x8b"):
            content = gzip.decompress(content)
        return parse_idx(content)
    except (TornIdx, EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TornIdx(f"{path}: {error}") from None


def parse_idx(content: bytes) -> npt.NDArray[Any]:
    """The array in the bytes of an IDX file.

    Raises:
        TornIdx: the bytes are no whole IDX file; the line says what is wrong.
    """
    dtype, shape, start = _header(content)
    expected, there = math.prod(shape) * dtype.itemsize, len(content) - start
    if there != expected:
        raise TornIdx(
            f"an array of shape {shape} and dtype {dtype.name} has {expected:,} bytes of data, "
            f"the file has {there:,}"
        )
    array = np.frombuffer(content, dtype, offset=start).reshape(shape)
    return array.astype(dtype.newbyteorder("="), copy=False)


def _header(content: bytes) -> tuple[np.dtype[Any], tuple[int, ...], int]:
    """Dtype, shape, and where the data begin."""
    if len(content) < 4:
        raise TornIdx(f"an IDX file has at least 4 bytes, this one {len(content)}")
    if content[:2] != b"\0\0":
        raise TornIdx(f"an IDX file begins with bytes 0000, this one with {content[:2].hex()}")
    code, dimensions = content[2], content[3]
    if code not in DTYPES:
        known = ", ".join(f"{code:02x} {dtype.name}" for code, dtype in DTYPES.items())
        raise TornIdx(f"unknown dtype code {code:02x}: there are {known}")
    if dimensions == 0:
        raise TornIdx("an IDX file has at least 1 dimension, this one 0")
    start = 4 + 4 * dimensions
    if len(content) < start:
        raise TornIdx(
            f"the header of {dimensions} dimensions has {start} bytes, the file {len(content)}"
        )
    shape = np.frombuffer(content, ">u4", count=dimensions, offset=4)
    return DTYPES[code], tuple(shape.tolist()), start
