"""The store: what is here, what is not, and what is made of it."""

from __future__ import annotations

import gzip
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mlds_bench.common.data import checksums, store
from mlds_bench.common.data.catalogue import CATALOGUE, UnknownData
from mlds_bench.common.data.store import ABSENT, MissingData, TornData
from tests.common.data.makers import CONTENT, A, B, put, toy_set

TOY = toy_set("http://nowhere.invalid/")
PACKED = toy_set("http://nowhere.invalid/", name="group/packed", gzipped=True)


@pytest.fixture(autouse=True)
def toys(monkeypatch: pytest.MonkeyPatch) -> None:
    for data in (TOY, PACKED):
        monkeypatch.setitem(CATALOGUE, data.name, data)


@pytest.mark.parametrize("data", [TOY, PACKED], ids=["plain", "gzipped"])
def test_a_whole_set_is_found(root: Path, data: Any) -> None:
    folder = put(data, root)
    assert store.find(data.name) == folder == root / data.name
    assert store.is_here(data.name)


def test_the_chosen_folder_comes_before_the_cache(root: Path, cache: Path) -> None:
    """But what is whole comes before what is torn."""
    put(TOY, cache / "data")
    assert store.find("toy") == cache / "data" / "toy"
    put(TOY, root)
    assert store.find("toy") == root / "toy"
    (root / "toy" / "a.bin").write_bytes(b"torn")
    assert store.find("toy") == cache / "data" / "toy"


def test_a_tilde_and_an_empty_choice(cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLDS_BENCH_DATA", "~/sets")
    assert store.data_folders() == (Path.home() / "sets", cache / "data")
    monkeypatch.setenv("MLDS_BENCH_DATA", "")
    assert store.data_folders() == (cache / "data",)


def test_an_absent_set_is_one_line_with_the_command(root: Path, cache: Path) -> None:
    with pytest.raises(MissingData) as raised:
        store.find("toy")
    assert not isinstance(raised.value, TornData)
    assert str(raised.value) == (
        f"toy is not here (looked in {root}/toy and {cache}/data/toy): "
        "mlds-bench data get toy fetches it"
    )
    assert not store.is_here("toy")


TORN: dict[str, tuple[bytes | None, str]] = {
    "absent": (None, ABSENT),
    "cut": (A[:1000], "has 1,000 of 300,000 bytes, expected sha256 "),
    "other": (B, "not the published file: sha256 .*, expected "),
}


@pytest.mark.parametrize("case", TORN)
def test_a_torn_set_is_named_in_one_line(root: Path, case: str) -> None:
    """Found by `find` and by `check`, which looks at every file."""
    content, problem = TORN[case]
    path = put(TOY, root) / "a.bin"
    path.unlink()
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(TornData, match=rf"toy is not whole: {path}: {problem}") as raised:
        store.find("toy")
    assert str(raised.value).endswith("; mlds-bench data get toy fetches what is missing")
    assert "\n" not in str(raised.value)
    folder, (first, second) = store.check("toy")
    assert folder == root / "toy"
    assert (first.path, second.problem) == (path, "")
    assert first.problem


def test_more_than_one_torn_file_is_counted(root: Path) -> None:
    folder = put(TOY, root)
    (folder / "a.bin").write_bytes(b"")
    (folder / "b.bin").unlink()
    with pytest.raises(TornData, match=r"a\.bin and 1 more: has 0 of 300,000 bytes"):
        store.find("toy")
    assert [finding.problem for finding in store.check("toy")[1]][1] == ABSENT


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"no gzip", "cannot be read: Not a gzipped file"),
        (gzip.compress(A)[:-9], "cannot be read: Compressed file ended"),
        (gzip.compress(B), "not the published file"),
    ],
    ids=["no gzip", "cut", "other"],
)
def test_a_torn_gzipped_file_is_named(root: Path, content: bytes, problem: str) -> None:
    (put(PACKED, root) / "a.bin.gz").write_bytes(content)
    with pytest.raises(TornData, match=rf"a\.bin\.gz: {problem}"):
        store.find(PACKED.name)


def test_a_folder_in_place_of_a_file_is_named(root: Path) -> None:
    path = put(TOY, root) / "a.bin"
    path.unlink()
    path.mkdir()
    with pytest.raises(TornData, match=r"a\.bin: has "):
        store.find("toy")


def test_finding_reads_once_and_checking_reads_again(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file changed behind its size and time is found by `check` only, and known from then on."""
    path = put(TOY, root) / "a.bin"
    store.find("toy")
    status = path.stat()
    path.write_bytes(B)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with monkeypatch.context() as patched:
        patched.setattr(checksums, "compute_sha256", None)
        assert store.find("toy") == root / "toy"
    assert store.check("toy")[1][0].problem.startswith("not the published file")
    assert not store.is_here("toy")


@pytest.mark.parametrize("function", [store.find, store.check, store.get, store.is_here])
def test_a_wrong_name_gets_the_nearest(function: Any) -> None:
    with pytest.raises(UnknownData, match="unknown data set 'toyy': did you mean 'toy'"):
        function("toyy")


class Maker:
    """Makes the first bytes of a file an array, and counts."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, folder: Path) -> npt.NDArray[Any]:
        self.calls += 1
        return np.fromfile(folder / "a.bin", np.uint8).reshape(300, 1000)


MADE = np.frombuffer(A, np.uint8).reshape(300, 1000)


def test_what_is_derived_is_made_once_and_mapped(root: Path, cache: Path) -> None:
    """Read-only, in a file whose name holds the checksum of the set."""
    put(TOY, root)
    make = Maker()
    for _ in range(2):
        array = store.derived("toy", "rows-v1", make)
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable
        assert np.array_equal(array, MADE)
    assert make.calls == 1
    (path,) = (cache / "derived" / "toy").iterdir()
    assert path.name == f"rows-v1-{TOY.checksum[:16]}.npy"
    store.derived("toy", "rows-v2", make)
    assert make.calls == 2


def test_what_is_derived_of_other_files_is_made_anew(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(TOY, root)
    make = Maker()
    store.derived("toy", "rows-v1", make)
    with monkeypatch.context() as patched:
        patched.setitem(CONTENT, "a.bin", A[::-1])
        other = toy_set("http://nowhere.invalid/")
        patched.setitem(CATALOGUE, "toy", other)
        put(other, root)
        assert np.array_equal(store.derived("toy", "rows-v1", make).ravel(), MADE.ravel()[::-1])
    assert make.calls == 2


def test_a_torn_cache_is_made_again(root: Path, cache: Path) -> None:
    """Empty, cut in header or data, longer, or something else."""
    put(TOY, root)
    store.derived("toy", "rows-v1", Maker())
    (path,) = (cache / "derived" / "toy").iterdir()
    whole = path.read_bytes()
    for content in (b"", whole[:20], whole[:-1], whole + b"x", b"x" * 1000, b"PK\x03\x04" * 99):
        path.write_bytes(content)
        make = Maker()
        assert np.array_equal(store.derived("toy", "rows-v1", make), MADE)
        assert make.calls == 1
        assert path.read_bytes() == whole


def test_without_a_cache_arrays_are_in_memory(root: Path, cache: Path) -> None:
    put(TOY, root)
    cache.write_text("in the way")
    array = store.derived("toy", "rows-v1", Maker())
    assert np.array_equal(array, MADE)
    assert not array.flags.writeable
    assert not isinstance(array, np.memmap)


def test_of_an_absent_set_nothing_is_derived() -> None:
    with pytest.raises(MissingData, match="mlds-bench data get toy"):
        store.derived("toy", "rows-v1", Maker())


def test_an_error_of_the_maker_leaves_no_file(root: Path, cache: Path) -> None:
    put(TOY, root)
    with pytest.raises(ZeroDivisionError):
        store.derived("toy", "rows-v1", lambda _: np.array([1 // 0]))
    assert not (cache / "derived").exists()
