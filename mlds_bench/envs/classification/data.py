"""Images and labels: what is learned from, what is asked in the test, what the labels become."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import cache
from hashlib import sha256
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.common.data import cifar, mnist
from mlds_bench.common.data.catalogue import find_set
from mlds_bench.common.data.digits import load_digits
from mlds_bench.common.data.store import find
from mlds_bench.envs.classification.shifts import shifted
from mlds_bench.envs.classification.specs import (
    BRIGHTEST,
    CLASSES,
    DATASETS,
    UNLABELED,
    Settings,
)
from mlds_bench.envs.streams import derive

Images: TypeAlias = npt.NDArray[np.uint8]
Labels: TypeAlias = npt.NDArray[np.int64]
Part: TypeAlias = tuple[Images, Labels]

HELD_OUT, TRAINED_ON, OLD_DOMAIN = 0, 1, 2
"""Where an image of the test comes from; `OLD_DOMAIN` is held out and not shifted."""
DIGITS_LEVELS = 16
"""Of a pixel of the embedded digits: 0 to 16."""
CODE_VERSION = 1
"""Raised when what is made of the files changes."""


@dataclass(frozen=True)
class TrainingSet:
    """What is learned from.

    Attributes:
        images: (n, H, W, C) uint8.
        labels: (n,) int64, as they are told; `UNLABELED` where they are not.
        truth: (n,) int64, before any was drawn anew.
    """

    images: Images
    labels: Labels
    truth: Labels


@dataclass(frozen=True)
class Deck:
    """What is asked in a test, in no particular order.

    Attributes:
        images: (n, H, W, C) uint8.
        labels: (n,) int64: the truth of held-out images, the told label of training images.
        truth: (n,) int64.
        part: (n,) int64, `HELD_OUT`, `TRAINED_ON` or `OLD_DOMAIN`.
        row: (n,) int64, place among the held-out images, or among the training images.
    """

    images: Images
    labels: Labels
    truth: Labels
    part: Labels
    row: Labels

    def take(self, rows: npt.NDArray[np.intp]) -> Deck:
        """The cards ``rows`` (k,), in that order."""
        return Deck(*(getattr(self, one.name)[rows] for one in fields(self)))


def training_set(settings: Settings) -> TrainingSet:
    """The training images of an environment, with the labels that are told.

    Raises:
        MissingData: the data set is not here; the line names the command that fetches it.
    """
    images, truth = _split(settings.dataset, "train")
    if settings.train_size is not None:
        rows = _generator(settings.subset_seed, "subset").permutation(len(images))
        rows = np.sort(rows[: settings.train_size])
        images, truth = images[rows], truth[rows]
    labels = noisy_labels(truth, settings.label_noise, settings.label_seed)
    if not settings.has_new_domain:
        return TrainingSet(images, labels, truth)
    is_new = _generator(settings.subset_seed, "domain").permutation(len(images)) % 2 == 1
    images, labels = images.copy(), labels.copy()
    images[is_new] = shifted(images[is_new], settings.shift)
    labels[is_new] = UNLABELED
    return TrainingSet(images, labels, truth)


def noisy_labels(truth: Labels, noise: float, seed: int) -> Labels:
    """Labels (n,) of which the share ``noise`` is drawn anew, uniformly from all classes.

    Source: Zhang et al. 2017, "Understanding deep learning requires rethinking generalization",
    section 2.1, partially corrupted labels.
    """
    generator = _generator(seed, "label noise")
    chosen = generator.permutation(len(truth))[: round(noise * len(truth))]
    labels = truth.copy()
    labels[chosen] = generator.integers(CLASSES, size=len(chosen))
    return labels


def make_deck(settings: Settings, generator: np.random.Generator) -> Deck:
    """All held-out images, and half as many training images (fewer where there are not as many).

    With a new domain the held-out images are shown twice: shifted, and as they are. The training
    images are those with a label.

    Args:
        settings: of the environment.
        generator: decides which training images are shown, and the order.
    """
    images, truth = held_out_images(settings)
    everything = np.arange(len(images))
    train = training_set(settings)
    rows = generator.permutation(np.flatnonzero(train.labels != UNLABELED))[: len(images) // 2]
    parts = [
        _cards(shifted(images, settings.shift), truth, truth, HELD_OUT, everything),
        _cards(train.images[rows], train.labels[rows], train.truth[rows], TRAINED_ON, rows),
    ]
    if settings.has_new_domain:
        parts.append(_cards(images, truth, truth, OLD_DOMAIN, everything))
    joined = _join(parts)
    return joined.take(generator.permutation(len(joined.labels)))


def held_out_images(settings: Settings) -> Part:
    """The held-out images (n, H, W, C) uint8 as they are published, and their classes (n,)."""
    return _split(settings.dataset, "test")


def checksum(settings: Settings) -> str:
    """sha256 of the data that an environment with these settings is made of; no file is read."""
    catalogued = settings.images.catalogued
    content = find_set(catalogued).checksum if catalogued else _digits_checksum()
    made_of = replace(settings, probabilities=False)
    return sha256(f"{CODE_VERSION} {content} {made_of!r}".encode()).hexdigest()


def require(settings: Settings) -> None:
    """See that the files of an environment with these settings are here and whole.

    Raises:
        MissingData: they are not; the line names the command that fetches them.
    """
    if settings.images.catalogued:
        find(settings.images.catalogued)


def _generator(seed: int, name: str) -> np.random.Generator:
    return np.random.default_rng(derive(seed, "classification", name))


def _cards(images: Images, labels: Labels, truth: Labels, part: int, rows: Labels) -> Deck:
    return Deck(images, labels, truth, np.full(len(labels), part, np.int64), rows)


def _join(parts: list[Deck]) -> Deck:
    names = [one.name for one in fields(Deck)]
    return Deck(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def _split(dataset: str, split: str) -> Part:
    """Images (n, H, W, C) uint8 from 0 to 255, and labels (n,) int64."""
    if dataset == "digits":
        return _digits()[split]
    if dataset == "cifar10":
        images, labels = cifar.load(split)
    else:
        images, labels = mnist.load({"fashion": "fashion_mnist"}.get(dataset, dataset), split)
        images = images[..., None]
    return np.asarray(images), np.asarray(labels)  # plain views of what is memory-mapped


@cache
def _digits() -> dict[str, Part]:
    """The embedded digits, mixed once and for all: they come writer by writer."""
    images, labels = load_digits()
    order = _generator(0, "digits").permutation(len(images))
    scaled = np.rint(images[order, :, :, None] * (BRIGHTEST / DIGITS_LEVELS)).astype(np.uint8)
    count = DATASETS["digits"].train
    pixels, classes = np.split(scaled, [count]), np.split(labels[order], [count])
    return {name: (pixels[k], classes[k]) for k, name in enumerate(("train", "test"))}


def _digits_checksum() -> str:
    digest = sha256()
    for images, labels in _digits().values():
        digest.update(images.tobytes())
        digest.update(labels.astype("<i8").tobytes())
    return digest.hexdigest()
