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

from mlds_bench.common import checks
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
    """A field for a whole number from ``low`` to ``high``, both included; it becomes an int."""
    return checked(default, lambda name, value: checks.whole_number(name, value, low, high))


def number(default: float | None, low: float, high: float = math.inf) -> Any:
    """A field for a finite number from ``low`` to ``high``, both included; it becomes a float."""
    return checked(default, lambda name, value: checks.finite_number(name, value, low, high))


def choice(default: str | None, options: Sequence[str]) -> Any:
    """A field for one of a few words; the line for a wrong one lists them all."""
    return checked(default, lambda name, value: checks.one_of(name, value, options))


def known_name(default: str, known: Sequence[str]) -> Any:
    """A field for one of many names; the line for a wrong one has the nearest right one."""
    return checked(default, lambda name, value: checks.name_in(name, value, known))


def text(default: str) -> Any:
    """A field for any text."""
    return checked(default, checks.text)


def flag(default: bool) -> Any:
    """A field that is True or False."""
    return checked(default, checks.true_or_false)
