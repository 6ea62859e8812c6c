"""Any Stable-Baselines3 algorithm as an agent, and our environments for code that uses it.

`BatchedVecEnv` makes one of our batches a Stable-Baselines3 ``VecEnv``. It is imported on first
use, so that importing this package loads neither torch nor Stable-Baselines3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlds_bench.agents.sb3.vec_env import BatchedVecEnv

__all__ = ["BatchedVecEnv"]


def __getattr__(name: str) -> Any:
    if name in __all__:
        from mlds_bench.agents.sb3.vec_env import BatchedVecEnv

        return BatchedVecEnv
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
