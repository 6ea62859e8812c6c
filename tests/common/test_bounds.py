"""Bounds of hyper-parameters: whatever is wrong gets one line, never a TypeError."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest

from mlds_bench.common import bounds

CHECKS: dict[str, Callable[..., None]] = {
    "whole": partial(bounds.whole, 1),
    "above": partial(bounds.above, 0.0),
    "at_least": partial(bounds.at_least, 0.0),
    "between": partial(bounds.between, 0.0, 1.0),
    "layers": bounds.layers,
    "sizes": bounds.sizes,
}


@pytest.mark.parametrize("check", CHECKS.values(), ids=CHECKS)
@pytest.mark.parametrize(
    "value",
    [None, True, "3", "abc", [], [[1, 2]], [[1, 2, "3"]], {}, -1, float("nan"), 10**400, object()],
    ids=lambda value: str(value)[:12],
)
def test_whatever_is_wrong_is_named(check: Callable[..., None], value: Any) -> None:
    """By the setting, its bound and the value, in one line."""
    if value == 10**400 and check is CHECKS["whole"]:
        pytest.skip("a whole number, and there is no upper bound")
    with pytest.raises(ValueError, match=r"^size must be ") as error:
        check(size=value)
    assert "\n" not in str(error.value)


def test_what_is_right_passes() -> None:
    """numpy's numbers included."""
    three: Any = np.int64(3)
    one: Any = np.float32(1.0)
    bounds.whole(1, size=1, other=three)
    bounds.above(0.0, rate=0.1, other=one)
    bounds.at_least(0.0, rate=0)
    bounds.between(0.0, 1.0, gamma=1.0, other=0)
    bounds.sizes(hidden=(64, 64))
    bounds.layers(filters=((16, 6, 3), (32, 4, 2)))
    bounds.layers(filters=[[16, 6, 3]])  # type: ignore[arg-type]
