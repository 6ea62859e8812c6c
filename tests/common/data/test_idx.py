"""The IDX format, byte by byte."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from mlds_bench.common.data.idx import TornIdx, parse_idx, read_idx

MATRIX = bytes.fromhex("00000802 00000002 00000003 010203040506")
"""Two rows of three bytes."""


def test_an_array_of_bytes() -> None:
    array = parse_idx(MATRIX)
    assert array.dtype == np.uint8
    assert array.tolist() == [[1, 2, 3], [4, 5, 6]]


@pytest.mark.parametrize(
    ("content", "dtype", "expected"),
    [
        ("00000901 00000002 ff7f", np.int8, [-1, 127]),
        ("00000b01 00000002 0102fffe", np.int16, [258, -2]),
        ("00000c01 00000002 00010000ffffffff", np.int32, [65536, -1]),
        ("00000d01 00000002 3fc00000c0000000", np.float32, [1.5, -2.0]),
        ("00000e01 00000001 3ff8000000000000", np.float64, [1.5]),
    ],
)
def test_every_dtype_comes_in_native_order(content: str, dtype: type, expected: object) -> None:
    array = parse_idx(bytes.fromhex(content))
    assert array.dtype == dtype
    assert array.dtype.isnative
    assert array.tolist() == expected


def test_no_items_are_an_array_too() -> None:
    assert parse_idx(bytes.fromhex("00000802 00000000 0000001c")).shape == (0, 28)


BROKEN = {
    "empty": (b"", "at least 4 bytes, this one 0"),
    "picture": (b"\x89PNG\r\n", "begins with bytes 0000, this one with 8950"),
    "dtype": (
        b"\0\0\x0a\1\0\0\0\0",
        "unknown dtype code 0a: there are 08 uint8, 09 int8, 0b int16",
    ),
    "no dimension": (b"\0\0\x08\0", "at least 1 dimension, this one 0"),
    "header": (MATRIX[:9], "header of 2 dimensions has 12 bytes, the file 9"),
    "cut": (MATRIX[:-1], r"shape \(2, 3\) and dtype uint8 has 6 bytes of data, the file has 5"),
    "longer": (MATRIX + b"\0", "has 6 bytes of data, the file has 7"),
    "huge": (b"\0\0\x08\4" + b"\xff" * 16, "bytes of data, the file has 0"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_broken_file_is_named_in_one_line(case: str, tmp_path: Path) -> None:
    """Plain or gzipped."""
    content, problem = BROKEN[case]
    for written in (content, gzip.compress(content)):
        path = tmp_path / "file"
        path.write_bytes(written)
        with pytest.raises(TornIdx, match=problem) as raised:
            read_idx(path)
        assert str(raised.value).startswith(f"{path}: ")
        assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    "content",
    [gzip.compress(MATRIX)[:-9], gzip.compress(MATRIX)[:10] + b"\xff" * 9, b"\x1f\x8b\0\0"],
    ids=["cut", "damaged", "no gzip"],
)
def test_broken_gzip_is_named_too(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    with pytest.raises(TornIdx, match=rf"^{path}: .+"):
        read_idx(path)


def test_gzipped_or_plain_is_told_by_the_bytes(tmp_path: Path) -> None:
    for name, content in (("plain.gz", MATRIX), ("packed", gzip.compress(MATRIX))):
        (tmp_path / name).write_bytes(content)
        assert read_idx(tmp_path / name).tolist() == [[1, 2, 3], [4, 5, 6]]
