"""Networks as losses of one flat point, and what they score on a split.

All of it looks at a network as it would be tested: evaluation mode, fixed data, no randomness.
"""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass
from itertools import accumulate

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.functional import cross_entropy
from torch.nn.modules.batchnorm import _BatchNorm

from mlds_bench.measures.batches import Loss
from mlds_bench.measures.points import Block

PIECE = 1000
"""Instances that a network sees at once."""


@dataclass(frozen=True)
class Split:
    """Labeled data.

    Attributes:
        inputs: (N, ...) as the network takes them.
        labels: (N,) int64.
    """

    inputs: Tensor
    labels: Tensor

    def __post_init__(self) -> None:
        if len(self.inputs) != len(self.labels) or self.labels.ndim != 1 or not len(self.labels):
            raise ValueError(
                f"a split has one label per input and at least one of them: inputs have shape "
                f"{tuple(self.inputs.shape)}, labels {tuple(self.labels.shape)}"
            )


def flat_parameters(network: nn.Module) -> Tensor:
    """All parameters as one point (d,) float64, in the order of ``network.parameters()``."""
    parts = [parameter.detach().reshape(-1) for parameter in network.parameters()]
    return torch.cat(parts).to(torch.float64)


def assign_parameters(network: nn.Module, theta: Tensor) -> None:
    """Write a point (d,) into the parameters of a network, in its precision.

    Raises:
        ValueError: the network has another number of parameters.
    """
    with torch.no_grad():
        for parameter, part in zip(network.parameters(), _parts(network, theta), strict=True):
            parameter.copy_(part.view_as(parameter))


def parameter_blocks(network: nn.Module) -> tuple[Block, ...]:
    """Where each parameter lies in `flat_parameters`.

    The first axis of a weight counts neurons or, in a convolution, output channels: the filters of
    `mlds_bench.measures.surface.filter_normalized`.
    """
    named = list(network.named_parameters())
    starts = accumulate((parameter.numel() for _, parameter in named), initial=0)
    return tuple(
        Block(name, start, tuple(parameter.shape))
        for (name, parameter), start in zip(named, starts, strict=False)
    )


def flat_loss(network: nn.Module, split: Split) -> Loss:
    """The mean cross-entropy on a split as a function of the parameters.

    The network is copied and put into evaluation mode: dropout does nothing, batch norm uses the
    statistics that the network has now, at every point. What is done to the network later changes
    nothing.

    Args:
        network: inputs (N, ...) to logits (N, classes).
        split: what the loss is taken on.

    Returns:
        A function of one point (d,) float64, differentiable and fit for `torch.func.vmap`; it is
        computed in the precision of the network.
    """
    frozen = deepcopy(network).eval().requires_grad_(False)
    fixed = dict(frozen.named_buffers())
    named = dict(frozen.named_parameters())
    dtype = next(iter(named.values())).dtype

    def loss(theta: Tensor) -> Tensor:
        parts = _parts(frozen, theta.to(dtype))
        shaped = {
            name: part.view(old.shape)
            for (name, old), part in zip(named.items(), parts, strict=True)
        }
        logits = functional_call(frozen, {**shaped, **fixed}, (split.inputs,))
        return cross_entropy(logits, split.labels).to(theta.dtype)

    return loss


def evaluate(network: nn.Module, split: Split) -> tuple[float, float]:
    """Mean cross-entropy and accuracy (share of 1) on a split, in evaluation mode."""
    was_training = network.training
    network.eval()
    loss, right = 0.0, 0
    with torch.no_grad():
        for first in range(0, len(split.labels), PIECE):
            labels = split.labels[first : first + PIECE]
            logits = network(split.inputs[first : first + PIECE])
            loss += float(cross_entropy(logits, labels, reduction="sum"))
            right += int((logits.argmax(1) == labels).sum())
    network.train(was_training)
    return loss / len(split.labels), right / len(split.labels)


def evaluate_all(network: nn.Module, splits: Mapping[str, Split]) -> dict[str, tuple[float, float]]:
    """`evaluate` on every split, under its name."""
    return {name: evaluate(network, split) for name, split in splits.items()}


def batch_norms(network: nn.Module) -> list[_BatchNorm]:
    """Its layers of batch norm."""
    return [module for module in network.modules() if isinstance(module, _BatchNorm)]


def recompute_statistics(network: nn.Module, inputs: Tensor) -> None:
    """Give every batch norm the mean and variance that it sees on these inputs, as one batch.

    All else stays in evaluation mode. Weights that no training led to, such as an average of two
    networks, need statistics of their own (Izmailov et al. 2018, "Averaging weights leads to wider
    optima and better generalization", section 3.2).
    """
    norms = batch_norms(network)
    if not norms:
        return
    was_training, momenta = network.training, [norm.momentum for norm in norms]
    network.eval()
    for norm in norms:
        norm.reset_running_stats()
        norm.momentum = None  # the mean of all batches, here of one
        norm.train()
    with torch.no_grad():
        network(inputs)
    for norm, momentum in zip(norms, momenta, strict=True):
        norm.momentum = momentum
    network.train(was_training)


def _parts(network: nn.Module, theta: Tensor) -> tuple[Tensor, ...]:
    sizes = [parameter.numel() for parameter in network.parameters()]
    if theta.shape != (sum(sizes),):
        raise ValueError(
            f"the network has {sum(sizes)} parameters, the point has shape {tuple(theta.shape)}"
        )
    return torch.split(theta, sizes)
