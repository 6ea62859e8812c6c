"""Fully connected ReLU networks as functions of one flat parameter vector, gradients by hand.

At the size of homework 1-1 (571 parameters, batches of 128) an update is pure call overhead, so the
layout is chosen for few calls: features are rows and examples are columns, and the bias of a layer
is the last column of its weights, met by a row of ones in its input. A layer then costs one product
and one in-place ReLU forward, and one product for weights and bias together backward. The results
are those of ``torch.nn.Linear``, ``torch.nn.ReLU`` and autograd, which the tests compare.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor

Sizes: TypeAlias = Sequence[int]

LINEAR_GAIN = 1.0 / math.sqrt(3.0)
"""Gain of the weights of ``torch.nn.Linear``: uniform in +-1/sqrt(inputs)."""

_threshold_backward = torch.ops.aten.threshold_backward.default  # the overload skips a dispatch


def layer_shapes(sizes: Sizes) -> list[tuple[int, int]]:
    """(outputs, inputs + 1) of every layer; the extra column is the bias."""
    return [(outputs, inputs + 1) for inputs, outputs in pairwise(sizes)]


def parameter_count(sizes: Sizes) -> int:
    """Weights and biases of a network with these layer sizes, input and output included.

    >>> parameter_count((1, 190, 1))
    571
    """
    return sum(rows * columns for rows, columns in layer_shapes(sizes))


def layers(parameters: Tensor, sizes: Sizes) -> list[Tensor]:
    """Views of a flat vector (parameter_count,), one a layer, (outputs, inputs + 1)."""
    shapes = layer_shapes(sizes)
    parts = torch.split(parameters, [rows * columns for rows, columns in shapes])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def initial_parameters(
    sizes: Sizes, generator: torch.Generator, *, hidden_gain: float = LINEAR_GAIN
) -> Tensor:
    """Random parameters (parameter_count,) float32, on the generator's device.

    Biases are uniform in +-1/sqrt(inputs) and weights uniform with the standard deviation
    gain/sqrt(inputs), as ``torch.nn.Linear`` has them with the gain 1/sqrt(3).

    Args:
        sizes: layer sizes, input and output included.
        generator: the source of randomness.
        hidden_gain: gain of the layers between hidden layers. sqrt(2) keeps the size of the
            activations from layer to layer (He et al. 2015, "Delving deep into rectifiers").
    """
    parameters = torch.empty(parameter_count(sizes), device=generator.device)
    views = layers(parameters, sizes)
    for layer in views:
        bound = 1.0 / math.sqrt(layer.shape[1] - 1)
        layer.uniform_(-bound, bound, generator=generator)
    for layer in views[1:-1]:
        layer[:, :-1] *= hidden_gain / LINEAR_GAIN
    return parameters


def forward(parameters: Tensor, sizes: Sizes, inputs: Tensor) -> Tensor:
    """Outputs (sizes[-1], B) of the network for inputs (sizes[0], B)."""
    first, *rest = layers(parameters, sizes)
    values = torch.addmm(first[:, -1:], first[:, :-1], inputs)
    for layer in rest:
        values = torch.addmm(layer[:, -1:], layer[:, :-1], values.relu_())
    return values


class SquaredErrorGradient:
    """The gradient of the mean squared error of one batch, into a given vector, without copies.

    Args:
        sizes: layer sizes, input and output included.
        parameters: (parameter_count,), read at every call.
        gradient: (parameter_count,), overwritten at every call.
        batch_size: B.
    """

    def __init__(
        self, sizes: Sizes, parameters: Tensor, gradient: Tensor, *, batch_size: int
    ) -> None:
        self._layers = layers(parameters, sizes)
        self._back = [layer[:, :-1].t() for layer in self._layers]
        self._gradients = layers(gradient, sizes)
        self._scale = 2.0 / (sizes[-1] * batch_size)
        padded = [parameters.new_ones(rows + 1, batch_size) for rows in sizes[:-1]]
        self._padded, self._padded_t = padded, [rows.t() for rows in padded]
        self._values = [rows[:-1] for rows in padded]

    def __call__(self, inputs: Tensor, targets: Tensor, predictions: Tensor) -> None:
        """Compute the gradient.

        Args:
            inputs: (sizes[0], B).
            targets: (sizes[-1], B).
            predictions: (sizes[-1], B), overwritten with what the network says.
        """
        values, last = self._values, len(self._layers) - 1
        values[0].copy_(inputs)
        for k in range(last):
            torch.mm(self._layers[k], self._padded[k], out=values[k + 1])
            values[k + 1].relu_()
        torch.mm(self._layers[last], self._padded[last], out=predictions)
        signal = torch.sub(predictions, targets).mul_(self._scale)
        for k in range(last, 0, -1):
            torch.mm(signal, self._padded_t[k], out=self._gradients[k])
            signal = _threshold_backward(torch.mm(self._back[k], signal), values[k], 0)
        torch.mm(signal, self._padded_t[0], out=self._gradients[0])
