"""How much a network's answer changes with its input, on the data and away from it.

Two definitions are about. The homework takes the gradient of the loss, which needs a label and goes
to 0 as the network becomes sure of it. The paper takes the Jacobian of the class probabilities,
which can be taken anywhere: it is small near training data and large at the borders of classes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mlds_bench.measures.networks import Split
from mlds_bench.measures.points import Array

Function: TypeAlias = Callable[[Tensor], Tensor]
"""Inputs (N, ...) to outputs (N, K), each instance by itself."""

PIECE = 256
"""Instances that are differentiated at once."""


def probabilities(network: nn.Module) -> Function:
    """The class probabilities of a network that gives logits.

    Raises:
        ValueError: the network is in training mode, where batch norm mixes the instances.
    """
    _check_mode(network)
    return lambda inputs: torch.softmax(network(inputs), 1)


def loss_gradient_norms(network: nn.Module, split: Split) -> Array:
    """Frobenius norms (N,) of the gradient of each instance's cross-entropy by its input.

    Source: MLDS 2018, homework 1-3, "sensitivity".

    Args:
        network: inputs (N, ...) to logits (N, classes).
        split: inputs and their labels.

    Raises:
        ValueError: the network is in training mode, where batch norm mixes the instances.
    """
    _check_mode(network)
    norms = np.empty(len(split.labels))
    for first in range(0, len(norms), PIECE):
        piece = slice(first, first + PIECE)
        leaf = split.inputs[piece].detach().requires_grad_()
        with torch.enable_grad():
            total = cross_entropy(network(leaf), split.labels[piece], reduction="sum")
        (gradients,) = torch.autograd.grad(total, leaf)
        norms[piece] = gradients.flatten(1).norm(dim=1).numpy(force=True)
    return norms


def jacobian_norms(function: Function, inputs: Tensor) -> Array:
    """Frobenius norms (N,) of the Jacobian of the outputs by the input, at each input.

    Source: Novak, Bahri, Abolafia, Pennington and Sohl-Dickstein 2018, "Sensitivity and
    generalization in neural networks: an empirical study", section 3.1, with `probabilities`.

    Args:
        function: outputs (N, K) of inputs (N, ...).
        inputs: where to look.
    """
    norms = np.empty(len(inputs))
    for first in range(0, len(norms), PIECE):
        leaf = inputs[first : first + PIECE].detach().requires_grad_()
        with torch.enable_grad():
            outputs = function(leaf)
        # Instances do not depend on each other: one backward pass per output serves all of them.
        ways = torch.eye(outputs.shape[1], dtype=outputs.dtype, device=outputs.device)
        (rows,) = torch.autograd.grad(
            outputs, leaf, ways[:, None].expand(-1, len(leaf), -1), is_grads_batched=True
        )
        squares = rows.flatten(2).square().sum((0, 2))
        norms[first : first + PIECE] = squares.sqrt().numpy(force=True)
    return norms


def between(first: Tensor, last: Tensor, positions: Array) -> Tensor:
    """Inputs (K, ...) on the line between two: (1 - a) first + a last, for a in ``positions``."""
    a = torch.as_tensor(positions, dtype=first.dtype).reshape(-1, *[1] * first.ndim)
    return (1.0 - a) * first + a * last


def ellipse_through(first: Tensor, second: Tensor, third: Tensor, count: int) -> Tensor:
    """A closed path (count, ...) that leaves the data and comes back to it at three inputs.

    Its center is their mean and it meets them at the angles 0, 2 pi / 3 and 4 pi / 3; the first
    angle is 0, the last one step short of 2 pi.

    Source: Novak et al. 2018, section 4, where the norm of the Jacobian is drawn on such an
    ellipse through three training images.
    """
    corners = torch.stack([first, second, third]).flatten(1)
    at = torch.arange(3, dtype=corners.dtype) * (2.0 * torch.pi / 3.0)
    # Three points fix the first Fourier series: mean, cosine and sine.
    axes = torch.stack([torch.full_like(at, 1.0 / 3.0), at.cos() * 2.0 / 3.0, at.sin() * 2.0 / 3.0])
    angle = torch.arange(count, dtype=corners.dtype) * (2.0 * torch.pi / max(count, 1))
    waves = torch.stack([torch.ones_like(angle), angle.cos(), angle.sin()], 1)
    return (waves @ axes @ corners).reshape(count, *first.shape)


def shuffled_pixels(inputs: Tensor, generator: np.random.Generator) -> Tensor:
    """Inputs (N, ...) whose entries are permuted, each in its own way.

    They have the norm and the histogram of data, and lie off its manifold.
    """
    flat = inputs.flatten(1)
    orders = generator.permuted(np.tile(np.arange(flat.shape[1]), (len(flat), 1)), axis=1)
    return flat.gather(1, torch.from_numpy(orders)).reshape(inputs.shape)


def _check_mode(network: nn.Module) -> None:
    if network.training:
        raise ValueError("the network is in training mode: call network.eval() first")
