"""What is learned from and asked: sizes, labels, parts, checksum."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mlds_bench.common.data.digits import load_digits
from mlds_bench.common.data.store import MissingData
from mlds_bench.envs.classification.data import (
    HELD_OUT,
    OLD_DOMAIN,
    TRAINED_ON,
    checksum,
    held_out_images,
    make_deck,
    noisy_labels,
    require,
    training_set,
)
from mlds_bench.envs.classification.shifts import inverted
from mlds_bench.envs.classification.specs import CLASSES, DATASETS, UNLABELED, Settings


def rows_of(images: np.ndarray[Any, Any]) -> set[bytes]:
    return {image.tobytes() for image in images}


@pytest.mark.parametrize("name", DATASETS)
def test_images_have_the_range_and_dtype_of_their_set(
    name: str, have: Callable[[str], str]
) -> None:
    """uint8 from 0 to 255 in the shape told, labels int64 from 0 to 9, all of both splits."""
    settings, one = Settings(dataset=have(name)), DATASETS[name]
    train = training_set(settings)
    for images, labels, count in (
        (train.images, train.labels, one.train),
        (*held_out_images(settings), one.test),
    ):
        assert images.shape == (count, *one.shape)
        assert (images.dtype, labels.dtype) == (np.dtype(np.uint8), np.dtype(np.int64))
        assert (images.min(), images.max()) == (0, 255)
        assert np.unique(labels).tolist() == list(range(CLASSES))


@pytest.mark.parametrize("name", ["mnist", "fashion"])
def test_sixty_thousand_images_load_at_once(name: str, have: Callable[[str], str]) -> None:
    """The second time they are only mapped; the bound is wide, a load takes milliseconds."""
    settings = Settings(dataset=have(name))
    training_set(settings)
    began = time.perf_counter()
    training_set(settings)
    assert time.perf_counter() - began < 1.0


def test_the_digits_are_scikit_learn_s_each_once() -> None:
    """1,297 to learn from and 500 held out; 16 levels become 0 to 255."""
    train, (held_out, classes) = training_set(Settings()), held_out_images(Settings())
    images, labels = load_digits()
    scaled = np.rint(images * (255 / 16)).astype(np.uint8)
    together = np.concatenate([train.images, held_out])[..., 0]
    assert sorted(image.tobytes() for image in together) == sorted(i.tobytes() for i in scaled)
    counts = np.bincount(np.concatenate([train.labels, classes]))
    assert np.array_equal(counts, np.bincount(labels))
    told = dict(zip((i.tobytes() for i in scaled), labels, strict=True))
    assert all(told[i.tobytes()] == t for i, t in zip(held_out[..., 0], classes, strict=True))


def test_a_subset_is_chosen_by_its_seed() -> None:
    """Of the size asked for, without repeats, the same for the same seed, other for another."""
    first, again, other = (
        training_set(Settings(train_size=100, subset_seed=seed)) for seed in (0, 0, 1)
    )
    assert np.array_equal(first.images, again.images)
    assert len(rows_of(first.images)) == len(first.images) == 100
    assert len(rows_of(first.images) & rows_of(other.images)) < 50
    assert rows_of(first.images) <= rows_of(training_set(Settings()).images)


def test_noise_takes_its_share_of_the_labels() -> None:
    """Round(share n) labels are drawn anew, uniformly: a tenth of them come out as they were."""
    truth = np.random.default_rng(0).integers(CLASSES, size=20_000)
    for noise in (0.0, 0.3, 1.0):
        labels = noisy_labels(truth, noise, 0)
        changed = np.count_nonzero(labels != truth)
        assert changed == pytest.approx(0.9 * noise * len(truth), rel=0.02)
        if noise == 1.0:
            table = np.zeros((CLASSES, CLASSES))
            np.add.at(table, (truth, labels), 1)
            assert stats.chi2_contingency(table).pvalue > 1e-3
    assert np.array_equal(noisy_labels(truth, 0.3, 5), noisy_labels(truth, 0.3, 5))
    assert np.any(noisy_labels(truth, 0.3, 5) != noisy_labels(truth, 0.3, 6))


def test_both_splits_agree_on_corrupted_labels() -> None:
    """The deck tells of a training image the very label that training told."""
    settings = Settings(label_noise=0.5, label_seed=3, train_size=300)
    train, deck = training_set(settings), make_deck(settings, np.random.default_rng(0))
    mine = deck.part == TRAINED_ON
    assert np.array_equal(deck.labels[mine], train.labels[deck.row[mine]])
    assert np.array_equal(deck.images[mine], train.images[deck.row[mine]])
    assert 0.3 < np.mean(deck.labels[mine] != deck.truth[mine]) < 0.6
    held_out = deck.part == HELD_OUT
    assert np.array_equal(deck.labels[held_out], deck.truth[held_out])


def test_the_deck_holds_all_that_is_held_out_and_half_as_many_others() -> None:
    """In an order that tells nothing, and another for another generator."""
    deck, other = (make_deck(Settings(), np.random.default_rng(seed)) for seed in (0, 1))
    assert np.bincount(deck.part).tolist() == [500, 250]
    assert sorted(deck.row[deck.part == HELD_OUT]) == list(range(500))
    assert len(set(deck.row[deck.part == TRAINED_ON].tolist())) == 250
    place = np.arange(len(deck.part))
    assert abs(np.corrcoef(place, deck.part)[0, 1]) < 0.15
    assert not np.array_equal(deck.row, other.row)
    small = make_deck(Settings(train_size=20), np.random.default_rng(0))
    assert np.bincount(small.part).tolist() == [500, 20]


def test_a_new_domain_comes_without_labels() -> None:
    """Half of the training images look new and tell nothing; the test asks in both looks."""
    settings = Settings(shift="inverted")
    plain, train = training_set(Settings()), training_set(settings)
    is_new = train.labels == UNLABELED
    assert is_new.mean() == pytest.approx(0.5, abs=0.01)
    assert np.array_equal(train.images[is_new], inverted(plain.images[is_new]))
    assert np.array_equal(train.images[~is_new], plain.images[~is_new])
    assert np.array_equal(train.labels[~is_new], plain.labels[~is_new])
    deck = make_deck(settings, np.random.default_rng(0))
    assert np.bincount(deck.part).tolist() == [500, 250, 500]
    assert UNLABELED not in deck.labels
    images, _ = held_out_images(settings)
    new, old = deck.part == HELD_OUT, deck.part == OLD_DOMAIN
    assert np.array_equal(deck.images[new], inverted(images[deck.row[new]]))
    assert np.array_equal(deck.images[old], images[deck.row[old]])


@pytest.mark.parametrize(
    "arguments",
    [
        {"train_size": 100},
        {"label_noise": 0.5},
        {"label_seed": 1},
        {"subset_seed": 1},
        {"shift": "rotated"},
        {"dataset": "mnist"},
    ],
)
def test_every_argument_enters_the_checksum(arguments: dict[str, Any]) -> None:
    """Other data, another checksum, whether the files are here or not."""
    assert (
        checksum(Settings(**arguments)) == checksum(Settings(**arguments)) != checksum(Settings())
    )


def test_the_checksum_is_that_of_the_published_data() -> None:
    """Pinned; how an agent answers is no part of it."""
    assert checksum(Settings()) == checksum(Settings(probabilities=True)) == PINNED


PINNED = "37e0dc9705bc3ad304f65971897938c076cec7d86eec4d3613309d014901f5a6"


def test_an_absent_set_is_named(tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the command that fetches it."""
    monkeypatch.setenv("MLDS_BENCH_DATA", str(tmp_path))
    monkeypatch.setattr("mlds_bench.common.data.store.cache_folder", lambda: tmp_path / "cache")
    for ask in (training_set, require):
        with pytest.raises(MissingData, match="mlds-bench data get cifar10 fetches it"):
            ask(Settings(dataset="cifar10"))
    require(Settings(dataset="digits"))
