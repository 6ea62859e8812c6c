"""Fully connected ReLU networks as functions of one flat vector, with gradients by hand.

At the size of homework 1-1 (571 parameters, batches of 128) an update is pure call overhead, so the
layout is chosen for few calls: features are rows, examples are columns, and the bias of a layer is
the last column of its weights, multiplied by a row of ones in its input. A layer then costs one
product and one in-place ReLU forward, and one product for weights and bias together backward. The
results are those of ``torch.nn.Linear``, ``torch.nn.ReLU`` and autograd, as the tests verify.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TypeAlias

import torch
from torch import Tensor

Sizes: TypeAlias = Sequence[int]

SMALLEST_SCALE = 1e-6
"""A unit whose input deviates less than this is constant; dividing by it would amplify noise."""

_threshold_backward = (
    torch.ops.aten.threshold_backward.default
)  # naming the overload skips a dispatch


def layer_shapes(sizes: Sizes) -> list[tuple[int, int]]:
    """The shape (outputs, inputs + 1) of every layer; the last column is the bias."""
    return [(outputs, inputs + 1) for inputs, outputs in pairwise(sizes)]


def parameter_count(sizes: Sizes) -> int:
    """Number of weights and biases of a network with these layer sizes, from input to output.

    >>> parameter_count((1, 190, 1))
    571
    """
    return sum(rows * columns for rows, columns in layer_shapes(sizes))


def layers(parameters: Tensor, sizes: Sizes) -> list[Tensor]:
    """Views of a flat vector (parameter_count,), one per layer, each (outputs, inputs + 1)."""
    shapes = layer_shapes(sizes)
    parts = torch.split(parameters, [rows * columns for rows, columns in shapes])
    return [part.view(shape) for part, shape in zip(parts, shapes, strict=True)]


def initial_parameters(sizes: Sizes, generator: torch.Generator) -> Tensor:
    """Random parameters (parameter_count,) float32 as ``torch.nn.Linear`` draws them.

    Weights and biases are uniform in +-1/sqrt(inputs). They are on the generator's device.
    """
    parameters = torch.empty(parameter_count(sizes), device=generator.device)
    for layer in layers(parameters, sizes):
        bound = 1.0 / math.sqrt(layer.shape[1] - 1)
        layer.uniform_(-bound, bound, generator=generator)
    return parameters


def normalize_hidden_units(
    parameters: Tensor,
    sizes: Sizes,
    inputs: Tensor,
    generator: torch.Generator,
    *,
    threshold_spread: float,
) -> None:
    """Rescale the hidden layers in place so that every unit is active on some of these inputs.

    Layer by layer, the preactivation of every unit gets mean 0 and variance 1 over the inputs (the
    data-dependent initialization of Salimans and Kingma 2016, "Weight normalization", section 3),
    and then a random threshold, without which all units of the first layer of a network with one
    input would bend at the same point. The units of the first layer face up and down the inputs in
    turn: if all five units of a narrow layer faced the same way, which happens once in 16 times,
    the network would not see the other half of the interval, and training rarely repairs that.

    Args:
        parameters: (parameter_count,).
        sizes: layer sizes, input and output included.
        inputs: (sizes[0], B), a sample of the training inputs.
        generator: source of the thresholds, on the parameters' device.
        threshold_spread: standard deviation of the thresholds, in those of the preactivations.
    """
    hidden = layers(parameters, sizes)[:-1]
    for layer in hidden[:1]:
        face_in_turn(layer[:, :-1])
    values = inputs
    for layer in hidden:
        felt = layer[:, :-1] @ values
        scale = felt.std(dim=1, keepdim=True).clamp_min(SMALLEST_SCALE)
        thresholds = torch.empty(len(layer), device=layer.device).normal_(generator=generator)
        layer[:, :-1] /= scale
        layer[:, -1] = -(felt / scale).mean(dim=1) - threshold_spread * thresholds
        values = (felt / scale + layer[:, -1:]).relu_()


def face_in_turn(weights: Tensor) -> None:
    """Flip the signs of rows (n, d) in place so that their sums alternate in sign."""
    downward = weights.sum(dim=1) < 0.0
    wanted = torch.arange(len(weights), device=weights.device) % 2 == 1
    weights[downward != wanted] *= -1.0


def forward(parameters: Tensor, sizes: Sizes, inputs: Tensor) -> Tensor:
    """Outputs (sizes[-1], B) of the network for inputs (sizes[0], B)."""
    first, *rest = layers(parameters, sizes)
    values = torch.addmm(first[:, -1:], first[:, :-1], inputs)
    for layer in rest:
        values = torch.addmm(layer[:, -1:], layer[:, :-1], values.relu_())
    return values


class SquaredErrorGradient:
    """Writes the gradient of the mean squared error of a batch into a given vector, without copies.

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
            predictions: (sizes[-1], B), overwritten with the outputs of the network.
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
