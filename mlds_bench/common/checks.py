"""Checks of single values that users give: kind and bound at once, one line if they are wrong.

numpy's numbers are numbers, True is none, and text is none. What is wrong is shown in one line of
bounded length, whatever it is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from numbers import Integral, Real
from typing import Any

from mlds_bench.common.names import unknown_name

MOST_SHOWN = 60
"""Characters that an error shows of a wrong value."""


def shown(value: Any) -> str:
    """How a wrong value is shown: its repr, in one line, cut to `MOST_SHOWN` characters."""
    if isinstance(value, int) and value.bit_length() > 256:
        return f"a whole number of {value.bit_length()} bits"
    try:
        text = " ".join(repr(value).split())
    except Exception:  # anybody's class
        text = f"a {type(value).__name__}"
    return text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."


def is_whole(value: Any) -> bool:
    """Whether it is a whole number, numpy's included."""
    return isinstance(value, Integral) and not isinstance(value, bool)


def is_finite(value: Any) -> bool:
    """Whether it is a number, numpy's included, that a float can hold."""
    if isinstance(value, bool) or not isinstance(value, Real):
        return False
    try:
        return math.isfinite(value)
    except OverflowError:
        return False


def whole_number(name: str, value: Any, low: int, high: int | None = None) -> int:
    """A whole number from ``low`` to ``high``, both included, as an int."""
    if not (is_whole(value) and low <= value and (high is None or value <= high)):
        bound = f"of at least {low}" if high is None else f"in {low}..{high}"
        raise ValueError(f"{name} must be a whole number {bound}, got {shown(value)}")
    return int(value)


def finite_number(name: str, value: Any, low: float, high: float = math.inf) -> float:
    """A finite number from ``low`` to ``high``, both included, as a float."""
    if not (is_finite(value) and low <= value <= high):
        bound = f"of at least {low:g}" if high == math.inf else f"in [{low:g}, {high:g}]"
        raise ValueError(f"{name} must be a finite number {bound}, got {shown(value)}")
    return float(value)


def one_of(name: str, value: Any, options: Sequence[str]) -> str:
    """One of a few words; the line for a wrong one lists them all."""
    if not isinstance(value, str) or value not in options:
        raise ValueError(f"{name} must be one of {', '.join(options)}, got {shown(value)}")
    return str(value)


def name_in(name: str, value: Any, known: Sequence[str]) -> str:
    """One of many names; the line for a wrong one has the nearest right one."""
    if not isinstance(value, str):
        raise ValueError(
            f"{name} must be a name in quotes, such as {known[0]!r}, got {shown(value)}"
        )
    if value not in known:
        raise ValueError(unknown_name(name, value[:MOST_SHOWN], known))
    return str(value)


def text(name: str, value: Any) -> str:
    """Any text."""
    if not isinstance(value, str):
        raise ValueError(f"{name} must be text, got {shown(value)}")
    return str(value)


def true_or_false(name: str, value: Any) -> bool:
    """True or False, numpy's included; neither 0 and 1 nor text."""
    if isinstance(value, bool):
        return value
    if type(value).__module__ == "numpy" and type(value).__name__ in ("bool", "bool_"):
        return bool(value)
    raise ValueError(f"{name} must be True or False, got {shown(value)}")
