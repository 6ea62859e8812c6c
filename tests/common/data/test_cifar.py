"""CIFAR-10's archive: small ones made by hand in the published layout."""

from __future__ import annotations

import io
import tarfile
from pathlib import Path

import numpy as np
import pytest

from mlds_bench.common.data import cifar
from mlds_bench.common.data.cifar import FOLDER, MEMBERS, RECORD, TornCifar, load, read_archive
from mlds_bench.common.data.store import MissingData

EACH = 3
"""Records of a file here."""


def contents(seed: int = 0) -> dict[str, bytes]:
    """Random records; the class of record k of a file is k."""
    generator = np.random.default_rng(seed)
    files = {}
    for name in (*MEMBERS["train"], *MEMBERS["test"]):
        records = generator.integers(256, size=(EACH, RECORD), dtype=np.uint8)
        records[:, 0] = np.arange(EACH)
        files[f"{FOLDER}/{name}"] = records.tobytes()
    return files


def archive(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w:gz") as made:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            made.addfile(entry, io.BytesIO(content))
    return path


def test_channels_follow_pixels(tmp_path: Path) -> None:
    """Byte 1 + 1024 c + 32 y + x of a record is channel c of pixel (y, x)."""
    files = contents()
    images, labels = read_archive(archive(tmp_path / "a.tar.gz", files), "train", EACH)
    assert (images.shape, images.dtype.name) == ((15, 32, 32, 3), "uint8")
    assert labels.tolist() == [0, 1, 2] * 5
    second = files[f"{FOLDER}/data_batch_2.bin"]
    for y, x, channel in [(0, 0, 0), (0, 1, 0), (5, 7, 1), (31, 31, 2)]:
        at = 2 * RECORD + 1 + 1024 * channel + 32 * y + x
        assert images[EACH + 2, y, x, channel] == second[at]


def test_the_test_split_is_the_sixth_file(tmp_path: Path) -> None:
    files = contents()
    images, labels = read_archive(archive(tmp_path / "a.tar.gz", files), "test", EACH)
    assert (len(images), labels.tolist()) == (EACH, [0, 1, 2])
    assert images[0, 0, 0, 0] == files[f"{FOLDER}/test_batch.bin"][1]


@pytest.mark.parametrize("wrong", ["cut", "no archive", "missing", "short", "class"])
def test_a_torn_archive_gets_one_line(wrong: str, tmp_path: Path) -> None:
    """The file and what is wrong with it."""
    files, name = contents(), f"{FOLDER}/data_batch_3.bin"
    if wrong == "missing":
        del files[name]
    if wrong == "short":
        files[name] = files[name][:-1]
    if wrong == "class":
        files[name] = b"\x0a" + files[name][1:]
    path = archive(tmp_path / "a.tar.gz", files)
    if wrong == "cut":
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    if wrong == "no archive":
        path.write_bytes(b"<html>not found</html>")
    with pytest.raises(TornCifar, match=r"^.*a\.tar\.gz: ") as error:
        read_archive(path, "train", EACH)
    assert "\n" not in str(error.value)
    expected = {
        "missing": "data_batch_3",
        "short": "data_batch_3.*9,218 bytes",
        "class": "class 10",
    }
    assert error.match(expected.get(wrong, ""))


def test_an_absent_set_names_the_command(root: Path) -> None:
    with pytest.raises(MissingData, match="mlds-bench data get cifar10 fetches it"):
        load("train")
    with pytest.raises(ValueError, match="unknown split 'tset': did you mean 'test'"):
        load("tset")


def test_what_is_made_of_it_is_cached(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A set that counts as whole is read once; then both arrays are memory-mapped."""
    path = archive(tmp_path / "made.tar.gz", contents())
    monkeypatch.setattr("mlds_bench.common.data.store.find", lambda name: path.parent)
    monkeypatch.setattr(cifar, "ARCHIVE", path.name)
    monkeypatch.setattr(cifar, "_read", lambda folder, split: read_archive(path, split, EACH))
    first = load("test")
    path.unlink()
    again = load("test")
    assert all(isinstance(array, np.memmap) for array in again)
    assert np.array_equal(first[0], again[0])
    assert np.array_equal(first[1], again[1])
