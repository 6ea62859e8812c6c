"""The order in which an instance of a test walks through a list that all instances share."""

from __future__ import annotations

import math


def golden_stride(length: int) -> int:
    """A step that visits all places of a circle, and spreads the first few widely.

    Args:
        length: places of the circle.

    Returns:
        The number nearest below the golden section of ``length`` that has no common divisor with
        it, at least 1.
    """
    stride = max(round(length * (math.sqrt(5.0) - 1.0) / 2.0), 1)
    while math.gcd(stride, length) != 1:
        stride -= 1
    return stride
