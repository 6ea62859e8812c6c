"""Losses of a network's outputs, each with its gradient by the outputs.

Outputs and targets are (..., outputs, points); the mean or sum runs over these two axes (over the
points alone for the cross-entropy, whose targets are one-hot).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import TypeAlias

import torch
from torch import Tensor
from torch.nn.functional import softplus

Function: TypeAlias = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class OutputLoss:
    """A loss of outputs (..., outputs, points) against targets (outputs, points).

    Attributes:
        value: outputs, targets -> loss (...).
        gradient: outputs, targets -> its gradient by the outputs, in their shape.
    """

    value: Function
    gradient: Function


def squared(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean of (y - t)^2."""
    return (outputs - targets).square().mean((-2, -1))


def squared_gradient(outputs: Tensor, targets: Tensor) -> Tensor:
    """Gradient of `squared`."""
    return (outputs - targets).mul_(2.0 / targets.numel())


def summed(outputs: Tensor, targets: Tensor) -> Tensor:
    """Sum of (y - t)^2."""
    return (outputs - targets).square().sum((-2, -1))


def summed_gradient(outputs: Tensor, targets: Tensor) -> Tensor:
    """Gradient of `summed`."""
    return (outputs - targets).mul_(2.0)


def logistic(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean of log(1 + exp(-t y)), for targets of -1 and 1."""
    return softplus(-outputs * targets).mean((-2, -1))


def logistic_gradient(outputs: Tensor, targets: Tensor) -> Tensor:
    """Gradient of `logistic`."""
    return torch.sigmoid(-outputs * targets) * (-targets / targets.numel())


def cross_entropy(outputs: Tensor, targets: Tensor) -> Tensor:
    """Mean over the points of -log softmax(y)[class]."""
    return -(outputs.log_softmax(-2) * targets).sum(-2).mean(-1)


def cross_entropy_gradient(outputs: Tensor, targets: Tensor) -> Tensor:
    """Gradient of `cross_entropy`."""
    return (outputs.softmax(-2) - targets).div_(targets.shape[-1])


LOSSES: Mapping[str, OutputLoss] = MappingProxyType(
    {
        "squared": OutputLoss(squared, squared_gradient),
        "summed": OutputLoss(summed, summed_gradient),
        "logistic": OutputLoss(logistic, logistic_gradient),
        "cross-entropy": OutputLoss(cross_entropy, cross_entropy_gradient),
    }
)
