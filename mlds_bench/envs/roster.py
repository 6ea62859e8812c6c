"""Which instances of a batch still play, when only the first episodes of each count."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.common.trees import on_each, put, take
from mlds_bench.envs.recorders import Step

Flags: TypeAlias = npt.NDArray[np.bool_]
Indices: TypeAlias = npt.NDArray[np.intp]

NARROW_AT = 0.95
"""Retired rows are dropped once at most this share of a room's rows still play: dropping copies
every row that stays, which is not worth it for a few."""


class Roster:
    """The N instances of a batch, and the M rows of its room.

    At first they are the same. An instance that has ended all episodes that count is retired: the
    batch goes on showing its last observation, while its row in the room plays on unseen or is
    dropped.

    Args:
        num_envs: N.

    Attributes:
        instance: (M,) the numbers of the instances that the rows stand for.
        rows: (R,) the rows of those that are not retired.
    """

    def __init__(self, num_envs: int) -> None:
        self.num_envs = num_envs
        self.instance: Indices = np.arange(num_envs)
        self.rows: Indices = self.instance
        self._last_seen: Any = None

    @property
    def has_retired(self) -> bool:
        """Whether any instance is retired."""
        return len(self.rows) < self.num_envs

    @property
    def is_narrow(self) -> bool:
        """Whether rows were dropped."""
        return len(self.instance) < self.num_envs

    @property
    def retired(self) -> Flags | None:
        """(N,), which instances are retired; None if none is."""
        if not self.has_retired:
            return None
        retired = np.ones(self.num_envs, np.bool_)
        retired[self.instance[self.rows]] = False
        return retired

    def retire(self, still_count: Flags, last_seen: Any) -> None:
        """Retire the rows where ``still_count`` (M,) is False; they last saw ``last_seen``."""
        leaving = self.rows[~still_count[self.rows]]
        if not len(leaving):
            return
        if self._last_seen is None:
            self._last_seen = on_each(last_seen, np.copy)  # all rows are there yet: N of them
        put(self._last_seen, self.instance[leaving], take(last_seen, leaving))
        self.rows = self.rows[still_count[self.rows]]

    def worth_narrowing(self) -> Flags | None:
        """(M,), the rows to keep, if it is time to drop the others; never all of them."""
        if not 0 < len(self.rows) <= NARROW_AT * len(self.instance):
            return None
        mask = np.zeros(len(self.instance), np.bool_)
        mask[self.rows] = True
        return mask

    def narrow(self, mask: Flags) -> None:
        """Drop the rows where ``mask`` (M,) is False, all of them retired."""
        self.instance = self.instance[mask]
        self.rows = np.arange(len(self.instance))

    def inward(self, batch: Any) -> Any:
        """Of a batch (N, ...), what belongs to the room's rows (M, ...)."""
        return take(batch, self.instance) if self.is_narrow else batch

    def outward(
        self,
        step: Step,
        observation: Any,
        final: dict[str, Any],
        of_step: dict[str, Any],
        of_state: dict[str, Any],
    ) -> tuple[Any, npt.NDArray[np.float64], Flags, Flags, dict[str, Any]]:
        """What the batch tells of a step of the room's rows, every array (N, ...) and fresh.

        Args:
            step: with the rows and instances of its time, before its last instances retired.
            observation: (M, ...), of the rows that there are now.
            final: what is told of the rows that ended in the step, if any did.
            of_step: infos of the step, (M, ...) of its rows.
            of_state: infos of the observation, (M, ...).
        """
        shown = on_each(self._last_seen, np.copy)
        put(shown, self.instance[self.rows], take(observation, self.rows))
        told = step.reward, step.terminated, step.truncated
        reward, terminated, truncated = (self._spread(array, step) for array in told)
        done = terminated | truncated
        infos = {
            **self._told(of_state, self.instance[self.rows], self.rows),
            **self._told(of_step, step.instance[step.rows], step.rows),
        }
        if not done.any():
            return shown, reward, terminated, truncated, infos
        last, rows = on_each(shown, np.copy), step.rows[done[step.instance[step.rows]]]
        put(last, step.instance[rows], take(final["final_obs"], rows))
        infos |= {"final_obs": last, "_final_obs": done, "_final_info": done.copy()}
        infos["final_info"] = self._told(final["final_info"], step.instance[rows], rows)
        return shown, reward, terminated, truncated, infos

    def _told(self, infos: dict[str, Any], instances: Indices, rows: Indices) -> dict[str, Any]:
        """Infos of rows as infos (N, ...) of the batch: nothing is told of the retired."""
        mask = np.zeros(self.num_envs, np.bool_)
        mask[instances] = True
        told: dict[str, Any] = {}
        for name, values in infos.items():
            if name.startswith("_"):
                continue
            told[name] = on_each(values, self._empty)
            put(told[name], instances, take(values, rows))
            told[f"_{name}"] = mask.copy()
        return told

    def _empty(self, array: npt.NDArray[Any]) -> npt.NDArray[Any]:
        return np.zeros((self.num_envs, *array.shape[1:]), array.dtype)

    def _spread(self, array: npt.NDArray[Any], step: Step) -> npt.NDArray[Any]:
        whole = np.zeros(self.num_envs, array.dtype)
        whole[step.instance[step.rows]] = array[step.rows]
        return whole
