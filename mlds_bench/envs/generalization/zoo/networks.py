"""Stacks of multilayer perceptrons: B networks of one architecture in one array of parameters.

A network's parameters are one row of a (B, P) tensor. Its forward pass is written for one network
and vectorized by ``torch.func.vmap``, in the training and in the probes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property

import torch
from torch import Tensor
from torch.nn import functional

ACTIVATIONS: dict[str, Callable[[Tensor], Tensor]] = {"relu": torch.relu, "tanh": torch.tanh}
GAINS = {"relu": math.sqrt(2.0), "tanh": 1.0}
"""Standard deviation of an initial weight times the root of its fan-in (He et al. 2015)."""


@dataclass(frozen=True)
class Architecture:
    """A multilayer perceptron.

    Attributes:
        sizes: units of every layer, input and output included.
        activation: a key of `ACTIVATIONS`.
        normalization: ``none``, or ``layer`` before every activation (Ba et al. 2016, no gain).
    """

    sizes: tuple[int, ...]
    activation: str
    normalization: str

    @cached_property
    def shapes(self) -> list[tuple[int, ...]]:
        """Weight (in, out) and bias (out,) of each layer, in the order of the parameters."""
        layers = zip(self.sizes[:-1], self.sizes[1:], strict=True)
        return [shape for n_in, n_out in layers for shape in ((n_in, n_out), (n_out,))]

    @property
    def hidden(self) -> tuple[int, ...]:
        """Units of the hidden layers."""
        return self.sizes[1:-1]

    @cached_property
    def lengths(self) -> list[int]:
        """Numbers in each of `shapes`."""
        return [math.prod(shape) for shape in self.shapes]

    @property
    def parameters(self) -> int:
        """P, all weights and biases."""
        return sum(self.lengths)

    def tensors(self, theta: Tensor) -> list[Tensor]:
        """The weights and biases of one network (P,), or of a stack (B, P)."""
        pieces = torch.split(theta, self.lengths, dim=-1)
        return [
            piece.reshape(*theta.shape[:-1], *shape)
            for piece, shape in zip(pieces, self.shapes, strict=True)
        ]

    def logits(self, theta: Tensor, x: Tensor, keep: Sequence[Tensor] = ()) -> Tensor:
        """Outputs (N, 10) of one network.

        Args:
            theta: (P,).
            x: (N, pixels), or (pixels,) for outputs (10,).
            keep: for each hidden layer a dropout mask (N, units), already divided by the share
                that is kept; none in evaluation.
        """
        tensors = self.tensors(theta)
        activate = ACTIVATIONS[self.activation]
        for layer, units in enumerate(self.hidden):
            x = x @ tensors[2 * layer] + tensors[2 * layer + 1]
            if self.normalization == "layer":
                x = functional.layer_norm(x, (units,))
            x = activate(x)
            if keep:
                x = x * keep[layer]
        return x @ tensors[-2] + tensors[-1]

    def loss(self, theta: Tensor, x: Tensor, y: Tensor, keep: Sequence[Tensor] = ()) -> Tensor:
        """Mean cross-entropy, nat, of one network (P,) on images (N, pixels), labels (N,)."""
        return functional.cross_entropy(self.logits(theta, x, keep), y)

    def initial(self, networks: int, generator: torch.Generator) -> Tensor:
        """Random parameters (B, P): normal weights of variance gain^2 / fan-in, biases zero."""
        gain = GAINS[self.activation]
        pieces = [
            torch.randn(networks, math.prod(shape), generator=generator) * gain / shape[0] ** 0.5
            if len(shape) == 2
            else torch.zeros(networks, *shape)
            for shape in self.shapes
        ]
        return torch.cat(pieces, dim=1)
