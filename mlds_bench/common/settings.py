"""Settings as data: frozen dataclasses whose fields carry their defaults and bounds.

A field that is made with one of the functions here is checked when the dataclass is, and a wrong
value is refused in one line with the field's name, the value and the bound:

>>> @dataclass(frozen=True, kw_only=True)
... class Settings(BaseSettings):
...     size: int = whole(84, 16, 210)
>>> make_settings(Settings, {"size": 42}).size
42
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any, ClassVar, TypeAlias, TypeVar

from mlds_bench.common.names import unknown_name

Check: TypeAlias = Callable[[str, Any], Any]
"""From a field's name and value to the value that is kept; a wrong one raises ValueError."""
S = TypeVar("S", bound="BaseSettings")

_CHECK = "check"


@dataclass(frozen=True, kw_only=True)
class BaseSettings:
    """Base of a frozen dataclass of settings; checks every field that has a bound.

    Attributes:
        view_options: the fields that an agent may choose, and no others.
    """

    view_options: ClassVar[frozenset[str]] = frozenset()

    def __post_init__(self) -> None:
        for one in fields(self):
            if check := one.metadata.get(_CHECK):
                object.__setattr__(self, one.name, check(one.name, getattr(self, one.name)))


def make_settings(cls: type[S], given: Mapping[str, Any]) -> S:
    """The settings with these values and the defaults of all others.

    Raises:
        ValueError: an unknown name (the line has the nearest right one), or a value out of bounds.
    """
    names = [one.name for one in fields(cls)]
    for name in given:
        if name not in names:
            raise ValueError(unknown_name("setting", name, names))
    return cls(**given)


def checked(default: Any, check: Check) -> Any:
    """A field with a check of its own. If its default is None, None is always allowed."""
    if default is not None:
        return field(default=default, metadata={_CHECK: check})

    def check_if_given(name: str, value: Any) -> Any:
        return None if value is None else check(name, value)

    return field(default=None, metadata={_CHECK: check_if_given})


def whole(default: int | None, low: int, high: int | None = None) -> Any:
    """A field for a whole number from ``low`` to ``high``, both included."""
    bound = f"of at least {low}" if high is None else f"in {low}..{high}"

    def check(name: str, value: Any) -> int:
        is_whole = isinstance(value, int) and not isinstance(value, bool)
        if not (is_whole and low <= value and (high is None or value <= high)):
            raise ValueError(f"{name} must be a whole number {bound}, got {value!r}")
        return int(value)

    return checked(default, check)


def number(default: float | None, low: float, high: float = math.inf) -> Any:
    """A field for a finite number from ``low`` to ``high``, both included; it becomes a float."""
    bound = f"of at least {low:g}" if high == math.inf else f"in [{low:g}, {high:g}]"

    def check(name: str, value: Any) -> float:
        is_number = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not (is_number and math.isfinite(value) and low <= value <= high):
            raise ValueError(f"{name} must be a finite number {bound}, got {value!r}")
        return float(value)

    return checked(default, check)


def choice(default: str | None, options: Sequence[str]) -> Any:
    """A field for one of a few words; the line for a wrong one lists them all."""

    def check(name: str, value: Any) -> str:
        if value not in options:
            raise ValueError(f"{name} must be one of {', '.join(options)}, got {value!r}")
        return str(value)

    return checked(default, check)


def known_name(default: str, known: Sequence[str]) -> Any:
    """A field for one of many names; the line for a wrong one has the nearest right one."""

    def check(name: str, value: Any) -> str:
        if value not in known:
            raise ValueError(unknown_name(name, str(value), known))
        return str(value)

    return checked(default, check)


def flag(default: bool) -> Any:
    """A field that is True or False."""

    def check(name: str, value: Any) -> bool:
        if not isinstance(value, bool):
            raise ValueError(f"{name} must be True or False, got {value!r}")
        return value

    return checked(default, check)
