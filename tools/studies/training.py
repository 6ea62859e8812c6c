"""Data and training that the studies share."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mlds_bench.common.data.digits import load_digits
from mlds_bench.common.data.mnist import load
from mlds_bench.measures.networks import Split

DIGITS_TRAINED_ON = 1400


def mnist(split: str) -> Split:
    """Images (N, 784) in [0, 1], and labels."""
    images, labels = load("mnist", split)
    pixels = np.asarray(images, np.float32).reshape(len(images), -1) / np.float32(255.0)
    return Split(torch.from_numpy(pixels), torch.from_numpy(np.array(labels)))


def digits() -> tuple[Split, Split]:
    """Images (N, 64) in [0, 1] and labels: the first 1,400 to train on, 397 to test on."""
    images, labels = load_digits()
    pixels = torch.from_numpy(images.reshape(len(images), -1).astype(np.float32) / 16.0)
    classes = torch.from_numpy(labels)
    first, rest = slice(DIGITS_TRAINED_ON), slice(DIGITS_TRAINED_ON, None)
    return Split(pixels[first], classes[first]), Split(pixels[rest], classes[rest])


def part(split: Split, count: int) -> Split:
    """The first instances of a split."""
    return Split(split.inputs[:count], split.labels[:count])


def seeded(make: Callable[[], nn.Module], seed: int) -> nn.Module:
    """A network whose weights come from a seed."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return make()


def train(
    network: nn.Module,
    split: Split,
    *,
    batch_size: int,
    epochs: int,
    seed: int,
    learning_rate: float = 1e-3,
) -> None:
    """Adam on the cross-entropy, in place; the network is left in evaluation mode.

    Every epoch sees all instances in a new order; what is left over of a batch is dropped.
    """
    generator = torch.Generator().manual_seed(seed)
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    network.train()
    for _ in range(epochs):
        for batch in _batches(len(split.labels), batch_size, generator):
            optimizer.zero_grad()
            cross_entropy(network(split.inputs[batch]), split.labels[batch]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
    network.eval()


def _batches(count: int, size: int, generator: torch.Generator) -> list[Tensor]:
    order = torch.randperm(count, generator=generator)
    return [batch for batch in torch.split(order, size) if len(batch) == min(size, count)]
