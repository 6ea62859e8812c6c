"""The environments of homework 1-3."""

from __future__ import annotations

from mlds_bench.envs.generalization.search import HyperparameterSearch
from mlds_bench.envs.generalization.selection import ModelSelection

__all__ = ["HyperparameterSearch", "ModelSelection"]
