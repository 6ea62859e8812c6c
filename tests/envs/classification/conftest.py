"""Real data sets, where whoever runs the tests has them."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from mlds_bench.common.data.store import is_here
from mlds_bench.envs.classification.specs import DATASETS


@pytest.fixture
def have() -> Callable[[str], str]:
    """Returns the name of a data set that is here, or skips."""

    def check(name: str) -> str:
        catalogued = DATASETS[name].catalogued
        if catalogued and not (os.environ.get("MLDS_BENCH_DATA") and is_here(catalogued)):
            pytest.skip(f"{catalogued} is not below MLDS_BENCH_DATA")
        return name

    return check
