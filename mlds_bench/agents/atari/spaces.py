"""What the value agents ask of the spaces beyond what every agent of this room does."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from mlds_bench.agents.atari.views import Shape, view_shape
from mlds_bench.agents.base import Unsupported


def stacked_view(
    agent: str, space: gymnasium.Space[Any], actions: gymnasium.Space[Any], *, stack: int
) -> tuple[Shape, int]:
    """The shape (C, H, W) of a Box of uint8 with C a multiple of ``stack``, the n of a Discrete.

    Args:
        agent: its name, for the error.
        space: of the observations of one instance.
        actions: of one instance.
        stack: frames that an observation holds.

    Raises:
        Unsupported: if the spaces are others; one line.
    """
    shape, count = view_shape(agent, space, actions)
    if space.dtype != np.uint8:
        raise Unsupported(f"{agent} keeps frames of uint8, not {space.dtype}: take no differences")
    if shape[0] % stack:
        raise Unsupported(f"{agent} sees {stack} frames at a time, {shape[0]} channels hold others")
    return shape, count
