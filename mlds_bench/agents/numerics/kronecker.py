"""Kronecker-factored curvature (K-FAC): natural gradients of whole networks, a layer at a time.

The Fisher matrix of a layer with weights W (O, K) is taken for the Kronecker product of two small
ones, of its inputs and of the gradients at its outputs (Martens and Grosse 2015; of convolutions
Grosse and Martens 2016). A bias is one more input, always 1.
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
    """Mean over a batch of the outer products of a layer's inputs with themselves, (K, K).

    Args:
        layer: linear, or a convolution, whose patches are summed over their places.
        inputs: (B, features), of a convolution (B, C, H, W).
    """
    rows = _patches(layer, inputs)
    ones = rows.new_ones(len(rows), 1)
    rows = torch.cat([rows, ones], dim=1)
    return rows.T @ rows / len(inputs)


def output_factor(gradients: Tensor) -> Tensor:
    """Mean over a batch, and over places, of the outer products of gradients, (O, O).

    Args:
        gradients: (B, O), of a convolution (B, O, H, W), of each example's own loss.
    """
    rows = gradients.flatten(2).transpose(1, 2).flatten(0, 1) if gradients.dim() > 2 else gradients
    return rows.T @ rows / len(rows)


def damped_inverses(inputs: Tensor, outputs: Tensor, *, damping: float) -> tuple[Tensor, Tensor]:
    """Inverses of both factors, the damping shared between them by their mean eigenvalues.

    Martens and Grosse 2015, section 6.3: adding pi sqrt(damping) to one diagonal and
    sqrt(damping) / pi to the other stands for adding ``damping`` to that of the product.

    Args:
        inputs: (K, K), symmetric and positive semidefinite.
        outputs: (O, O), likewise.
        damping: above 0.
    """
    traces = (inputs.trace() / len(inputs), outputs.trace() / len(outputs))
    share = float((traces[0] / traces[1].clamp_min(1e-30)).clamp(1e-12, 1e12)) ** 0.5
    root = math.sqrt(damping)
    return _inverse(inputs, root * share), _inverse(outputs, root / share)


class KroneckerCurvature:
    """The factors of some layers, averaged over batches, and the natural gradient that they make.

    Args:
        layers: each with a bias, and called once in a forward pass.
        decay: of the averages.
        damping: of the inverses.
    """

    def __init__(self, layers: Sequence[Layer], *, decay: float, damping: float) -> None:
        self.layers, self.decay, self.damping = [*layers], decay, damping
        self._inputs: list[Tensor] = []
        self._gradients: list[Tensor] = []
        self._factors: list[tuple[Tensor, Tensor]] = []
        self._inverses: list[tuple[Tensor, Tensor]] = []

    @contextmanager
    def watching(self) -> Iterator[None]:
        """Within, one forward pass is seen: what goes into each layer, what comes back out of it.

        The loss that is taken back must be the sum over the batch of the examples' own losses.
        """
        self._inputs, self._gradients = [], [torch.empty(0)] * len(self.layers)
        hooks = [layer.register_forward_hook(self._watch) for layer in self.layers]
        try:
            yield
        finally:
            for hook in hooks:
                hook.remove()

    def update(self) -> None:
        """Take what was watched into the averages."""
        with torch.no_grad():
            seen = [
                (input_factor(layer, inputs), output_factor(gradients))
                for layer, inputs, gradients in zip(
                    self.layers, self._inputs, self._gradients, strict=True
                )
            ]
            old = self._factors or seen
            self._factors = [
                (before[0].lerp(now[0], 1.0 - self.decay), before[1].lerp(now[1], 1.0 - self.decay))
                for before, now in zip(old, seen, strict=True)
            ]

    def invert(self) -> None:
        """Invert the averages as they are now."""
        self._inverses = [
            damped_inverses(inputs, outputs, damping=self.damping)
            for inputs, outputs in self._factors
        ]

    def precondition(self) -> float:
        """Replace the layers' gradients by natural ones; the product of the two, summed over all.

        That product is the rise of the loss along the natural gradient, and, by the quadratic
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
    """A row for every place where the weights are applied."""
    if isinstance(layer, nn.Linear):
        return inputs
    size: Any = layer.kernel_size
    stride: Any = layer.stride
    patches = functional.unfold(inputs, size, stride=stride)
    return patches.transpose(1, 2).flatten(0, 1)


def _inverse(matrix: Tensor, damping: float) -> Tensor:
    """Of a matrix with so much on its diagonal, and no less than what its digits can tell apart."""
    least = 32.0 * torch.finfo(matrix.dtype).eps * float(matrix.trace())
    unit = torch.eye(len(matrix), device=matrix.device, dtype=matrix.dtype)
    damped = matrix + max(damping, least) * unit
    return torch.cholesky_inverse(torch.linalg.cholesky(damped))
