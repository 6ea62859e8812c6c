"""The images that the zoo is trained and judged on."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.common.data.digits import load_digits
from mlds_bench.common.data.mnist import load
from mlds_bench.envs.generalization.zoo.grid import SEED, SIZES
from mlds_bench.envs.streams import derive

Images: TypeAlias = npt.NDArray[np.float32]
Labels: TypeAlias = npt.NDArray[np.int64]

CLASSES = 10


@dataclass(frozen=True)
class Part:
    """Images (N, pixels) float32 from 0 to 1, and their labels (N,) int64."""

    images: Images
    labels: Labels


@dataclass(frozen=True)
class DataSet:
    """Three parts without a common image."""

    train: Part
    validation: Part
    test: Part


def load_dataset(name: str) -> DataSet:
    """The parts of a data set, the same in every process.

    Digits keep their 8 x 8 pixels and are cut in three; of the others the validation images come
    from the published training set, the test images are the published ones, and 28 x 28 pixels
    become 14 x 14 by means of 2 x 2.

    Raises:
        MissingData: the data set is not here; the line names the command that fetches it.
    """
    train_size, validation_size = SIZES[name]
    if name == "digits":
        pixels, labels = load_digits()
        images = (pixels.reshape(len(pixels), -1) / 16).astype(np.float32)
        order = _order(name, len(images))
        held_out = order[train_size + validation_size :]
        test = Part(images[held_out], labels[held_out])
    else:
        pixels, labels = load(name, "train")
        chosen = _order(name, len(pixels))[: train_size + validation_size]
        images, labels, order = _halved(pixels[chosen]), labels[chosen], np.arange(len(chosen))
        unseen, truth = load(name, "test")
        test = Part(_halved(np.asarray(unseen)), np.array(truth))
    first, second = order[:train_size], order[train_size : train_size + validation_size]
    return DataSet(Part(images[first], labels[first]), Part(images[second], labels[second]), test)


def corrupted(labels: Labels, share: float, seed: int) -> Labels:
    """Labels of which an exact share, rounded, is replaced by another class, uniformly.

    Args:
        labels: (N,) true labels.
        share: from 0 to 1.
        seed: of the choice.
    """
    generator = np.random.default_rng(seed)
    wrong = generator.permutation(len(labels))[: round(share * len(labels))]
    result = labels.copy()
    result[wrong] = (labels[wrong] + generator.integers(1, CLASSES, len(wrong))) % CLASSES
    return result


def _order(name: str, size: int) -> npt.NDArray[np.int64]:
    return np.random.default_rng(derive(SEED, name, "images")).permutation(size)


def _halved(images: npt.NDArray[np.uint8]) -> Images:
    count, height, width = images.shape
    blocks = images.reshape(count, height // 2, 2, width // 2, 2).mean(axis=(2, 4))
    flat: Images = (blocks.reshape(count, -1) / 255).astype(np.float32)
    return flat
