"""The images: parts without a common image, and corrupted labels."""

from __future__ import annotations

import numpy as np
import pytest

from mlds_bench.common.data.store import MissingData
from mlds_bench.envs.generalization.zoo.grid import SIZES
from mlds_bench.envs.generalization.zoo.images import DataSet, corrupted, load_dataset


def loaded(name: str) -> DataSet:
    try:
        return load_dataset(name)
    except MissingData as missing:
        pytest.skip(f"{name}: {missing}")


@pytest.mark.parametrize("name", SIZES)
def test_parts_have_their_sizes_and_no_common_image(name: str) -> None:
    """Training and validation images of the sizes in the grid; the rest is for the test."""
    data = loaded(name)
    parts = (data.train, data.validation, data.test)
    assert [len(part.images) for part in parts[:2]] == list(SIZES[name])
    assert len(data.test.images) == (1797 - sum(SIZES[name]) if name == "digits" else 10_000)
    seen = np.concatenate([part.images for part in parts])
    assert seen.dtype == np.float32
    assert (seen.min(), seen.max()) == (0.0, 1.0)
    if name != "fashion_mnist":  # which has a few images twice
        assert len(np.unique(seen, axis=0)) == len(seen)
    assert all(set(part.labels) == set(range(10)) for part in parts)


def test_images_are_halved_by_means() -> None:
    """14 x 14 from 28 x 28, the same mean."""
    data = loaded("fashion_mnist")
    assert data.test.images.shape == (10_000, 196)
    assert data.test.images.mean() == pytest.approx(0.2868, abs=1e-3)  # of the published test set


def test_an_exact_share_of_labels_is_wrong() -> None:
    """20 % of 50 labels are others, in range, and about every class is hit."""
    labels = np.arange(5000) % 10
    noisy = corrupted(labels, 0.2, seed=0)
    wrong = noisy != labels
    assert wrong.sum() == 1000
    shift = (noisy - labels)[wrong] % 10
    assert np.bincount(shift, minlength=10)[1:].min() > 70
    assert np.array_equal(corrupted(labels, 0.0, seed=0), labels)
    assert not np.array_equal(corrupted(labels, 0.2, seed=1), noisy)
