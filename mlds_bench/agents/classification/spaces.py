"""What the agents of this room require of the spaces: a picture in, a class or its odds out."""

from __future__ import annotations

from typing import Any, TypeAlias

import gymnasium
import numpy as np
import numpy.typing as npt
import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor

from mlds_bench.agents.base import Unsupported

Shape: TypeAlias = tuple[int, int, int]
"""(height, width, channels)."""

UNLABELED = -1
"""What the oracle says of an image without a label."""


def image_shape(agent: str, space: gymnasium.Space[Any]) -> Shape:
    """The (H, W, C) of observations Box (H, W, C) uint8.

    Raises:
        Unsupported: if they are no such pictures; one line.
    """
    if not isinstance(space, Box) or len(space.shape) != 3 or space.dtype != np.uint8:
        raise Unsupported(
            f"{agent} looks at pictures, Box (height, width, channels) uint8, not {_told(space)}: "
            "choose a variant of mlds/Classification-v0"
        )
    height, width, channels = space.shape
    return height, width, channels


def class_count(agent: str, space: gymnasium.Space[Any]) -> int:
    """The K of actions Discrete(K) from 0, or of probabilities Box (K,) in [0, 1] float32.

    Raises:
        Unsupported: if they are neither; one line.
    """
    if isinstance(space, Discrete) and space.start == 0:
        return int(space.n)
    is_shares = isinstance(space, Box) and len(space.shape) == 1 and space.dtype == np.float32
    if isinstance(space, Box) and is_shares and (space.low == 0.0).all() and space.is_bounded():
        return space.shape[0]
    raise Unsupported(
        f"{agent} says classes, Discrete (K), or probabilities, Box (K,) float32 from 0, not "
        f"{_told(space)}: choose a variant of mlds/Classification-v0"
    )


def as_actions(space: gymnasium.Space[Any], probabilities: Tensor) -> npt.NDArray[Any]:
    """Probabilities (N, K) as actions: themselves, (N, K) float32, or the likeliest class, (N,).

    A network that has diverged, to values that are no numbers, has no opinion.
    """
    finite = probabilities.nan_to_num(1.0 / probabilities.shape[1])
    if isinstance(space, Discrete):
        return finite.argmax(1).cpu().numpy()
    return finite.clamp(0.0, 1.0).cpu().numpy()


def as_images(observations: Any) -> Tensor:
    """Observations (N, H, W, C) uint8 as a tensor; it shares their memory where it can."""
    return torch.from_numpy(np.require(observations, np.uint8, ("C", "W")))


def _told(space: gymnasium.Space[Any]) -> str:
    return f"{type(space).__name__} {space.shape} {space.dtype}"
