"""MNIST and Fashion-MNIST as arrays that are memory-mapped from the cache."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from mlds_bench.common.data.catalogue import UnknownData
from mlds_bench.common.data.idx import read_idx
from mlds_bench.common.data.store import derived
from mlds_bench.common.names import unknown_name

NAMES = ("mnist", "fashion_mnist")
PREFIXES = {"train": "train", "test": "t10k"}
"""Split -> how the names of its files begin."""


def load(name: str, split: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64]]:
    """Images and labels of one split; the first time they are unpacked into the cache.

    Args:
        name: ``mnist`` or ``fashion_mnist``.
        split: ``train`` (60,000 images) or ``test`` (10,000).

    Returns:
        Images (N, 28, 28) uint8, 0 to 255, and labels (N,) int64, 0 to 9, in the published order;
        both read-only and memory-mapped.

    Raises:
        UnknownData: there is no such data set of this family.
        ValueError: there is no such split.
        MissingData: the data set is not here; the line names the command that fetches it.
    """
    if name not in NAMES:
        raise UnknownData(unknown_name("MNIST data set", name, NAMES))
    if split not in PREFIXES:
        raise ValueError(unknown_name("split", split, PREFIXES))
    prefix = PREFIXES[split]
    images = derived(
        name,
        f"{split}-images-v1",
        lambda folder: read_idx(folder / f"{prefix}-images-idx3-ubyte.gz"),
    )
    labels = derived(
        name,
        f"{split}-labels-v1",
        lambda folder: read_idx(folder / f"{prefix}-labels-idx1-ubyte.gz").astype(np.int64),
    )
    return images, labels
