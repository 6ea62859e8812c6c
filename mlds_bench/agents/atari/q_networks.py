"""Networks that estimate the value of every action; heads may be dueling, noisy, distributional."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from mlds_bench.agents.atari.networks import Layers, feature_count
from mlds_bench.agents.atari.views import PixelScaling, Shape

INITIAL_NOISE = 0.5
"""sigma_0 of Fortunato et al. 2018, which is divided by the square root of the inputs."""


class QNetwork(nn.Module):
    """Values of all actions, or a distribution over the return of each.

    Convolutions and one hidden layer as in Mnih et al. 2015, on scaled pixels. With ``dueling``,
    the value of the observation and the advantages of the actions have hidden layers of their own
    (Wang et al. 2016). With ``noisy``, noise in the layers after the convolutions explores
    (Fortunato et al. 2018).

    Args:
        shape: shape of an observation, (C, H, W) uint8.
        actions: A, the number of actions.
        n_atoms: outputs per action: 1 (its value), or the logits of a distribution.
        convolutions: (channels, kernel, stride) of each convolution.
        hidden: units of a hidden layer.
        dueling: whether value and advantages have separate heads.
        noisy: whether weights are noisy.

    Raises:
        Unsupported: if the picture is too small for the convolutions; one line.
    """

    def __init__(
        self,
        shape: Shape,
        actions: int,
        *,
        convolutions: Layers,
        n_atoms: int = 1,
        hidden: int = 256,
        dueling: bool = False,
        noisy: bool = False,
    ) -> None:
        super().__init__()
        self.actions, self.n_atoms = actions, n_atoms
        self.scaling = PixelScaling(shape)
        self.view = _Convolutions(shape, convolutions)
        linear = NoisyLinear if noisy else nn.Linear
        parts = {"advantage": actions, "value": 1} if dueling else {"action": actions}
        self.heads = nn.ModuleDict(
            {
                name: _head(linear, (self.view.features, hidden, outputs * n_atoms))
                for name, outputs in parts.items()
            }
        )
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, observations: Tensor) -> Tensor:
        """Outputs (B, A, n_atoms) float32 for observations (B, C, H, W) uint8."""
        features = self.view(self.scaling(observations))
        said: dict[str, Tensor] = {
            name: head(features).view(len(features), -1, self.n_atoms)
            for name, head in self.heads.items()
        }
        if "action" in said:
            return said["action"]
        return said["value"] + said["advantage"] - said["advantage"].mean(dim=1, keepdim=True)

    def draw_noise(self, generator: torch.Generator) -> None:
        """Draw new noise for every noisy layer, if there are any; ``generator`` is on the CPU."""
        for layer in self._noisy_layers():
            layer.draw_noise(generator)

    def silence(self) -> None:
        """Use the mean weights, until noise is drawn again."""
        for layer in self._noisy_layers():
            layer.silence()

    def _noisy_layers(self) -> Iterator[NoisyLinear]:
        return (layer for layer in self.heads.modules() if isinstance(layer, NoisyLinear))


class NoisyLinear(nn.Module):
    """A linear layer with factorized Gaussian noise on weights and biases.

    ``weight = mean + spread * f(e_out) f(e_in)^T`` with ``f(e) = sign(e) sqrt(abs(e))`` and
    standard normal e (Fortunato et al. 2018, section 3). There is no noise until it is drawn.
    """

    noise_in: Tensor
    noise_out: Tensor

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        bound, spread = 1.0 / math.sqrt(inputs), INITIAL_NOISE / math.sqrt(inputs)
        self.weight = nn.Parameter(torch.empty(outputs, inputs).uniform_(-bound, bound))
        self.bias = nn.Parameter(torch.empty(outputs).uniform_(-bound, bound))
        self.weight_spread = nn.Parameter(torch.full((outputs, inputs), spread))
        self.bias_spread = nn.Parameter(torch.full((outputs,), spread))
        self.register_buffer("noise_in", torch.zeros(inputs), persistent=False)
        self.register_buffer("noise_out", torch.zeros(outputs), persistent=False)

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs (B, outputs) for inputs (B, inputs), with the noise drawn last."""
        noise = torch.outer(self.noise_out, self.noise_in)
        return functional.linear(
            inputs,
            torch.addcmul(self.weight, self.weight_spread, noise),
            torch.addcmul(self.bias, self.bias_spread, self.noise_out),
        )

    def draw_noise(self, generator: torch.Generator) -> None:
        """Draw new noise from a generator on the CPU."""
        for noise in (self.noise_in, self.noise_out):
            drawn = torch.randn(len(noise), generator=generator)
            noise.copy_(drawn.sign() * drawn.abs().sqrt())

    def silence(self) -> None:
        """Switch the noise off."""
        self.noise_in.zero_()
        self.noise_out.zero_()


class _Convolutions(nn.Module):
    """Maps scaled pixels (B, C, H, W) to features (B, features)."""

    def __init__(self, shape: Shape, layers: Layers) -> None:
        super().__init__()
        self.features = feature_count(shape, layers)
        channels = (shape[0], *(layer[0] for layer in layers))
        self.layers = nn.ModuleList(
            nn.Conv2d(*pair, kernel, stride)
            for pair, (_, kernel, stride) in zip(pairwise(channels), layers, strict=True)
        )

    def forward(self, pixels: Tensor) -> Tensor:
        for layer in self.layers:
            pixels = layer(pixels).relu_()
        return pixels.flatten(1)


def _head(linear: Callable[[int, int], nn.Module], sizes: tuple[int, int, int]) -> nn.Module:
    return nn.Sequential(linear(*sizes[:2]), nn.ReLU(inplace=True), linear(*sizes[1:]))
