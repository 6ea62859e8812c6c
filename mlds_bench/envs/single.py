"""The single view of every environment, by name: ``mlds_bench.envs.single:FunctionFitting``.

Gymnasium's registry wants an import string for the single environment; there is one generic class,
so the names of this module are made on demand.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

from mlds_bench.envs.core import BatchedEnv, SingleView
from mlds_bench.envs.registry import ENVIRONMENTS


def make(batched_class: type[BatchedEnv], **kwargs: Any) -> SingleView:
    """The single view of a batched class."""
    return SingleView(batched_class(num_envs=1, **kwargs))


def __getattr__(name: str) -> Callable[..., SingleView]:
    for environment in ENVIRONMENTS.values():
        if environment.name == name:
            return partial(make, environment.batched_class)
    raise AttributeError(f"module {__name__!r} has no environment {name!r}")
