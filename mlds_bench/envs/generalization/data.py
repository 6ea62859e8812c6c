"""The table of the zoo, as shipped, and what the environments take from it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from hashlib import sha256
from importlib.resources import files
from io import BytesIO
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.envs.generalization.specs import BOUND, FITS, PROBES
from mlds_bench.envs.generalization.zoo.grid import (
    AXES,
    FOLDS,
    LEVELS,
    SIZES,
    SPLITS,
    block_shape,
    block_size,
)

Array: TypeAlias = npt.NDArray[np.float64]
Table: TypeAlias = dict[str, npt.NDArray[Any]]

PACKAGE = "mlds_bench.envs.generalization.zoo"
FILE = "table.npz"
CHECKSUM = "eaf7e8132e0f925824f54a22e7a6484d88c286e6ee24f67f1acd4034147866df"
"""sha256 of the shipped table."""
TINY = 1e-30
"""Smallest value that a logarithm is taken of."""


@dataclass(frozen=True)
class Candidates:
    """The networks of one data set that fit their training labels.

    Attributes:
        probes: (n, probes) float64, standardized, in the order of `PROBES`.
        accuracy: (n,) float64 test accuracies.
    """

    probes: Array
    accuracy: Array


@dataclass(frozen=True)
class Block:
    """The full factorial of one data set and one share of label noise.

    Attributes:
        shape: levels of every axis.
        right: (settings, rungs, folds) int64, right answers on the validation images.
        fold_images: validation images in a fold.
        accuracy: (settings,) float64, test accuracy after the whole training.
    """

    shape: tuple[int, ...]
    right: npt.NDArray[np.int64]
    fold_images: int
    accuracy: Array


def checksum(settings: Any) -> str:  # noqa: ARG001 - all settings play on one table
    """sha256 of the table that the environments are made of."""
    return CHECKSUM


def read_table() -> bytes:
    """The shipped file."""
    return files(PACKAGE).joinpath(FILE).read_bytes()


@cache
def load_table() -> Table:
    """All columns, name -> (networks, ...); rows in the order of `dataset_rows` and of the axes.

    ``train_accuracy``, ``test_accuracy`` float32; ``validation_right`` (networks, rungs, folds)
    uint8; ``parameter_count``, ``epochs``; and the measured probes, float32.

    Raises:
        ValueError: the file is not the one that was shipped.
    """
    content = read_table()
    if sha256(content).hexdigest() != CHECKSUM:
        raise ValueError(f"{FILE} of the zoo is not the one that was shipped: install again")
    with np.load(BytesIO(content)) as arrays:
        return dict(arrays)


def dataset_rows(dataset: str) -> slice:
    """The rows of a data set."""
    first = 0
    for name, levels in LEVELS.items():
        size = len(levels.label_noise) * block_size(name)
        if name == dataset:
            return slice(first, first + size)
        first += size
    raise KeyError(dataset)


def setting_column(dataset: str, axis: str) -> npt.NDArray[Any]:
    """(networks of the data set,) the value of an axis of each, or of ``label_noise``."""
    levels = LEVELS[dataset]
    names = ("label_noise", *AXES)
    shape = tuple(len(levels.of(name)) for name in names)
    index = np.indices(shape)[names.index(axis)].ravel()
    column: npt.NDArray[Any] = np.array(levels.of(axis))[index]
    return column


@cache
def candidates(split: str) -> tuple[Candidates, ...]:
    """The candidates of every data set of a split.

    Probes are standardized by mean and deviation over the candidates of the train split.
    """
    seen = [shown_probes(name)[candidate_mask(name)] for name in SPLITS["train"]]
    center, spread = np.concatenate(seen).mean(0), np.concatenate(seen).std(0)
    accuracy = load_table()["test_accuracy"].astype(np.float64)
    return tuple(
        Candidates(
            np.clip((shown_probes(name)[fits] - center) / spread, -BOUND, BOUND),
            accuracy[dataset_rows(name)][fits],
        )
        for name in SPLITS[split]
        for fits in (candidate_mask(name),)
    )


@cache
def blocks(split: str) -> tuple[Block, ...]:
    """The blocks of a split: every data set with every share of label noise."""
    table = load_table()
    found = []
    for name in SPLITS[split]:
        rows, size = dataset_rows(name), block_size(name)
        right = table["validation_right"][rows].astype(np.int64)
        accuracy = table["test_accuracy"][rows].astype(np.float64)
        for first in range(0, len(accuracy), size):
            part = slice(first, first + size)
            images = SIZES[name][1] // FOLDS
            found.append(Block(block_shape(name), right[part], images, accuracy[part]))
    return tuple(found)


def shown_probes(dataset: str) -> Array:
    """(networks of the data set, probes) float64: the values, or log10 of them."""
    table, rows = load_table(), dataset_rows(dataset)
    columns = []
    for name, probe in PROBES.items():
        is_setting = name in AXES
        column = setting_column(dataset, name) if is_setting else table[name][rows]
        values = column.astype(np.float64)
        columns.append(np.log10(np.maximum(values, TINY)) if probe.logarithmic else values)
    return np.stack(columns, 1)


def candidate_mask(dataset: str) -> npt.NDArray[np.bool_]:
    """(networks of the data set,), which of them are candidates."""
    fits: npt.NDArray[np.bool_] = load_table()["train_accuracy"][dataset_rows(dataset)] >= FITS
    return fits
