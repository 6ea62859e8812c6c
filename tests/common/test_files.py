"""Files that are replaced whole."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlds_bench.common.files import replacing


def test_a_reader_sees_the_old_or_the_new(tmp_path: Path) -> None:
    """The folder is made; while the new is written, the old is there."""
    path = tmp_path / "below" / "file"
    with replacing(path) as file:
        file.write(b"old")
    with replacing(path) as file:
        file.write(b"new")
        file.flush()
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_everything_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"old")

    def fail() -> None:
        with replacing(path) as file:
            file.write(b"new")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail()
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]
