"""The networks of this room: dense, convolutional, or none at all between pixels and logits.

Their size can be given as a number of parameters: it is solved for the width. So networks of other
depth are compared at equal size, as homework 1-1 asks, and sizes can be swept (homework 1-3).
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor, nn

from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from mlds_bench.agents.classification.layers import (
    Choices,
    convolution_layer,
    dense_layer,
    output_layer,
)
from mlds_bench.agents.classification.spaces import Shape

GRID = 4
"""Pooling of all stages together, at least: pictures of 28 x 28 end as 7 x 7."""
UNITS_PER_CHANNEL = 8
"""Units of a convolutional network's dense layer, per channel of its last convolution, at least."""
WIDEST = 2**16


class Standardization(nn.Module):
    """Pixels (N, H, W, C) to inputs (N, C, H, W) float32 of mean 0 and variance 1 per channel.

    The statistics are those of the first batch, and are saved with the weights.
    """

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.full((channels, 1, 1), 127.5))
        self.register_buffer("scale", torch.full((channels, 1, 1), 1.0 / 127.5))

    def fit(self, images: Tensor) -> None:
        """Take the statistics of images (N, H, W, C) uint8; a constant channel is only shifted."""
        pixels = images.to(torch.float32).flatten(0, 2)
        self.mean.copy_(pixels.mean(0)[:, None, None])
        self.scale.copy_((1.0 / pixels.std(0, correction=0).clamp_min(1.0))[:, None, None])

    def forward(self, images: Tensor) -> Tensor:
        """Inputs (N, C, H, W), in the memory order of the images (channels last)."""
        inputs = images.permute(0, 3, 1, 2).to(torch.float32)
        return inputs.sub_(self.mean).mul_(self.scale)


class ImageNetwork(nn.Module):
    """Standardized pixels, features, and a linear map to logits.

    Args:
        channels: of the images.
        features: from inputs (N, C, H, W) to (N, F).
        head: from (N, F) to logits (N, K).
    """

    def __init__(self, channels: int, features: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.standardize = Standardization(channels)
        self.features, self.head = features, head
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def logits(self, inputs: Tensor) -> Tensor:
        """Logits (N, K) of standardized inputs (N, C, H, W)."""
        logits: Tensor = self.head(self.features(inputs))
        return logits

    def forward(self, images: Tensor) -> Tensor:
        """Logits (N, K) of images (N, H, W, C) uint8."""
        return self.logits(self.standardize(images))


def parameter_count(network: nn.Module) -> int:
    """Number of all weights and biases; statistics of normalizations are not among them."""
    return sum(value.numel() for value in network.parameters())


def linear_network(shape: Shape, classes: int) -> ImageNetwork:
    """No hidden layer: logits are linear in the pixels."""
    height, width, channels = shape
    head = output_layer(height * width * channels, classes, Choices())
    return ImageNetwork(channels, nn.Flatten(), head)


def dense_network(
    shape: Shape, classes: int, *, hidden_layers: int, width: int, choices: Choices
) -> ImageNetwork:
    """Hidden layers of equal width."""
    height, columns, channels = shape
    sizes = [height * columns * channels, *[width] * hidden_layers]
    hidden = [dense_layer(a, b, choices) for a, b in pairwise(sizes)]
    head = output_layer(sizes[-1], classes, choices)
    return ImageNetwork(channels, nn.Sequential(nn.Flatten(), *hidden), head)


def convolutional_network(
    shape: Shape,
    classes: int,
    *,
    convolutions: tuple[int, ...],
    channels: int,
    units: int,
    kernel_size: int,
    choices: Choices,
) -> ImageNetwork:
    """Stages of convolutions, each ended by max-pooling, and one dense layer.

    Args:
        shape: of the images.
        classes: K.
        convolutions: their number in each stage; the channels double from stage to stage.
        channels: of the first stage.
        units: of the dense layer.
        kernel_size: of the convolutions.
        choices: for the hidden layers.

    Raises:
        Unsupported: if the pictures are too small to be pooled so often; one line.
    """
    height, width, inputs = shape
    pool = max(2, GRID // 2 ** (len(convolutions) - 1))
    parts: list[nn.Module] = []
    for stage, count in enumerate(convolutions):
        outputs = channels * 2**stage
        for _ in range(count):
            parts.append(convolution_layer(inputs, outputs, kernel_size, choices))
            inputs = outputs
        parts.append(nn.MaxPool2d(pool))
        height, width = height // pool, width // pool
    if not height or not width:
        raise Unsupported(
            f"pictures of {shape[0]} x {shape[1]} are too small for {len(convolutions)} stages, "
            f"each of which divides them by {pool}"
        )
    dense = dense_layer(height * width * inputs, units, choices)
    head = output_layer(units, classes, choices)
    return ImageNetwork(shape[2], nn.Sequential(*parts, nn.Flatten(), dense), head)


def largest_size(build: Callable[[int], nn.Module], parameters: int, *, least: int = 1) -> int:
    """The largest size, ``least`` or above, whose network has at most ``parameters`` parameters.

    Args:
        build: makes a network of a size; it is called where parameters take no memory.
        parameters: the most there may be.
        least: the smallest size.

    Raises:
        UnknownHyperparameter: if the network of the smallest size has more; one line.
    """

    def fits(size: int) -> bool:
        with torch.device("meta"):
            return parameter_count(build(size)) <= parameters

    if not fits(least):
        with torch.device("meta"):
            most = parameter_count(build(least))
        raise UnknownHyperparameter(
            f"parameters={parameters} is too few for this network, which has at least {most}"
        )
    low, high = least, least + 1
    while high < WIDEST and fits(high):
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (middle, high) if fits(middle) else (low, middle)
    return low
