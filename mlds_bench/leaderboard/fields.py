"""Kinds of fields that results have, each with its bounds."""

from __future__ import annotations

import math
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue

from mlds_bench.common.limits import LARGEST

LONGEST_LINE = 2_000
"""Characters of a text that came from outside; what is longer is cut."""
MOST = 2**63 - 1
"""Most of anything that is counted."""
LONGEST_TIME = 1e10
"""Seconds: three hundred years; megabytes, too."""
SHORTEST_TIME = 1e-9
"""Seconds that a clock can tell."""


def _plain(value: object) -> object:
    """What JSON can hold: tuples as lists, inf and nan (legal settings) by their names."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def one_line(text: str, longest: int = LONGEST_LINE) -> str:
    """A text in one line that anything can print: no line feeds, control characters or surrogates.

    Args:
        text: from anywhere.
        longest: characters after which it is cut.
    """
    some = text[: 4 * longest]
    line = " ".join("".join(c if c.isprintable() else " " for c in some).split())
    return line if len(line) <= longest else line[: longest - 1].rstrip() + "…"


def _clocked(seconds: float) -> float:
    if 0 < seconds < SHORTEST_TIME:
        raise ValueError(f"no clock tells less than {SHORTEST_TIME:g} seconds")
    return seconds


def _line(value: object) -> object:
    return one_line(value) if isinstance(value, str) else value


Settings = Annotated[dict[str, JsonValue], BeforeValidator(_plain)]
Line = Annotated[str, BeforeValidator(_line)]
Number = Annotated[float, Field(ge=-LARGEST, le=LARGEST)]
Count = Annotated[int, Field(ge=0, le=MOST)]
Positive = Annotated[int, Field(ge=1, le=MOST)]
Seconds = Annotated[float, Field(ge=0, le=LONGEST_TIME), AfterValidator(_clocked)]
Measure = Annotated[int | float, Field(ge=0, le=MOST)]
