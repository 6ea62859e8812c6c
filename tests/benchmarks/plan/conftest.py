from __future__ import annotations

from collections.abc import Iterator

import pytest

from mlds_bench.benchmarks.plan.cell import data_checksum


@pytest.fixture(autouse=True)
def fresh_checksums() -> Iterator[None]:
    """Every test plans as a run of its own does: checksums of data are remembered per process."""
    data_checksum.cache_clear()
    yield
    data_checksum.cache_clear()
