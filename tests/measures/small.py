"""Losses whose curvature is known, and a network as a student would write it."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import linear, mse_loss

from mlds_bench.measures.batches import Loss
from mlds_bench.measures.points import Array, Block

Activation = Callable[[Tensor], Tensor]


def quadratic(matrix: Array) -> Loss:
    """1/2 x A x, with the Hessian A where A is symmetric."""
    half = torch.from_numpy(matrix) / 2.0
    return lambda theta: theta @ half @ theta


def with_spectrum(eigenvalues: Array, seed: int = 0) -> Array:
    """A symmetric matrix with these eigenvalues, in random directions."""
    draws = np.random.default_rng(seed).standard_normal((len(eigenvalues), len(eigenvalues)))
    axes, _ = np.linalg.qr(draws)
    matrix: Array = (axes * eigenvalues) @ axes.T
    return (matrix + matrix.T) / 2.0


def blocks_of(sizes: tuple[int, ...]) -> tuple[Block, ...]:
    """Weight and bias of every layer, in the order that `network` reads them."""
    blocks: list[Block] = []
    start = 0
    for index, (inputs, outputs) in enumerate(pairwise(sizes)):
        for shape in ((outputs, inputs), (outputs,)):
            blocks.append(Block(f"layer {index}", start, shape))
            start = blocks[-1].stop
    return tuple(blocks)


def network(
    sizes: tuple[int, ...], activation: Activation = torch.tanh, *, points: int = 32
) -> tuple[Loss, int]:
    """Mean squared error of a network on a sine, and its number of parameters."""
    blocks = blocks_of(sizes)
    inputs = torch.linspace(-1.0, 1.0, points * sizes[0], dtype=torch.float64)
    inputs = inputs.reshape(sizes[0], points).T
    targets = torch.sin(3.0 * inputs.sum(1, keepdim=True)).expand(-1, sizes[-1])

    def loss(theta: Tensor) -> Tensor:
        values = inputs
        for weight, bias in zip(blocks[::2], blocks[1::2], strict=True):
            if weight.start:
                values = activation(values)
            matrix = theta[weight.start : weight.stop].reshape(weight.shape)
            values = linear(values, matrix, theta[bias.start : bias.stop])
        return mse_loss(values, targets)

    return loss, blocks[-1].stop


def draw(*shape: int, seed: int = 0, scale: float = 1.0) -> Tensor:
    """Normal numbers, float64."""
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape) * scale)
