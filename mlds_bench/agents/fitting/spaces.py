"""What the agents of this room require of the spaces: a vector in, one number out."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box

from mlds_bench.agents.base import Unsupported


def input_dimension(agent: str, space: gymnasium.Space[Any], actions: gymnasium.Space[Any]) -> int:
    """The d of observations Box (d,), for an agent whose actions are Box (1,).

    Raises:
        Unsupported: if the spaces do not fit; one line.
    """
    shape = space.shape if isinstance(space, Box) else None
    if shape is None or len(shape) != 1 or not isinstance(actions, Box) or actions.shape != (1,):
        raise Unsupported(
            f"{agent} fits a number to a vector (Box (d,) to Box (1,)), "
            f"not {_shape(space)} to {_shape(actions)}: choose a variant of hw1-1"
        )
    return shape[0]


def clipped(space: Any, values: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Values (N, 1) clipped to the bounds of an action space."""
    actions: npt.NDArray[np.float64] = np.clip(values, space.low, space.high)
    return actions


def _shape(space: gymnasium.Space[Any]) -> str:
    return f"{type(space).__name__} {space.shape}"
