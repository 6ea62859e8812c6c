"""Networks on fixed data: a flat point holds all weights and biases, the loss is the training loss.

The batch is written by hand: a layer is one batched matrix product over all instances, and the
gradient is backpropagation spelled out, which costs a fraction of ``vmap(grad)``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType

import numpy as np
import torch
from torch import Tensor

from mlds_bench.envs.landscape.data import Dataset
from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.problems.losses import LOSSES
from mlds_bench.envs.landscape.specs import ProblemSpec
from mlds_bench.measures.points import Array, Block


@dataclass(frozen=True)
class Activation:
    """An activation.

    Attributes:
        function: z -> a.
        backward: gradient by a, a -> gradient by z; it may overwrite the gradient.
    """

    function: Callable[[Tensor], Tensor]
    backward: Callable[[Tensor, Tensor], Tensor]


def relu_backward(gradient: Tensor, a: Tensor) -> Tensor:
    """By z, for a = max(z, 0)."""
    return gradient.mul_(a > 0.0)


def sigmoid_backward(gradient: Tensor, a: Tensor) -> Tensor:
    """By z, for a = 1 / (1 + exp(-z))."""
    return gradient.mul_(a - a * a)


def tanh_backward(gradient: Tensor, a: Tensor) -> Tensor:
    """By z, for a = tanh z."""
    return gradient.mul_(1.0 - a * a)


ACTIVATIONS: Mapping[str, Activation] = MappingProxyType(
    {
        "relu": Activation(torch.relu, relu_backward),
        "sigmoid": Activation(torch.sigmoid, sigmoid_backward),
        "tanh": Activation(torch.tanh, tanh_backward),
    }
)


class Network(Problem):
    """The training loss of a fully connected network.

    Args:
        spec: of the problem.
        layers: sizes from the inputs to the outputs.
        activation: of the hidden layers.
        data: inputs and targets.
        loss: a name in `LOSSES`.
    """

    def __init__(
        self,
        spec: ProblemSpec,
        layers: Sequence[int],
        activation: str,
        data: Dataset,
        loss: str,
    ) -> None:
        self.layers = tuple(layers)
        self.blocks = blocks_of(layers)
        spread = fan_in_bounds(layers) if spec.start == "fan-in" else None
        super().__init__(spec, self.blocks[-1].stop, spread)
        self.activation = activation
        self._sizes = [block.stop - block.start for block in self.blocks]
        self._shapes = [block.shape for block in self.blocks[::2]]
        self._act = ACTIVATIONS[activation]
        self._loss = LOSSES[loss]
        self._inputs = torch.from_numpy(np.ascontiguousarray(data.inputs.T))
        self._inputs_by_point = torch.from_numpy(np.ascontiguousarray(data.inputs))
        self._targets = torch.from_numpy(np.ascontiguousarray(data.targets.T))

    def outputs(self, theta: Tensor) -> Tensor:
        """Outputs (outputs, points) of the network at one point (d,)."""
        a = self._inputs
        for index, (weight, bias) in enumerate(self._parameters(theta)):
            z = weight @ a + bias[:, None]
            a = z if index == len(self.layers) - 2 else self._act.function(z)
        return a

    def loss(self, theta: Tensor) -> Tensor:
        """Training loss () of one point (d,)."""
        return self._loss.value(self.outputs(theta), self._targets)

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Training losses (N,) and gradients (N, d), by backpropagation."""
        parameters = self._parameters(theta)
        activities = self._forward(parameters)
        outputs = activities.pop()
        loss = self._loss.value(outputs, self._targets)
        slope = self._loss.gradient(outputs, self._targets)
        gradient = torch.empty_like(theta)
        slots = self._parameters(gradient)
        for index in reversed(range(len(parameters))):
            weight_slot, bias_slot = slots[index]
            bias_slot.copy_(slope.sum(-1))
            if index == 0:
                weight_slot.copy_(slope @ self._inputs_by_point)
                break
            torch.bmm(slope, activities[index - 1].mT, out=weight_slot)
            slope = torch.bmm(parameters[index][0].mT, slope)
            slope = self._act.backward(slope, activities[index - 1])
        return loss, gradient

    def _parameters(self, theta: Tensor) -> list[tuple[Tensor, Tensor]]:
        """Views: weights (..., outputs, inputs) and biases (..., outputs) of each layer."""
        batch, parts = theta.shape[:-1], torch.split(theta, self._sizes, -1)
        weights = [w.view(batch + s) for w, s in zip(parts[::2], self._shapes, strict=True)]
        return list(zip(weights, parts[1::2], strict=True))

    def _forward(self, parameters: Sequence[tuple[Tensor, Tensor]]) -> list[Tensor]:
        """Activities of all layers, (N, size, points)."""
        activities: list[Tensor] = []
        for index, (weight, bias) in enumerate(parameters):
            if index == 0:
                z = (weight @ self._inputs).add_(bias[..., None])
            else:
                z = torch.baddbmm(bias[..., None], weight, activities[-1])
            last = index == len(parameters) - 1
            activities.append(z if last else self._act.function(z))
        return activities


def blocks_of(layers: Sequence[int]) -> tuple[Block, ...]:
    """The weight and the bias of each layer, in the order they are stored."""
    blocks: list[Block] = []
    start = 0
    for index, (inputs, outputs) in enumerate(pairwise(layers), start=1):
        for kind, shape in (("weight", (outputs, inputs)), ("bias", (outputs,))):
            blocks.append(Block(f"layer {index} {kind}", start, shape))
            start = blocks[-1].stop
    return tuple(blocks)


def fan_in_bounds(layers: Sequence[int]) -> Array:
    """1/sqrt(inputs) of the layer that each coordinate belongs to, (d,)."""
    sizes = [(inputs + 1) * outputs for inputs, outputs in pairwise(layers)]
    return np.repeat(np.array(layers[:-1], np.float64) ** -0.5, sizes)
