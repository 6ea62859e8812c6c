"""Kronecker-factored curvature (K-FAC): natural gradients of whole networks, layer by layer.

The Fisher matrix of a layer with weights W (O, K) is approximated by the Kronecker product of two
small matrices, one of its inputs and one of the gradients at its outputs (Martens and Grosse 2015;
for convolutions Grosse and Martens 2016). A bias is treated as one more input that is always 1.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

Layer: TypeAlias = nn.Linear | nn.Conv2d


def input_factor(layer: Layer, inputs: Tensor) -> Tensor:
    """Batch mean (K, K) of the outer products of a layer's inputs with themselves.

    Args:
        layer: a linear layer, or a convolution, whose patches are summed over positions.
        inputs: (B, features), or (B, C, H, W) for a convolution.
    """
    rows = _patches(layer, inputs)
    ones = rows.new_ones(len(rows), 1)
    rows = torch.cat([rows, ones], dim=1)
    return rows.T @ rows / len(inputs)


def output_factor(gradients: Tensor) -> Tensor:
    """Mean (O, O), over batch and positions, of the outer products of gradients with themselves.

    Args:
        gradients: of each example's own loss, (B, O), or (B, O, H, W) for a convolution.
    """
    rows = gradients.flatten(2).transpose(1, 2).flatten(0, 1) if gradients.dim() > 2 else gradients
    return rows.T @ rows / len(rows)


def damped_inverses(inputs: Tensor, outputs: Tensor, *, damping: float) -> tuple[Tensor, Tensor]:
    """Inverses of both factors, with the damping split between them by their mean eigenvalues.

    Adding pi sqrt(damping) to one diagonal and sqrt(damping) / pi to the other approximates adding
    ``damping`` to that of the product (Martens and Grosse 2015, section 6.3).

    Args:
        inputs: (K, K), symmetric and positive semidefinite.
        outputs: (O, O), symmetric and positive semidefinite.
        damping: above 0.
    """
    traces = (inputs.trace() / len(inputs), outputs.trace() / len(outputs))
    share = float((traces[0] / traces[1].clamp_min(1e-30)).clamp(1e-12, 1e12)) ** 0.5
    root = math.sqrt(damping)
    return _inverse(inputs, root * share), _inverse(outputs, root / share)


class KroneckerCurvature:
    """Running averages of the factors of some layers, and the natural gradient they give.

    Args:
        layers: each has a bias and is called exactly once in a forward pass, in this order.
        stat_decay: decay rate of the running averages.
        damping: of the inverses.
    """

    def __init__(self, layers: Sequence[Layer], *, stat_decay: float, damping: float) -> None:
        self.layers, self.stat_decay, self.damping = [*layers], stat_decay, damping
        self._inputs: list[Tensor] = []
        self._gradients: list[Tensor] = []
        self._factors: list[tuple[Tensor, Tensor]] = []
        self._inverses: list[tuple[Tensor, Tensor]] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Record one forward pass in this context, and its backward pass, for `update`.

        The loss of the backward pass must be the sum over the batch of the examples' own losses.
        """
        self._inputs, self._gradients = [], [torch.empty(0)] * len(self.layers)
        hooks = [layer.register_forward_hook(self._watch) for layer in self.layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def update(self) -> None:
        """Add what was recorded to the running averages."""
        with torch.no_grad():
            seen = [
                (input_factor(layer, inputs), output_factor(gradients))
                for layer, inputs, gradients in zip(
                    self.layers, self._inputs, self._gradients, strict=True
                )
            ]
            old = self._factors or seen
            weight = 1.0 - self.stat_decay
            self._factors = [
                (before[0].lerp(now[0], weight), before[1].lerp(now[1], weight))
                for before, now in zip(old, seen, strict=True)
            ]

    def invert(self) -> None:
        """Invert the current averages."""
        self._inverses = [
            damped_inverses(inputs, outputs, damping=self.damping)
            for inputs, outputs in self._factors
        ]

    def precondition(self) -> float:
        """Replace the layers' gradients by natural ones; returns the inner product of the two.

        It is the rate at which the loss rises along the natural gradient and, by the quadratic
        model, twice the divergence of a step of length 1.
        """
        rise = 0.0
        for layer, (inputs, outputs) in zip(self.layers, self._inverses, strict=True):
            weight, bias = layer.weight.grad, layer.bias.grad if layer.bias is not None else None
            assert weight is not None
            assert bias is not None
            slope = torch.cat([weight.flatten(1), bias[:, None]], dim=1)
            natural = outputs @ slope @ inputs
            rise += float((slope * natural).sum())
            weight.copy_(natural[:, :-1].view_as(weight))
            bias.copy_(natural[:, -1])
        return rise

    def _watch(self, layer: nn.Module, inputs: tuple[Any, ...], output: Tensor) -> None:
        place = len(self._inputs)
        assert layer is self.layers[place]
        self._inputs.append(inputs[0].detach())

        def keep(gradient: Tensor) -> None:
            self._gradients[place] = gradient

        output.register_hook(keep)  # type: ignore[no-untyped-call]


def _patches(layer: Layer, inputs: Tensor) -> Tensor:
    """One row for every position to which the weights are applied."""
    if isinstance(layer, nn.Linear):
        return inputs
    size: Any = layer.kernel_size
    stride: Any = layer.stride
    patches = functional.unfold(inputs, size, stride=stride)
    return patches.transpose(1, 2).flatten(0, 1)


def _inverse(matrix: Tensor, damping: float) -> Tensor:
    """Inverse of a damped matrix; the damping is at least what the dtype can resolve."""
    least = 32.0 * torch.finfo(matrix.dtype).eps * float(matrix.trace())
    unit = torch.eye(len(matrix), device=matrix.device, dtype=matrix.dtype)
    damped = matrix + max(damping, least) * unit
    return torch.cholesky_inverse(torch.linalg.cholesky(damped))
