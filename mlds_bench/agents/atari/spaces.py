"""What the agents of this room ask of the spaces: a stack of pictures in, one of n actions out."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete

from mlds_bench.agents.base import Unsupported


def picture_space(
    agent: str, space: gymnasium.Space[Any], actions: gymnasium.Space[Any], *, stack: int
) -> tuple[tuple[int, int, int], int]:
    """The shape (C, H, W) of a Box of uint8, and the n of a Discrete (n).

    Args:
        agent: its name, for the error.
        space: of the observations of one instance.
        actions: of one instance.
        stack: frames that an observation holds.

    Raises:
        Unsupported: if the spaces are others; one line.
    """
    shape = space.shape if isinstance(space, Box) and space.dtype == np.uint8 else None
    if shape is None or len(shape) != 3 or not isinstance(actions, Discrete) or actions.start != 0:
        raise Unsupported(
            f"{agent} plays from pictures (Box uint8 (C, H, W) to Discrete), not "
            f"{_told(space)} to {_told(actions)}: choose a variant of hw4"
        )
    if shape[0] % stack:
        raise Unsupported(f"{agent} sees {stack} frames at a time, {shape[0]} channels hold others")
    return (shape[0], shape[1], shape[2]), int(actions.n)


def _told(space: gymnasium.Space[Any]) -> str:
    return f"{type(space).__name__} {space.dtype} {space.shape}"
