"""Bounds of settings, each refused in one line with its name, its value and the bound."""

from __future__ import annotations

import math


def whole(least: int, **settings: int) -> None:
    """Whole numbers of at least ``least``."""
    for name, value in settings.items():
        if not isinstance(value, int) or isinstance(value, bool) or value < least:
            raise ValueError(f"{name} must be a whole number of at least {least}, got {value!r}")


def above(bound: float, **settings: float) -> None:
    """Finite numbers above ``bound``."""
    for name, value in settings.items():
        if not (math.isfinite(value) and value > bound):
            raise ValueError(f"{name} must be a finite number above {bound:g}, got {value!r}")


def at_least(bound: float, **settings: float) -> None:
    """Finite numbers of at least ``bound``."""
    for name, value in settings.items():
        if not (math.isfinite(value) and value >= bound):
            raise ValueError(f"{name} must be a finite number of at least {bound:g}, got {value!r}")


def between(low: float, high: float, **settings: float) -> None:
    """Numbers from ``low`` to ``high``, both included."""
    for name, value in settings.items():
        if not low <= value <= high:
            raise ValueError(f"{name} must be from {low:g} to {high:g}, got {value!r}")


def layers(**settings: tuple[tuple[int, int, int], ...]) -> None:
    """At least one convolution, each (channels, kernel, stride)."""
    for name, value in settings.items():
        if not value or any(len(layer) != 3 or min(layer) < 1 for layer in value):
            raise ValueError(
                f"{name} must be at least one [channels, kernel, stride] of whole numbers of at "
                f"least 1, for example [[16,6,3],[32,4,2]], got {value!r}"
            )
