"""Small networks as students build them."""

from __future__ import annotations

import torch
from torch import nn

from mlds_bench.measures.networks import Split

CLASSES = 3


def labeled(count: int = 40, inputs: int = 4, seed: int = 0) -> Split:
    """Normal inputs in float64, three classes that a plane or two can tell apart."""
    generator = torch.Generator().manual_seed(seed)
    drawn = torch.randn(count, inputs, generator=generator, dtype=torch.float64)
    return Split(drawn, (drawn[:, 0] > 0).long() + (drawn[:, 1] > 0.5).long())


def perceptron(seed: int = 0, *, norm: bool = False, dropout: float = 0.0) -> nn.Sequential:
    """4-6-5-3 with tanh, float64, weights from a seed; trained by nobody."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        layers: list[nn.Module] = []
        for inputs, outputs in ((4, 6), (6, 5)):
            layers += [nn.Linear(inputs, outputs)]
            layers += [nn.BatchNorm1d(outputs)] if norm else []
            layers += [nn.Tanh(), nn.Dropout(dropout)]
        return nn.Sequential(*layers, nn.Linear(5, CLASSES)).double()
