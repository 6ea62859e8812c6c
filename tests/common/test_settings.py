"""Settings: defaults, bounds, and what is said about wrong values."""

from __future__ import annotations

import math
from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import pytest

from mlds_bench.common.settings import (
    BaseSettings,
    checked,
    choice,
    flag,
    known_name,
    make_settings,
    number,
    whole,
)


def _pair(name: str, value: Any) -> tuple[int, int]:
    if len(value) != 2:
        raise ValueError(f"{name} must be a pair, got {value!r}")
    return tuple(value)


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    size: int = whole(84, 16, 210)
    budget: int | None = whole(None, 1)
    noise: float = number(0.0, 0.0)
    sticky: float = number(0.25, 0.0, 1.0)
    actions: str = choice("full", ("full", "reduced"))
    target: str = known_name("sinc", ("sinc", "sgn", "composed", "square"))
    color: bool = flag(False)
    pair: tuple[int, int] | None = checked(None, _pair)
    free: str = "anything"


def test_defaults_and_given_values() -> None:
    """What is not given has its default; numbers become floats, lists what the check makes."""
    settings = make_settings(Settings, {"size": 16, "noise": 1, "pair": [1, 2], "color": True})
    assert settings == Settings(size=16, noise=1.0, pair=(1, 2), color=True)
    assert (settings.budget, settings.actions, settings.free) == (None, "full", "anything")
    assert isinstance(settings.noise, float)
    assert make_settings(Settings, {}) == Settings()
    with pytest.raises(FrozenInstanceError):
        settings.size = 17  # type: ignore[misc]


def test_bounds_are_inside() -> None:
    """Both ends are allowed."""
    for size, sticky in ((16, 0.0), (210, 1.0)):
        assert Settings(size=size, sticky=sticky, budget=1).size == size


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"sizes": 20}, "unknown setting 'sizes': did you mean 'size'?"),
        ({"zzz": 1}, "unknown setting 'zzz': there are size, budget, noise, sticky, actions, "),
        ({"size": 15}, "size must be a whole number in 16..210, got 15"),
        ({"size": 211}, "size must be a whole number in 16..210, got 211"),
        ({"size": 84.0}, "size must be a whole number in 16..210, got 84.0"),
        ({"size": True}, "size must be a whole number in 16..210, got True"),
        ({"size": None}, "size must be a whole number in 16..210, got None"),
        ({"budget": 0}, "budget must be a whole number of at least 1, got 0"),
        ({"noise": -0.5}, "noise must be a finite number of at least 0, got -0.5"),
        ({"noise": math.inf}, "noise must be a finite number of at least 0, got inf"),
        ({"noise": "1"}, "noise must be a finite number of at least 0, got '1'"),
        ({"sticky": math.nan}, "sticky must be a finite number in [0, 1], got nan"),
        ({"sticky": 1.5}, "sticky must be a finite number in [0, 1], got 1.5"),
        ({"actions": "few"}, "actions must be one of full, reduced, got 'few'"),
        ({"target": "sign"}, "unknown target 'sign': did you mean 'sgn'?"),
        ({"target": 7}, "target must be a name in quotes, such as 'sinc', got 7"),
        ({"color": 1}, "color must be True or False, got 1"),
        ({"pair": [1]}, "pair must be a pair, got [1]"),
    ],
)
def test_a_wrong_setting_gets_one_clear_line(given: dict[str, Any], message: str) -> None:
    """The name, the value, and the bound or the nearest right name."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole line is compared below
        make_settings(Settings, given)
    assert str(error.value).startswith(message)
    assert "\n" not in str(error.value)
