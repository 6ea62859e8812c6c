"""How large a number may be that is kept: beyond, sums and squares of it leave float64."""

from __future__ import annotations

import math

LARGEST = 1e100
"""Most that a score, a reward or a return may be, on either side of zero."""


def is_bounded(value: float) -> bool:
    """Whether a number is finite and within `LARGEST`."""
    return math.isfinite(value) and abs(value) <= LARGEST
