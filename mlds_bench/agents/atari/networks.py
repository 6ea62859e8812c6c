"""Networks of policies: logits of the actions and a value, from a picture."""

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
"""Of orthogonal layers before a rectifier (Saxe et al. 2014)."""
POLICY_GAIN = 0.01
"""All actions are about as likely at first."""


class ScaledPolicy(nn.Module):
    """A network that scales its pixels, once they are known, by `scaling`."""

    scaling: PixelScaling


class ConvolutionalPolicy(ScaledPolicy):
    """Scaled pixels, convolutions, a hidden layer, and on it the heads of policy and value.

    Args:
        shape: of an observation, (C, H, W).
        actions: A.
        convolutions: (channels, kernel, stride) of each.
        hidden: units of the layer that both heads share.
        generator: of the initial weights, on the CPU.

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
        sides = _sides(shape, convolutions)
        channels = (shape[0], *(layer[0] for layer in convolutions))
        self.scaling = PixelScaling(shape)
        self.convolutions = nn.ModuleList(
            _bare(nn.Conv2d, *pair, kernel, stride)
            for pair, (_, kernel, stride) in zip(pairwise(channels), convolutions, strict=True)
        )
        self.hidden = _bare(nn.Linear, channels[-1] * sides[0] * sides[1], hidden)
        self.policy = _bare(nn.Linear, hidden, actions)
        self.value = _bare(nn.Linear, hidden, 1)
        for layer in (*self.convolutions, self.hidden):
            _initialize(layer, HIDDEN_GAIN, generator)
        _initialize(self.policy, POLICY_GAIN, generator)
        _initialize(self.value, 1.0, generator)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    @property
    def layers(self) -> list[nn.Linear | nn.Conv2d]:
        """All that have weights, in the order in which `forward` calls them."""
        layers = (*self.convolutions, self.hidden, self.policy, self.value)
        return [layer for layer in layers if isinstance(layer, nn.Linear | nn.Conv2d)]

    def forward(self, observations: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (B, A) and values (B,), float32, for observations (B, C, H, W) of integers."""
        features = self.scaling(observations)
        for layer in self.convolutions:
            features = layer(features).relu_()
        features = functional.relu(self.hidden(features.flatten(1)))
        return self.policy(features), self.value(features).squeeze(1)


class SeparatePolicy(ScaledPolicy):
    """Two such networks: one acts, the other judges, and a step of one leaves the other be.

    Args:
        shape: of an observation, (C, H, W).
        actions: A.
        convolutions: (channels, kernel, stride) of each, in both.
        hidden: units of the layer after them.
        generator: of the initial weights, on the CPU.
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
        """Logits (B, A) and values (B,), float32, for observations (B, C, H, W) of integers."""
        return self.actor(observations)[0], self.critic(observations)[1]


class DensePolicy(nn.Module):
    """One hidden layer on the pixels over 255, as in the course, and on it the two heads.

    Args:
        shape: of an observation, (C, H, W).
        actions: A.
        hidden: units of the layer.
        generator: of the initial weights, on the CPU.
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
        """Logits (B, A) and values (B,), float32, for observations (B, C, H, W) of integers."""
        pixels = observations.flatten(1).float().mul_(1.0 / BRIGHTEST)
        features = functional.relu(self.hidden(pixels))
        return self.policy(features), self.value(features).squeeze(1)


def _bare(layer: type[L], *sizes: int) -> L:
    """A layer without weights yet: none are drawn from the generator that all share."""
    made: L = nn.utils.skip_init(layer, *sizes)  # type: ignore[no-untyped-call]
    return made


def _initialize(layer: nn.Module, gain: float, generator: torch.Generator) -> None:
    assert isinstance(layer, nn.Conv2d | nn.Linear)
    assert layer.bias is not None
    nn.init.orthogonal_(layer.weight, gain, generator)
    nn.init.zeros_(layer.bias)


def _sides(shape: Shape, layers: Layers) -> tuple[int, int]:
    """Height and width of what the convolutions leave of a picture."""
    height, width = shape[1:]
    for _, kernel, stride in layers:
        height, width = ((side - kernel) // stride + 1 for side in (height, width))
        if min(height, width) < 1:
            raise Unsupported(
                f"pictures of {shape[1]}x{shape[2]} are too small for the convolutions "
                f"{layers}: choose a larger view or smaller kernels"
            )
    return height, width
