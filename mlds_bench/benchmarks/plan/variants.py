"""Every homework and every variant: a new file of `homeworks/` adds its name to `FILES`."""

from __future__ import annotations

from importlib import import_module

from mlds_bench.benchmarks.plan import homeworks
from mlds_bench.benchmarks.plan.variant import Variant

FILES = ("hw1_1", "hw1_1_images", "hw1_2", "hw1_3", "hw1_3_selection", "hw4")
"""In the order of the course."""

MODULES = tuple(import_module(f"{homeworks.__name__}.{name}") for name in FILES)

HOMEWORKS: dict[str, str] = {
    name: question for module in MODULES for name, question in module.HOMEWORKS.items()
}
"""Homework -> its question."""

VARIANTS: dict[str, Variant] = {
    variant.id: variant for module in MODULES for variant in module.VARIANTS
}
"""As in ``hw1-1/sinc`` -> its variant."""
