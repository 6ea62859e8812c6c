"""The shipped table: its checksum, its rows, and what the environments take from it."""

from __future__ import annotations

from hashlib import sha256
from itertools import combinations, product

import numpy as np
import pytest
from scipy.stats import kendalltau

from mlds_bench.envs.generalization import data
from mlds_bench.envs.generalization.expectations import expected_search_regret
from mlds_bench.envs.generalization.specs import FITS, PROBES, ModelSelectionSettings
from mlds_bench.envs.generalization.zoo.grid import (
    FOLDS,
    LEVELS,
    MOST_EPOCHS,
    RUNGS,
    SIZES,
    SPLITS,
    block_size,
)
from mlds_bench.envs.generalization.zoo.networks import Architecture


def test_the_shipped_file_is_the_one_of_the_checksum() -> None:
    """And it is small."""
    content = data.read_table()
    assert sha256(content).hexdigest() == data.CHECKSUM
    assert data.checksum(ModelSelectionSettings()) == data.CHECKSUM
    assert len(content) < 500_000


def test_another_file_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """In one line, before anything is read from it."""
    data.load_table.cache_clear()
    content = bytearray(data.read_table())
    content[1000] ^= 1
    monkeypatch.setattr(data, "read_table", lambda: bytes(content))
    with pytest.raises(ValueError, match="not the one that was shipped"):
        data.load_table()


def test_the_table_has_one_row_per_network() -> None:
    """864 rows for each data set, every number finite and in its range."""
    table = data.load_table()
    rows = [data.dataset_rows(name) for name in LEVELS]
    assert [row.start for row in rows] == [0, *(row.stop for row in rows[:-1])]
    assert rows[-1].stop == 864 * len(LEVELS)
    for name, column in table.items():
        assert len(column) == 864 * len(LEVELS)
        assert np.isfinite(column).all(), name
    for name in ("train_accuracy", "test_accuracy"):
        assert ((table[name] >= 0.0) & (table[name] <= 1.0)).all()
    assert table["epochs"].max() == MOST_EPOCHS
    assert table["validation_right"].shape == (rows[-1].stop, len(RUNGS), FOLDS)
    with pytest.raises(KeyError):
        data.dataset_rows("cifar10")


@pytest.mark.parametrize("name", LEVELS)
def test_rows_are_those_of_their_settings(name: str) -> None:
    """The count of parameters, which the training wrote, follows from width and depth."""
    rows = data.dataset_rows(name)
    pixels = 64 if name == "digits" else 196
    width, depth = (data.setting_column(name, axis) for axis in ("width", "depth"))
    expected = [
        Architecture((pixels, *[w] * d, 10), "relu", "none").parameters
        for w, d in zip(width.tolist(), depth.tolist(), strict=True)
    ]
    assert data.load_table()["parameter_count"][rows].tolist() == expected
    right = data.load_table()["validation_right"][rows]
    assert right.max() <= SIZES[name][1] // FOLDS


@pytest.mark.parametrize("name", LEVELS)
def test_label_noise_hurts_and_is_memorized(name: str) -> None:
    """Random labels are fitted (Zhang et al. 2017), and test accuracy falls."""
    rows = data.dataset_rows(name)
    noisy = data.setting_column(name, "label_noise") > 0.0
    train = data.load_table()["train_accuracy"][rows]
    test = data.load_table()["test_accuracy"][rows]
    fits = train >= FITS
    assert fits[noisy].sum() > 50
    assert fits[~noisy].sum() > 50
    assert test[fits & noisy].mean() < test[fits & ~noisy].mean() - 0.02


def test_candidates_fit_their_labels_and_are_many() -> None:
    """Some hundreds of each data set, with test accuracies that differ."""
    for split, names in SPLITS.items():
        for zoo, name in zip(data.candidates(split), names, strict=True):
            train = data.load_table()["train_accuracy"][data.dataset_rows(name)]
            assert len(zoo.accuracy) == (train >= FITS).sum() > 200
            assert zoo.probes.shape == (len(zoo.accuracy), len(PROBES))
            assert np.ptp(zoo.accuracy) > 0.05


def test_probes_are_standardized_on_the_train_split() -> None:
    """Mean 0 and deviation 1 over the candidates of train, not over those of test."""
    seen = np.concatenate([zoo.probes for zoo in data.candidates("train")])
    assert seen.mean(0) == pytest.approx(np.zeros(len(PROBES)), abs=1e-9)
    assert seen.std(0) == pytest.approx(np.ones(len(PROBES)), abs=1e-9)
    (unseen,) = data.candidates("test")
    assert np.abs(unseen.probes.mean(0)).max() > 0.05


def test_blocks_cut_the_table_in_order() -> None:
    """Two shares of label noise for each data set; the second block begins where the first ends."""
    for split, names in SPLITS.items():
        blocks = data.blocks(split)
        assert len(blocks) == 2 * len(names)
        for number, name in enumerate(names):
            rows = data.dataset_rows(name)
            accuracy = np.concatenate([block.accuracy for block in blocks[2 * number :][:2]])
            assert np.array_equal(accuracy, data.load_table()["test_accuracy"][rows])
            assert len(blocks[2 * number].accuracy) == block_size(name) == 432


def test_validation_foretells_the_test() -> None:
    """After the whole training, accuracy on all folds and on the test images agree."""
    for split in SPLITS:
        for block in data.blocks(split):
            whole = block.right[:, -1].sum(1) / (block.fold_images * FOLDS)
            assert np.corrcoef(whole, block.accuracy)[0, 1] > 0.6


def test_flatness_tells_memorizing_and_margin_orders() -> None:
    """What the page reads in the table: over all candidates of the test, and within each kind."""
    (zoo,) = data.candidates("test")
    mask = data.candidate_mask("fashion_mnist")
    noisy = data.setting_column("fashion_mnist", "label_noise")[mask] > 0.0
    tau = {
        name: [
            kendalltau(zoo.probes[rows, list(PROBES).index(name)], zoo.accuracy[rows]).statistic
            for rows in (np.ones(len(noisy), np.bool_), ~noisy, noisy)
        ]
        for name in ("flatness", "margin", "parameter_count")
    }
    assert tau["flatness"] == pytest.approx([0.27, -0.06, 0.0], abs=0.006)
    assert tau["margin"][1:] == pytest.approx([0.43, 0.44], abs=0.006)
    assert tau["parameter_count"][1:] == pytest.approx([0.14, 0.18], abs=0.006)


def test_in_train_the_margin_orders_best() -> None:
    """On digits and on MNIST alike, and sharpness is not at chance there, as the page has it."""
    for zoo, best, second, sharp in zip(
        data.candidates("train"),
        (0.54, 0.67),
        ("flatness", "sensitivity"),
        (-0.26, -0.33),
        strict=True,
    ):
        tau = {
            name: kendalltau(zoo.probes[:, index], zoo.accuracy).statistic
            for index, name in enumerate(PROBES)
        }
        order = sorted(PROBES, key=lambda name: -abs(tau[name]))
        assert order[:2] == ["margin", second]
        assert "flatness" in order[:3]
        assert tau["margin"] == pytest.approx(best, abs=0.006)
        assert tau["sharpness"] == pytest.approx(sharp, abs=0.006)


def test_a_grid_around_a_bad_middle_loses_to_random_tries() -> None:
    """On the blocks of train with wrong labels; the mean over draws of eight folds, by the page."""
    draws = [list(draw) for draw in combinations(range(FOLDS), 8)][::400]
    for block, grid_regret, random_regret in zip(
        data.blocks("train")[1::2], (0.041, 0.049), (0.026, 0.021), strict=True
    ):
        validation = [block.right[:, -1][:, draw].sum(1) for draw in draws]
        corners = product((0, 1), repeat=4)
        rows = np.array([np.ravel_multi_index((*c, 1, 1, 1), block.shape) for c in corners])
        chosen = [rows[told[rows].argmax()] for told in validation]
        lost = block.accuracy.max() - block.accuracy[chosen].mean()
        by_chance = [expected_search_regret(told, block.accuracy, 16) for told in validation]
        assert lost == pytest.approx(grid_regret, abs=0.0006)
        assert np.mean(by_chance) == pytest.approx(random_regret, abs=0.0006)


def test_early_accuracies_mislead_where_labels_are_wrong() -> None:
    """Correlation of validation after a ninth with the test at the end, as the page has it."""
    found = [np.corrcoef(b.right[:, 0].sum(1), b.accuracy)[0, 1] for b in data.blocks("test")]
    assert found == pytest.approx([0.39, -0.15], abs=0.006)
