"""What the catalogue says."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from mlds_bench.common.data.catalogue import CATALOGUE, UnknownData, find_set
from tests.common.data.makers import toy_set

MD5 = {
    "mnist": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
    "fashion_mnist": "8d4fb7e6c68d591d4c3dfef9ec88bf0d",
}
"""Of the training images, as their publishers and torchvision state them."""


@pytest.mark.parametrize("name", CATALOGUE)
def test_entries_are_complete(name: str) -> None:
    data = CATALOGUE[name]
    assert data.name == name
    assert all((data.summary, data.license, data.source, data.files))
    for file in data.files:
        assert file.size > 0
        assert re.fullmatch("[0-9a-f]{64}", file.sha256)
        assert file.urls
        assert all(url.startswith(("http://", "https://")) for url in file.urls)
        published = file.path.removesuffix(".gz") if file.gzipped else file.path
        assert all(url.endswith(f"/{published}") for url in file.urls)


@pytest.mark.parametrize("name", MD5)
def test_the_files_are_those_that_everyone_has(name: str, real: Callable[[str], Path]) -> None:
    """The published md5 belongs to the same bytes as the sha256 here."""
    path = real(name) / "train-images-idx3-ubyte.gz"
    content = path.read_bytes()
    (file,) = [file for file in CATALOGUE[name].files if file.path == path.name]
    assert hashlib.md5(content).hexdigest() == MD5[name]
    assert hashlib.sha256(content).hexdigest() == file.sha256
    assert len(content) == file.size


def test_the_checksum_of_a_set_changes_with_each_file() -> None:
    data = toy_set("http://here/")
    first, second = data.files
    others = [
        replace(data, files=(first,)),
        replace(data, files=(second, first)),
        replace(data, files=(first, replace(second, sha256="0" * 64))),
        replace(data, files=(first, replace(second, path="c.bin"))),
    ]
    assert len({data.checksum, *(other.checksum for other in others)}) == 5
    assert toy_set("http://elsewhere/").checksum == data.checksum


def test_a_wrong_name_gets_the_nearest() -> None:
    with pytest.raises(UnknownData, match="unknown data set 'fashion-mnist': did you mean"):
        find_set("fashion-mnist")
