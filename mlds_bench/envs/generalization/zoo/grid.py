"""The settings of the zoo: one full factorial block for each data set and share of label noise.

Fashion-MNIST is what the test split shows. Its widths, batch sizes, learning rates, regularization
strengths and its noisy label share are others than those of digits and MNIST, which train shows.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import product
from types import MappingProxyType
from typing import Any

import numpy as np

from mlds_bench.envs.streams import derive

SEED = 2018
"""All randomness of the zoo comes from here."""
AXES = (
    "width",
    "depth",
    "activation",
    "normalization",
    "batch_size",
    "learning_rate",
    "regularization",
)
"""What a hyper-parameter search may choose, in the order of the table's rows."""
ARCHITECTURE = AXES[:5]
"""Networks that agree in these are trained together, as one stack of arrays."""
MOST_EPOCHS = 135
RUNGS = (MOST_EPOCHS // 9, MOST_EPOCHS // 3, MOST_EPOCHS)
"""Epochs after which the validation accuracy is kept, for successive halving."""
FITTED = 0.01
"""Training cross-entropy, nat, at which a training stops (Jiang et al. 2020, section 4)."""
FOLDS = 16
"""Equal parts of the validation images; the table counts right answers in each."""
SIZES = {
    "digits": (512, FOLDS * 27),
    "mnist": (512, FOLDS * 100),
    "fashion_mnist": (512, FOLDS * 100),
}
"""Data set -> training images, a multiple of every batch size, and validation images."""


@dataclass(frozen=True)
class Levels:
    """The values of every axis on one data set, weakest or smallest first."""

    label_noise: tuple[float, ...]
    width: tuple[int, ...]
    batch_size: tuple[int, ...]
    learning_rate: tuple[float, ...]
    weight_decay: float
    dropout: float
    depth: tuple[int, ...] = (1, 3)
    activation: tuple[str, ...] = ("relu", "tanh")
    normalization: tuple[str, ...] = ("none", "layer")
    regularization: tuple[str, ...] = ("none", "weight_decay", "dropout")

    def of(self, axis: str) -> tuple[Any, ...]:
        """The levels of one axis."""
        levels: tuple[Any, ...] = getattr(self, axis)
        return levels


DIGITS = Levels(
    label_noise=(0.0, 0.2),
    width=(48, 96),
    batch_size=(8, 32, 128),
    learning_rate=(7e-4, 2e-3, 6e-3),
    weight_decay=0.05,
    dropout=0.1,
)
MNIST = replace(DIGITS, batch_size=(32, 128, 512))
FASHION = Levels(
    label_noise=(0.0, 0.1),
    width=(64, 128),
    batch_size=(16, 64, 256),
    learning_rate=(1e-3, 3e-3, 9e-3),
    weight_decay=0.1,
    dropout=0.15,
)
LEVELS: Mapping[str, Levels] = MappingProxyType(
    {"digits": DIGITS, "mnist": MNIST, "fashion_mnist": FASHION}
)
"""Data set -> its levels. The order is that of the table."""
SPLITS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"train": ("digits", "mnist"), "test": ("fashion_mnist",)}
)
"""Split of the environments -> data sets of the networks that it shows."""


@dataclass(frozen=True)
class Group:
    """Networks of one architecture and batch size on one data set, trained as one stack.

    Attributes:
        dataset: name of the data set.
        index: place among the groups of the data set.
        architecture: axis -> value, for the axes of `ARCHITECTURE`.
    """

    dataset: str
    index: int
    architecture: Mapping[str, Any]

    @property
    def name(self) -> str:
        """Name of its file."""
        return f"{self.dataset}-{self.index:03d}"

    @property
    def members(self) -> list[dict[str, Any]]:
        """The settings of every network: label noise first, then the axes in their order."""
        levels = LEVELS[self.dataset]
        others = AXES[len(ARCHITECTURE) :]
        return [
            {"label_noise": noise, **self.architecture, **dict(zip(others, values, strict=True))}
            for noise in levels.label_noise
            for values in product(*(levels.of(axis) for axis in others))
        ]

    def seed(self, purpose: str) -> int:
        """A seed of its own for each purpose, such as ``init`` or ``order``."""
        return derive(SEED, self.dataset, self.index, purpose)


def groups(dataset: str) -> Iterator[Group]:
    """The groups of a data set, in the order of the grid."""
    levels = LEVELS[dataset]
    for index, values in enumerate(product(*(levels.of(axis) for axis in ARCHITECTURE))):
        yield Group(dataset, index, dict(zip(ARCHITECTURE, values, strict=True)))


def block_shape(dataset: str) -> tuple[int, ...]:
    """Levels of each axis of `AXES`."""
    return tuple(len(LEVELS[dataset].of(axis)) for axis in AXES)


def block_size(dataset: str) -> int:
    """Settings in the block of one data set and one share of label noise."""
    return int(np.prod(block_shape(dataset)))
