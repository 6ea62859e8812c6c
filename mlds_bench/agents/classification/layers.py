"""Hidden layers of image classifiers: an affine map, and all that homeworks vary around it.

In this order: the map (dense or convolution), normalization, activation, dropout; and, where the
layer has as many outputs as inputs, a way around all of it.

- batch: Ioffe and Szegedy 2015; layer: Ba et al. 2016; instance: Ulyanov et al. 2016;
  weight: Salimans and Kingma 2016.
- SELU comes with what its paper requires (Klambauer et al. 2017): initial weights of variance
  1/inputs (LeCun), biases of zero, and alpha-dropout. Other activations keep PyTorch's own initial
  weights, uniform in +-1/sqrt(inputs): a plain ReLU layer passes on a sixth of the variance of its
  inputs, and thirty of them nothing that could be learned from (He et al. 2015 prevent that by
  larger weights, which in turn let residual layers without normalization explode).
- residual: x + f(x) (He et al. 2016); highway: t f(x) + (1 - t) x with a learned gate t(x)
  (Srivastava et al. 2015), whose bias starts at -2, so that a deep network starts near the
  identity.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

L = TypeVar("L", nn.Linear, nn.Conv2d)

GATE_BIAS = -2.0
"""Of a highway's gate at first (section 3.1 of the paper: -1 to -3, by depth)."""

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "leaky_relu": nn.LeakyReLU,
    "elu": nn.ELU,
    "selu": nn.SELU,
}
NORMALIZATIONS = ("none", "batch", "layer", "instance", "weight")
SKIPS = ("none", "residual", "highway")

_DENSE_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm1d,
    "layer": nn.LayerNorm,
}
_PICTURE_NORMS: dict[str, Callable[[int], nn.Module]] = {
    "batch": nn.BatchNorm2d,
    "layer": partial(nn.GroupNorm, 1),  # over channels and pixels of one picture
    "instance": partial(nn.InstanceNorm2d, affine=True),
}


@dataclass(frozen=True)
class Choices:
    """What the hidden layers of a network have in common.

    Attributes:
        normalization: one of `NORMALIZATIONS`. A dense layer has no pixels to take an instance's
            mean over: it goes without where the convolutions have ``instance``.
        activation: one of `ACTIVATIONS`.
        dropout: share of the outputs of a dense layer that is dropped; convolutions drop none.
        skip: one of `SKIPS`.
    """

    normalization: str = "none"
    activation: str = "relu"
    dropout: float = 0.0
    skip: str = "none"


class Residual(nn.Module):
    """x + f(x)."""

    def __init__(self, body: nn.Module) -> None:
        super().__init__()
        self.body = body

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs of the shape of the inputs."""
        outputs: Tensor = inputs + self.body(inputs)
        return outputs


class Highway(nn.Module):
    """t(x) f(x) + (1 - t(x)) x, with an affine map and a sigmoid for t."""

    def __init__(self, body: nn.Module, gate: nn.Module) -> None:
        super().__init__()
        self.body, self.gate = body, gate

    def forward(self, inputs: Tensor) -> Tensor:
        """Outputs of the shape of the inputs."""
        return torch.lerp(inputs, self.body(inputs), torch.sigmoid(self.gate(inputs)))


def dense_layer(inputs: int, outputs: int, choices: Choices) -> nn.Module:
    """A hidden layer from (N, inputs) to (N, outputs)."""
    return _hidden(
        lambda: nn.Linear(inputs, outputs), inputs, outputs, choices, _DENSE_NORMS, choices.dropout
    )


def convolution_layer(inputs: int, outputs: int, kernel_size: int, choices: Choices) -> nn.Module:
    """A hidden layer from (N, inputs, H, W) to (N, outputs, H, W): stride 1, zeros around."""
    return _hidden(
        lambda: nn.Conv2d(inputs, outputs, kernel_size, padding="same"),
        inputs,
        outputs,
        choices,
        _PICTURE_NORMS,
        dropout=0.0,
    )


def output_layer(inputs: int, outputs: int, choices: Choices) -> nn.Linear:
    """The last map, to logits; it shares weight normalization and the initial weights."""
    return _affine(nn.Linear(inputs, outputs), choices)


def _hidden(
    make: Callable[[], L],
    inputs: int,
    outputs: int,
    choices: Choices,
    norms: dict[str, Callable[[int], nn.Module]],
    dropout: float,
) -> nn.Module:
    parts: list[nn.Module] = [_affine(make(), choices)]
    if choices.normalization in norms:
        parts.append(norms[choices.normalization](outputs))
    parts.append(ACTIVATIONS[choices.activation]())
    if dropout > 0.0:
        is_selu = choices.activation == "selu"
        parts.append(nn.AlphaDropout(dropout) if is_selu else nn.Dropout(dropout))
    body = nn.Sequential(*parts)
    if choices.skip == "none" or inputs != outputs:
        return body
    return Residual(body) if choices.skip == "residual" else Highway(body, _gate(make))


def _affine(layer: L, choices: Choices) -> L:
    assert layer.bias is not None
    if choices.activation == "selu":
        nn.init.kaiming_normal_(layer.weight, nonlinearity="linear")  # variance 1/inputs
        nn.init.zeros_(layer.bias)
    if choices.normalization == "weight":
        weight_norm(layer)
    return layer


def _gate(make: Callable[[], nn.Linear | nn.Conv2d]) -> nn.Module:
    gate = make()
    assert gate.bias is not None
    nn.init.constant_(gate.bias, GATE_BIAS)
    return gate
