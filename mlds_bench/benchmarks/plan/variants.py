"""Every homework and every variant: a new homework adds its module to `MODULES`."""

from __future__ import annotations

from mlds_bench.benchmarks.plan.homeworks import hw1_1, hw1_2, hw4
from mlds_bench.benchmarks.plan.variant import Variant

MODULES = (hw1_1, hw1_2, hw4)

HOMEWORKS: dict[str, str] = {
    name: question for module in MODULES for name, question in module.HOMEWORKS.items()
}
"""Homework -> its question."""

VARIANTS: dict[str, Variant] = {
    variant.id: variant for module in MODULES for variant in module.VARIANTS
}
"""As in ``hw1-1/sinc`` -> its variant."""
