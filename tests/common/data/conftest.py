"""A data folder and a cache of each test's own."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from mlds_bench.common.data import store

CHOSEN = os.environ.get("MLDS_BENCH_DATA", "")


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


@pytest.fixture
def real(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Path]:
    """Finds a real set below the `MLDS_BENCH_DATA` of whoever runs the tests, or skips."""

    def find(name: str) -> Path:
        monkeypatch.setenv("MLDS_BENCH_DATA", CHOSEN)
        if not CHOSEN or not store.is_here(name):
            pytest.skip(f"{name} is not below MLDS_BENCH_DATA")
        return store.find(name)

    return find
