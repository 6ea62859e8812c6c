"""Batches that may be dictionaries of arrays: observations, actions, oracles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import numpy.typing as npt


def take(batch: Any, rows: npt.NDArray[np.intp] | npt.NDArray[np.bool_] | int) -> Any:
    """Some rows of every array of a batch: those numbered or marked, or a single one."""
    return on_each(batch, lambda array: array[rows])


def put(batch: Any, rows: npt.NDArray[np.intp], values: Any) -> None:
    """Write ``values``, a batch of the same structure, into the numbered rows of every array."""
    if isinstance(batch, Mapping):
        for key, inner in batch.items():
            put(inner, rows, values[key])
    else:
        batch[rows] = values


def on_each(batch: Any, function: Callable[[Any], Any]) -> Any:
    """The batch with a function applied to every array in it."""
    if isinstance(batch, Mapping):
        return {key: on_each(value, function) for key, value in batch.items()}
    return function(batch)
