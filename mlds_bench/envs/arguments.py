"""The arguments that all environments share: their kind, their bound, and what fits into memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import gymnasium
import numpy as np
import psutil
from gymnasium import spaces

from mlds_bench.common.checks import is_whole, shown, whole_number

MOST_ENVS = 2**31 - 1
COPIES = 2
"""Of an observation: the one handed out and the room's own; an estimate from below."""
BOOKKEEPING = 64
"""Bytes per instance in every room: its number, stream, episode, reward and flags."""


def checked_num_envs(num_envs: Any, observation_space: gymnasium.Space[Any], more: int = 0) -> int:
    """The size of a batch, if a machine with this much memory can hold one.

    Args:
        num_envs: as it was given.
        observation_space: of one instance.
        more: bytes per instance that the room needs besides observations.
    """
    size = whole_number("num_envs", num_envs, 1, MOST_ENVS)
    each = COPIES * space_bytes(observation_space) + BOOKKEEPING + more
    memory = psutil.virtual_memory().total
    if size * each > memory:
        raise ValueError(
            f"num_envs={size} needs at least {size * each / 1e9:,.0f} GB, and this machine has "
            f"{memory / 1e9:,.0f} GB: take at most {memory // each}"
        )
    return size


def space_bytes(space: gymnasium.Space[Any]) -> int:
    """Bytes of one element of a space."""
    if isinstance(space, spaces.Dict):
        return sum(space_bytes(inner) for inner in space.spaces.values())
    size: int = math.prod(space.shape or ()) * np.dtype(space.dtype).itemsize
    return size


def checked_seed(seed: Any) -> int | None:
    """One seed, or None."""
    if seed is None:
        return None
    if not (is_whole(seed) and 0 <= seed < 2**64):
        raise ValueError(f"seed must be a whole number in 0..2**64-1, got {shown(seed)}")
    return int(seed)


def checked_seeds(seed: Any, num_envs: int) -> int | list[int | None] | None:
    """One seed for the batch, or a list of one per instance, of which some may be None."""
    is_row = isinstance(seed, np.ndarray) and seed.ndim == 1
    if not (is_row or isinstance(seed, Sequence)) or isinstance(seed, (str, bytes)):
        return checked_seed(seed)
    seeds = list(seed)
    if len(seeds) != num_envs or not all(
        one is None or (is_whole(one) and 0 <= one < 2**64) for one in seeds
    ):
        raise ValueError(
            f"a list of seeds must be {num_envs} whole numbers in 0..2**64-1 (or None), "
            f"got {shown(seed)}"
        )
    return [None if one is None else int(one) for one in seeds]
