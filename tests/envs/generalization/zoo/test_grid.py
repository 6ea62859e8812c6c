"""The grid: its size, its seeds, and what only the test split shows."""

from __future__ import annotations

from itertools import product

from mlds_bench.envs.generalization.zoo.grid import (
    AXES,
    LEVELS,
    SIZES,
    SPLITS,
    block_size,
    groups,
)


def test_every_setting_of_a_block_is_trained_once() -> None:
    """The members of all groups are the product of the levels, with each share of label noise."""
    for dataset, levels in LEVELS.items():
        members = [member for group in groups(dataset) for member in group.members]
        keys = [tuple(member[axis] for axis in ("label_noise", *AXES)) for member in members]
        wanted = set(product(levels.label_noise, *(levels.of(axis) for axis in AXES)))
        assert len(keys) == len(wanted) == len(levels.label_noise) * block_size(dataset)
        assert set(keys) == wanted


def test_the_test_split_shows_other_data_and_settings() -> None:
    """No common data set, width, batch size, learning rate or strength, and another noise."""
    assert set(SPLITS["train"]) | set(SPLITS["test"]) == set(LEVELS)
    for seen, unseen in product(SPLITS["train"], SPLITS["test"]):
        assert seen != unseen
        first, second = LEVELS[seen], LEVELS[unseen]
        for axis in ("width", "batch_size", "learning_rate"):
            assert not set(first.of(axis)) & set(second.of(axis))
        assert first.weight_decay != second.weight_decay
        assert first.dropout != second.dropout
        assert set(first.label_noise) & set(second.label_noise) == {0.0}


def test_batches_divide_the_training_images() -> None:
    """No image is left out of an epoch."""
    for dataset, levels in LEVELS.items():
        assert all(SIZES[dataset][0] % size == 0 for size in levels.batch_size)


def test_seeds_differ_by_data_set_group_and_purpose() -> None:
    """No two trainings share a stream."""
    every = [
        group.seed(purpose)
        for dataset in LEVELS
        for group in groups(dataset)
        for purpose in ("init", "order", "dropout", "probes", "labels 0")
    ]
    assert len(set(every)) == len(every)
