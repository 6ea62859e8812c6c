"""What the value-based agents require of the spaces, beyond what every agent of this room does."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np

from mlds_bench.agents.atari.views import Shape, view_shape
from mlds_bench.agents.base import Unsupported


def stacked_view(
    agent: str, space: gymnasium.Space[Any], actions: gymnasium.Space[Any], *, stack: int
) -> tuple[Shape, int]:
    """The shape (C, H, W) of uint8 observations with C a multiple of ``stack``, and the actions A.

    Args:
        agent: name of the agent, for the error.
        space: observation space of one instance.
        actions: action space of one instance.
        stack: frames per observation.

    Raises:
        Unsupported: if the agent does not fit the spaces; one line.
    """
    shape, count = view_shape(agent, space, actions)
    if space.dtype != np.uint8:
        raise Unsupported(
            f"{agent} stores uint8 frames, not {space.dtype}: choose a view without differences"
        )
    if shape[0] % stack:
        raise Unsupported(f"{agent} sees {stack} frames at a time: {shape[0]} channels do not fit")
    return shape, count
