"""Bounds of settings, each refused in one line with its name, its value and the bound."""

from __future__ import annotations

from typing import Any

from mlds_bench.common.checks import finite_number, is_finite, is_whole, shown, whole_number


def whole(least: int, **settings: int) -> None:
    """Whole numbers of at least ``least``."""
    for name, value in settings.items():
        whole_number(name, value, least)


def above(bound: float, **settings: float) -> None:
    """Finite numbers above ``bound``."""
    for name, value in settings.items():
        if not (is_finite(value) and value > bound):
            raise ValueError(f"{name} must be a finite number above {bound:g}, got {shown(value)}")


def at_least(bound: float, **settings: float) -> None:
    """Finite numbers of at least ``bound``."""
    for name, value in settings.items():
        finite_number(name, value, bound)


def between(low: float, high: float, **settings: float) -> None:
    """Numbers from ``low`` to ``high``, both included."""
    for name, value in settings.items():
        if not (is_finite(value) and low <= value <= high):
            raise ValueError(f"{name} must be from {low:g} to {high:g}, got {shown(value)}")


def sizes(**settings: tuple[int, ...]) -> None:
    """At least one size of a layer."""
    for name, value in settings.items():
        is_list = isinstance(value, (list, tuple)) and len(value) > 0
        if not (is_list and all(is_whole(size) and size >= 1 for size in value)):
            raise ValueError(
                f"{name} must be at least one whole number of at least 1, for example [64,64], "
                f"got {shown(value)}"
            )


def layers(**settings: tuple[tuple[int, int, int], ...]) -> None:
    """At least one convolution, each (channels, kernel, stride)."""
    for name, value in settings.items():
        if not _are_layers(value):
            raise ValueError(
                f"{name} must be at least one [channels, kernel, stride] of whole numbers of at "
                f"least 1, for example [[16,6,3],[32,4,2]], got {shown(value)}"
            )


def _are_layers(value: Any) -> bool:
    if not isinstance(value, (list, tuple)) or not value:
        return False
    return all(
        isinstance(layer, (list, tuple))
        and len(layer) == 3
        and all(is_whole(number) and number >= 1 for number in layer)
        for layer in value
    )
