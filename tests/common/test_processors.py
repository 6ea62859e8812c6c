"""The cores that a process may use."""

from __future__ import annotations

import os

from mlds_bench.common.processors import available_cores


def test_cores_are_those_allowed() -> None:
    """At least one, at most the machine's."""
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
