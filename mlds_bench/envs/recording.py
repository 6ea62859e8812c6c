"""What happened in the test split: the only thing that scores are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np


class Recording:
    """Steps of the test split, in order, for `scoring.score` to read.

    A step holds, under these names: ``observation`` (what the action answered), ``action``,
    ``reward``, ``terminated``, ``truncated``, ``oracle`` (the hidden truth of that observation) and
    ``episode`` (int64, how many episodes the instance had finished before). Arrays are
    (N, ...); an observation, action or oracle may be a dictionary of such.
    """

    def __init__(self) -> None:
        self.steps: list[dict[str, Any]] = []

    def __len__(self) -> int:
        return len(self.steps)

    def append(self, **step: Any) -> None:
        """Add one step of the batch."""
        self.steps.append(step)

    def arrays(self) -> dict[str, Any]:
        """All steps stacked: every array is (T, N, ...)."""
        if not self.steps:
            raise ValueError("nothing was recorded: step an environment of the test split first")
        return {name: _stack([step[name] for step in self.steps]) for name in self.steps[0]}


def _stack(items: list[Any]) -> Any:
    if isinstance(items[0], Mapping):
        return {key: _stack([item[key] for item in items]) for key in items[0]}
    return np.stack(items)
