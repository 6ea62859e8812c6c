"""Every homework and every variant: a new homework adds one entry to each list."""

from __future__ import annotations

from mlds_bench.benchmarks.plan.homeworks import hw1_1, hw1_2, hw4
from mlds_bench.benchmarks.plan.variant import Variant

HOMEWORKS: dict[str, str] = {
    "hw1-1": "deep versus shallow: fit functions with networks of one size",
    "hw1-2": "optimization: what optimizers find on loss landscapes",
    "hw4-1": "policy gradient: play Pong",
    "hw4-2": "deep Q-learning: play Breakout",
    "hw4-3": "actor-critic: play Pong and Breakout",
}
"""Homework -> what it asks."""

VARIANTS: dict[str, Variant] = {
    variant.id: variant for variant in (*hw1_1.VARIANTS, *hw1_2.VARIANTS, *hw4.VARIANTS)
}
"""As in ``hw1-1/sinc`` -> its variant."""
