"""Policy networks: from a picture to the logits of the actions and a value."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import TypeAlias, TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from mlds_bench.agents.atari.views import PixelScaling, Shape
from mlds_bench.agents.base import Unsupported

Layers: TypeAlias = tuple[tuple[int, int, int], ...]
L = TypeVar("L", nn.Linear, nn.Conv2d)

BRIGHTEST = 255.0
HIDDEN_GAIN = math.sqrt(2.0)
"""Of orthogonal layers before a ReLU (Saxe et al. 2014)."""
POLICY_GAIN = 0.01
"""So small that all actions are about equally likely at first."""


class ScaledPolicy(nn.Module):
    """A network whose input goes through `PixelScaling`."""

    scaling: PixelScaling


class ConvolutionalPolicy(ScaledPolicy):
    """Scaled pixels, convolutions, a hidden layer, and two heads on it: policy and value.

    Args:
        shape: shape of an observation, (C, H, W).
        actions: A, the number of actions.
        convolutions: (channels, kernel, stride) of each convolution.
        hidden: units of the hidden layer.
        generator: source of the initial weights, on the CPU.

    Raises:
        Unsupported: if the picture is too small for the convolutions; one line.
    """

    def __init__(
        self,
        shape: Shape,
        actions: int,
        *,
        convolutions: Layers,
        hidden: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        channels = (shape[0], *(layer[0] for layer in convolutions))
        self.scaling = PixelScaling(shape)
        self.convolutions = nn.ModuleList(
            _bare(nn.Conv2d, *pair, kernel, stride)
            for pair, (_, kernel, stride) in zip(pairwise(channels), convolutions, strict=True)
        )
        self.hidden = _bare(nn.Linear, feature_count(shape, convolutions), hidden)
        self.policy = _bare(nn.Linear, hidden, actions)
        self.value = _bare(nn.Linear, hidden, 1)
        for layer in (*self.convolutions, self.hidden):
            _initialize(layer, HIDDEN_GAIN, generator)
        _initialize(self.policy, POLICY_GAIN, generator)
        _initialize(self.value, 1.0, generator)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def layers(self) -> list[nn.Linear | nn.Conv2d]:
        """All layers with weights, in the order in which `forward` calls them."""
        layers = (*self.convolutions, self.hidden, self.policy, self.value)
        return [layer for layer in layers if isinstance(layer, nn.Linear | nn.Conv2d)]

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, A) and values (B,), float32, of integer observations (B, C, H, W)."""
        features = self.scaling(observations)
        for layer in self.convolutions:
            features = layer(features).relu_()
        features = functional.relu(self.hidden(features.flatten(1)))
        return self.policy(features), self.value(features).squeeze(1)


class SeparatePolicy(ScaledPolicy):
    """Separate networks for actor and critic, which share nothing but the scale of the pixels.

    Args:
        shape: shape of an observation, (C, H, W).
        actions: A, the number of actions.
        convolutions: (channels, kernel, stride) of each convolution, in both networks.
        hidden: units of the hidden layer, in both networks.
        generator: source of the initial weights, on the CPU.
    """

    def __init__(
        self,
        shape: Shape,
        actions: int,
        *,
        convolutions: Layers,
        hidden: int,
        generator: torch.Generator,
    ) -> None:
        super().__init__()
        self.actor, self.critic = (
            ConvolutionalPolicy(
                shape, actions, convolutions=convolutions, hidden=hidden, generator=generator
            )
            for _ in range(2)
        )
        self.scaling = self.critic.scaling = self.actor.scaling

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, A) and values (B,), float32, of integer observations (B, C, H, W)."""
        return self.actor(observations)[0], self.critic(observations)[1]


class DensePolicy(nn.Module):
    """One hidden layer on the pixels divided by 255, as in the course, and two heads on it.

    Args:
        shape: shape of an observation, (C, H, W).
        actions: A, the number of actions.
        hidden: units of the hidden layer.
        generator: source of the initial weights, on the CPU.
    """

    def __init__(
        self, shape: Shape, actions: int, *, hidden: int, generator: torch.Generator
    ) -> None:
        super().__init__()
        self.hidden = _bare(nn.Linear, math.prod(shape), hidden)
        self.policy = _bare(nn.Linear, hidden, actions)
        self.value = _bare(nn.Linear, hidden, 1)
        _initialize(self.hidden, HIDDEN_GAIN, generator)
        _initialize(self.policy, POLICY_GAIN, generator)
        _initialize(self.value, 1.0, generator)

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, A) and values (B,), float32, of integer observations (B, C, H, W)."""
        pixels = observations.flatten(1).float().mul_(1.0 / BRIGHTEST)
        features = functional.relu(self.hidden(pixels))
        return self.policy(features), self.value(features).squeeze(1)


def _bare(layer: type[L], *sizes: int) -> L:
    """A layer with uninitialized weights, so that nothing is drawn from the global generator."""
    made: L = nn.utils.skip_init(layer, *sizes)  # type: ignore[no-untyped-call]
    return made


def _initialize(layer: nn.Module, gain: float, generator: torch.Generator) -> None:
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    assert layer.bias is not None
    nn.init.orthogonal_(layer.weight, gain, generator)
    nn.init.zeros_(layer.bias)


def feature_count(shape: Shape, convolutions: Layers) -> int:
    """Numbers that convolutions make of a picture (C, H, W).

    Raises:
        Unsupported: if the picture is too small for the convolutions; one line.
    """
    height, width = shape[1:]
    for _, kernel, stride in convolutions:
        height, width = ((side - kernel) // stride + 1 for side in (height, width))
        if min(height, width) < 1:
            raise Unsupported(
                f"pictures of {shape[1]}x{shape[2]} are too small for the convolutions "
                f"{convolutions}: choose a larger view or smaller kernels"
            )
    return int(convolutions[-1][0] * height * width)
