"""What the agents of this room ask of the spaces: numbers in, one number out."""

from __future__ import annotations

from typing import Any

import gymnasium
from gymnasium.spaces import Box

from mlds_bench.agents.base import Unsupported


def input_dimension(agent: str, space: gymnasium.Space[Any], actions: gymnasium.Space[Any]) -> int:
    """The d of an observation Box (d,), for an agent that answers with a Box (1,).

    Raises:
        Unsupported: if the spaces are others; one line.
    """
    shape = space.shape if isinstance(space, Box) else None
    if shape is None or len(shape) != 1 or not isinstance(actions, Box) or actions.shape != (1,):
        raise Unsupported(
            f"{agent} fits a number to a vector (Box (d,) to Box (1,)), "
            f"not {_shape(space)} to {_shape(actions)}: choose a variant of hw1-1"
        )
    return shape[0]


def _shape(space: gymnasium.Space[Any]) -> str:
    return f"{type(space).__name__} {space.shape}"
