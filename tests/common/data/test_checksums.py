"""Checksums: computed once per file as it is."""

from __future__ import annotations

import gzip
import os
import zlib
from hashlib import sha256
from pathlib import Path

import pytest

from mlds_bench.common.data import checksums
from mlds_bench.common.data.checksums import ChecksumMemory, compute_sha256

ABC = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
"""Of the three letters, from FIPS 180-2."""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "file"
    path.write_bytes(b"abc")
    return path


@pytest.fixture
def reads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of files that were read."""
    names: list[str] = []

    def counted(path: Path, *, unpacked: bool = False) -> str:
        names.append(path.name)
        return compute_sha256(path, unpacked=unpacked)

    monkeypatch.setattr(checksums, "compute_sha256", counted)
    return names


def test_of_a_file_and_of_what_is_inside(tmp_path: Path, file: Path) -> None:
    packed = tmp_path / "file.gz"
    packed.write_bytes(gzip.compress(b"abc"))
    assert compute_sha256(file) == compute_sha256(packed, unpacked=True) == ABC
    assert compute_sha256(packed) == sha256(packed.read_bytes()).hexdigest()
    memory = ChecksumMemory(tmp_path / "memory.json")
    assert memory.sha256(packed, unpacked=True) == ABC
    assert memory.sha256(packed) == compute_sha256(packed)


def test_a_file_is_read_once(tmp_path: Path, file: Path, reads: list[str]) -> None:
    """Also by the next process, unless it should be read afresh."""
    memory = ChecksumMemory(tmp_path / "memory.json")
    assert memory.sha256(file) == memory.sha256(file) == ABC
    assert ChecksumMemory(tmp_path / "memory.json").sha256(file) == ABC
    assert reads == ["file"]
    assert memory.sha256(file, fresh=True) == ABC
    assert reads == ["file"] * 2


@pytest.mark.parametrize("change", ["size", "time"])
def test_a_changed_file_is_read_again(tmp_path: Path, file: Path, change: str) -> None:
    memory = ChecksumMemory(tmp_path / "memory.json")
    assert memory.sha256(file) == ABC
    status = file.stat()
    file.write_bytes(b"abcd" if change == "size" else b"abd")
    later = status.st_mtime_ns + (change == "time")
    os.utime(file, ns=(status.st_atime_ns, later))
    assert memory.sha256(file) == sha256(file.read_bytes()).hexdigest() != ABC


@pytest.mark.parametrize("content", [b"", b"{", b"[1]", b'{"file": 3}', b'{"file": [1, 2]}'])
def test_a_torn_memory_is_made_anew(
    tmp_path: Path, file: Path, reads: list[str], content: bytes
) -> None:
    path = tmp_path / "memory.json"
    path.write_bytes(content)
    assert ChecksumMemory(path).sha256(file) == ABC
    assert ChecksumMemory(path).sha256(file) == ABC
    assert reads == ["file"]


def test_what_others_remembered_is_kept(tmp_path: Path, file: Path, reads: list[str]) -> None:
    other = tmp_path / "other"
    other.write_bytes(b"other")
    one, two = (ChecksumMemory(tmp_path / "memory.json") for _ in range(2))
    one.sha256(file)
    two.sha256(other)
    third = ChecksumMemory(tmp_path / "memory.json")
    third.sha256(file)
    third.sha256(other)
    assert reads == ["file", "other"]


def test_without_a_place_nothing_is_remembered(
    tmp_path: Path, file: Path, reads: list[str]
) -> None:
    """And nothing fails."""
    for _ in range(2):
        assert ChecksumMemory(file / "below" / "memory.json").sha256(file) == ABC
    assert reads == ["file"] * 2


@pytest.mark.parametrize(
    ("content", "error"),
    [
        (b"no gzip", gzip.BadGzipFile),
        (gzip.compress(b"abc")[:-9], EOFError),
        (gzip.compress(b"abc")[:10] + b"\xff" * 9, zlib.error),
    ],
    ids=["no gzip", "cut", "damaged"],
)
def test_what_cannot_be_unpacked_raises(
    tmp_path: Path, content: bytes, error: type[Exception]
) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(content)
    with pytest.raises(error):
        compute_sha256(path, unpacked=True)
