"""What policies see: the shape of a view, and its pixels on a scale that a network can learn from.

In Pong the ball is two grey pixels on a grey ground that never changes, and the score above is
brighter than anything that matters. Divided by 255, as is the custom, nearly all that a network
receives is the ground. Here every pixel is shifted and scaled by its own mean and deviation under
random play, so that what stands still vanishes and what is seldom lit is bright.

What stands still in random play may go later: a brick is always lit until it is broken for the
first time. Below its mean, a pixel is therefore measured by half of that mean at least: where a
wall is gone is then a picture like any other, and the ball is seen in it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, TypeAlias

import gymnasium
import numpy as np
import torch
from gymnasium.spaces import Box, Discrete
from torch import Tensor, nn

from mlds_bench.agents.base import Unsupported

Shape: TypeAlias = tuple[int, int, int]

BRIGHTEST_DEVIATIONS = 20.0
"""Scaled pixels are clipped here: above what a ball in a single pixel comes to. Clipped lower, as
is the custom, a ball between pixels looks like one that fills them, and its place is lost."""
LEAST_DEVIATION = 4.0
"""Grey levels, of 255: a pixel that hardly changes is not blown up further."""
DARKEST = 2.0
"""A pixel that goes out is at most so far below its mean, scaled."""
CHUNK = 512
"""Observations that are converted at a time."""


def view_shape(
    agent: str, space: gymnasium.Space[Any], actions: gymnasium.Space[Any]
) -> tuple[Shape, int]:
    """The shape (C, H, W) of a Box of uint8, or int16 for differences; the n of a Discrete.

    Args:
        agent: its name, for the error.
        space: of the observations of one instance.
        actions: of one instance.

    Raises:
        Unsupported: if the spaces are others; one line.
    """
    pictures = isinstance(space, Box) and space.dtype in (np.uint8, np.int16)
    if not pictures or len(space.shape or ()) != 3 or not isinstance(actions, Discrete):
        raise Unsupported(
            f"{agent} plays from pictures (Box uint8 or int16 (C, H, W) to Discrete), not "
            f"{_told(space)} to {_told(actions)}: choose a variant of hw4"
        )
    if actions.start != 0:
        raise Unsupported(f"{agent} counts actions from 0, these begin at {actions.start}")
    channels, height, width = space.shape or ()
    return (channels, height, width), int(actions.n)


class PixelScaling(nn.Module):
    """Pixels less their mean, over their standard deviation, clipped; fitted once, then fixed.

    Until it is fitted it maps 0 .. 255 to 0 .. 1.

    Args:
        shape: of an observation, (C, H, W).
    """

    mean: Tensor
    scale: Tensor
    scale_below: Tensor
    fitted: Tensor

    def __init__(self, shape: Shape) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(shape))
        self.register_buffer("scale", torch.full(shape, 1.0 / 255.0))
        self.register_buffer("scale_below", self.scale.clone())
        self.register_buffer("fitted", torch.tensor(False))

    @property
    def is_fitted(self) -> bool:
        """Whether the scale is known."""
        return bool(self.fitted)

    def fit(self, rollouts: Iterable[Tensor]) -> None:
        """Take mean and deviation from observations of play, several (M, C, H, W) on the CPU."""
        total, squares = (torch.zeros(self.mean.shape, dtype=torch.float64) for _ in range(2))
        count = 0
        for observations in rollouts:
            for chunk in torch.split(observations, CHUNK):
                values = chunk.double()
                total += values.sum(0)
                squares += values.square().sum(0)
            count += len(observations)
        mean, square = total / count, squares / count
        deviation = (square - mean.square()).clamp_min(0.0).sqrt()
        self.fitted.fill_(True)
        self.mean.copy_(mean)
        self.scale.copy_(1.0 / deviation.clamp_min(LEAST_DEVIATION))
        self.scale_below.copy_(torch.minimum(self.scale, DARKEST / self.mean.clamp_min(1e-6)))

    def forward(self, observations: Tensor) -> Tensor:
        """(B, C, H, W) float32, channels last, for observations (B, C, H, W) of integers."""
        pixels = observations.float().sub_(self.mean)
        pixels = torch.maximum(pixels * self.scale, pixels.mul_(self.scale_below))
        pixels = pixels.clamp_(-BRIGHTEST_DEVIATIONS, BRIGHTEST_DEVIATIONS)
        return pixels.contiguous(memory_format=torch.channels_last)


def _told(space: gymnasium.Space[Any]) -> str:
    return f"{type(space).__name__} {space.dtype} {space.shape}"
