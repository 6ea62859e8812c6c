"""Rows of batches that are arrays, or dictionaries of such."""

from __future__ import annotations

import numpy as np

from mlds_bench.common.trees import on_each, take

BATCH = {"a": np.arange(3), "b": {"c": np.arange(6).reshape(3, 2)}}


def test_rows_by_number_or_by_mark() -> None:
    """Of every array, however deep."""
    for rows in (np.array([0, 2]), np.array([True, False, True])):
        part = take(BATCH, rows)
        assert part["a"].tolist() == [0, 2]
        assert part["b"]["c"].tolist() == [[0, 1], [4, 5]]


def test_one_row_loses_its_axis() -> None:
    assert take(BATCH, 1)["b"]["c"].tolist() == [2, 3]
    assert take(np.arange(3), 1) == 1


def test_copies_share_nothing() -> None:
    copied = on_each(BATCH, np.copy)
    copied["b"]["c"][0] = 9
    assert BATCH["b"]["c"][0, 0] == 0  # type: ignore[index]
