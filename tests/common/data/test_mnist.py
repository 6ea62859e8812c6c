"""MNIST and Fashion-MNIST against literals, where `MLDS_BENCH_DATA` has them."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mlds_bench.common.data import store
from mlds_bench.common.data.catalogue import UnknownData
from mlds_bench.common.data.mnist import NAMES, load

FIRST = {
    ("mnist", "train"): [5, 0, 4, 1, 9, 2, 1, 3, 1, 4],
    ("mnist", "test"): [7, 2, 1, 0, 4, 1, 4, 9, 5, 9],
    ("fashion_mnist", "train"): [9, 0, 0, 3, 0, 2, 7, 2, 5, 5],
    ("fashion_mnist", "test"): [9, 2, 1, 1, 6, 1, 4, 6, 5, 7],
}
COUNTS = {
    ("mnist", "train"): [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949],
    ("mnist", "test"): [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009],
    ("fashion_mnist", "train"): [6000] * 10,
    ("fashion_mnist", "test"): [1000] * 10,
}
MEAN = {"mnist": 0.1307, "fashion_mnist": 0.2860}
"""Of the training pixels between 0 and 1: the figures that everybody normalizes with."""


@pytest.fixture
def name(request: pytest.FixtureRequest, real: Callable[[str], Path]) -> str:
    """A set that is here."""
    real(request.param)
    return str(request.param)


@pytest.mark.parametrize("split", ["train", "test"])
@pytest.mark.parametrize("name", NAMES, indirect=True)
def test_images_and_labels_are_the_published_ones(name: str, split: str) -> None:
    images, labels = load(name, split)
    count = {"train": 60_000, "test": 10_000}[split]
    assert (images.shape, labels.shape) == ((count, 28, 28), (count,))
    assert (images.dtype.name, labels.dtype.name) == ("uint8", "int64")
    assert (images.min(), images.max()) == (0, 255)
    assert labels[:10].tolist() == FIRST[name, split]
    assert np.bincount(labels).tolist() == COUNTS[name, split]
    if split == "train":
        assert images.mean() / 255 == pytest.approx(MEAN[name], abs=5e-5)


@pytest.mark.parametrize("name", NAMES, indirect=True)
def test_the_second_load_is_a_map(name: str) -> None:
    """The bounds are wide; a load takes a millisecond."""
    began = time.perf_counter()
    load(name, "train")
    assert time.perf_counter() - began < 10.0
    began = time.perf_counter()
    images, labels = load(name, "train")
    assert time.perf_counter() - began < 0.5
    for array in (images, labels):
        assert isinstance(array, np.memmap)
        assert not array.flags.writeable


def test_an_absent_set_names_the_command(root: Path) -> None:
    with pytest.raises(store.MissingData, match="mlds-bench data get mnist fetches it"):
        load("mnist", "train")


def test_wrong_names_get_the_nearest() -> None:
    with pytest.raises(UnknownData, match="did you mean 'fashion_mnist'"):
        load("fashion-mnist", "train")
    with pytest.raises(ValueError, match="unknown split 'tests': did you mean 'test'"):
        load("mnist", "tests")
