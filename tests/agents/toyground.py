"""Environments that no registry knows, as agents are built for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlds_bench.common.names import unknown_name
from mlds_bench.envs.core import BatchedEnv


class Ground:
    """A batched class as a place to play, its keyword arguments bound."""

    def __init__(self, batched_class: type[BatchedEnv], **env_kwargs: Any) -> None:
        self.batched_class = batched_class
        self.env_kwargs = env_kwargs

    def make(self, **kwargs: Any) -> BatchedEnv:
        make: Any = self.batched_class
        env: BatchedEnv = make(**{**self.env_kwargs, **kwargs})
        return env

    def chosen(self, env_kwargs: Mapping[str, Any], env_options: Mapping[str, Any]) -> Any:
        refused = sorted(set(env_options) - self.batched_class.view_options)
        if refused:
            name = self.batched_class.__name__
            known = sorted(self.batched_class.view_options)
            raise ValueError(f"{unknown_name('choice of view', refused[0], known)} (in {name})")
        return {**env_options, **env_kwargs}
