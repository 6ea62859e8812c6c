"""What policies see: the shape of a view, and its pixels on a scale that a network can learn from.

In Pong the ball is two gray pixels on a gray background that never changes, and the score above is
brighter than anything that matters. If pixels are divided by 255, as is the custom, nearly all that
a network receives is the background. Here every pixel is shifted and scaled by its own mean and
standard deviation under random play, so that what never changes vanishes and what is rarely lit is
bright.

What never changes in random play may change later: a brick is always lit until it is broken for the
first time. Below its mean, a pixel is therefore divided by at least half of that mean. A picture
without a wall then stays within the usual range, and the ball can be seen in it.
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
"""Scaled pixels are clipped here, above the value of a ball in a single pixel. If they are clipped
lower, as is the custom, a ball between pixels looks like one that fills them, and its position is
lost."""
LEAST_DEVIATION = 4.0
"""Gray levels, of 255: a pixel that hardly changes is not amplified further."""
DARKEST = 2.0
"""A scaled pixel that goes dark lies at most this far below its mean."""
CHUNK = 512
"""Observations that are converted to float64 at a time."""


def view_shape(
    agent: str, space: gymnasium.Space[Any], actions: gymnasium.Space[Any]
) -> tuple[Shape, int]:
    """The shape (C, H, W) of observations (uint8, or int16 differences), and the number of actions.

    Args:
        agent: name of the agent, for the error.
        space: observation space of one instance.
        actions: action space of one instance.

    Raises:
        Unsupported: if the agent does not fit the spaces; one line.
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
    """Standardizes and clips every pixel by statistics that are fitted once and then fixed.

    Until it is fitted, it maps 0..255 to 0..1.

    Args:
        shape: shape of an observation, (C, H, W).
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
        """Whether the statistics are known."""
        return bool(self.fitted)

    def fit(self, rollouts: Iterable[Tensor]) -> None:
        """Estimate mean and deviation from batches of observations (M, C, H, W) on the CPU."""
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
        """Scaled pixels (B, C, H, W) float32, channels last, of integer observations."""
        pixels = observations.float().sub_(self.mean)
        pixels = torch.maximum(pixels * self.scale, pixels.mul_(self.scale_below))
        pixels = pixels.clamp_(-BRIGHTEST_DEVIATIONS, BRIGHTEST_DEVIATIONS)
        return pixels.contiguous(memory_format=torch.channels_last)


def _told(space: gymnasium.Space[Any]) -> str:
    return f"{type(space).__name__} {space.dtype} {space.shape}"
