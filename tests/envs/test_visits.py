"""The stride that visits all places."""

from __future__ import annotations

import math

import pytest

from mlds_bench.envs.visits import golden_stride


@pytest.mark.parametrize("length", [1, 2, 3, 64, 750, 65_537])
def test_it_visits_every_place(length: int) -> None:
    """Coprime to the length, and about its golden section."""
    stride = golden_stride(length)
    assert math.gcd(stride, length) == 1
    assert {k * stride % length for k in range(length)} == set(range(length))
    assert length < 10 or stride == pytest.approx(0.618 * length, rel=0.1)
