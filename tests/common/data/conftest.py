"""A data folder and a cache of each test's own."""

from __future__ import annotations

from pathlib import Path

import pytest


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache folder of the package; the data folder is chosen by the tests that have one."""
    monkeypatch.delenv("MLDS_BENCH_DATA", raising=False)
    folder = tmp_path / "cache"
    monkeypatch.setattr("mlds_bench.common.data.store.cache_folder", lambda: folder)
    return folder


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that `MLDS_BENCH_DATA` names; it is not made."""
    folder = tmp_path / "data"
    monkeypatch.setenv("MLDS_BENCH_DATA", str(folder))
    return folder
