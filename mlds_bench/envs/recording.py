"""What happened in the test split: the only thing that scores are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

import numpy as np

Recorded: TypeAlias = Literal["steps", "ends"]
"""What a room's scores are made of: every step, or how each episode ended."""


class Recording:
    """What `scoring.score` reads: the steps of the test split, in order, or its episodes' ends.

    A step holds, under these names: ``observation`` (what the action answered), ``action``,
    ``reward``, ``terminated``, ``truncated``, ``oracle`` (the hidden truth of that observation) and
    ``episode`` (int64, how many episodes the instance had finished before). Arrays are
    (N, ...); an observation, action or oracle may be a dictionary of such.

    Rooms whose episodes are long and judged by how they end record the ends alone: of the K
    instances that ended in one step, the last ``observation`` and its ``oracle`` (K, ...),
    ``instance``, ``episode`` and ``length`` (K,) int64, ``return`` (K,) float64, ``terminated`` and
    ``truncated`` (K,) bool, and what the room adds (`BatchedEnv.ending`).

    ``trace`` is for pictures: a room whose scores need less than its pictures show may append to it
    in ``draw`` and ``advance``, in the test split alone, entries that only its own ``pictures``
    module reads. It costs next to nothing, and no score depends on it.

    Args:
        recorded: ``steps`` or ``ends``.
    """

    def __init__(self, recorded: Recorded = "steps") -> None:
        self.recorded = recorded
        self.entries: list[dict[str, Any]] = []
        self.trace: list[dict[str, Any]] = []

    def __len__(self) -> int:
        """Steps of the batch, or episodes that ended."""
        if self.recorded == "steps":
            return len(self.entries)
        return sum(len(entry["instance"]) for entry in self.entries)

    def append(self, **entry: Any) -> None:
        """Add one step of the batch, or the episodes that ended in it."""
        self.entries.append(entry)

    def arrays(self) -> dict[str, Any]:
        """All steps stacked, every array (T, N, ...); or all ends, every array (E, ...)."""
        if not self.entries:
            way = {"steps": "step", "ends": "end an episode of"}[self.recorded]
            raise ValueError(f"nothing was recorded: {way} an environment of the test split first")
        join = np.stack if self.recorded == "steps" else np.concatenate
        return {name: _join(join, [one[name] for one in self.entries]) for name in self.entries[0]}


def _join(join: Any, items: list[Any]) -> Any:
    if isinstance(items[0], Mapping):
        return {key: _join(join, [item[key] for item in items]) for key in items[0]}
    return join(items)
