"""Running statistics of what an oracle says about actions, for the best constant."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from mlds_bench.envs.actions import integer_bounds


class Mean:
    """The constant with the least squared error: the mean."""

    def __init__(self, space: spaces.Box) -> None:
        self.space = space
        self.count = 0
        self._sum = np.zeros(space.shape)

    def add(self, values: npt.NDArray[Any]) -> bool:
        """Add a batch (N, ...); False if it is not finite."""
        if not np.isfinite(values).all():
            return False
        self._sum += values.sum(axis=0, dtype=np.float64)
        self.count += len(values)
        return True

    def best(self) -> npt.NDArray[Any]:
        """The mean, in the space's dtype and within its bounds."""
        mean = np.clip(self._sum / self.count, self.space.low, self.space.high)
        mean = mean if self.space.dtype.kind == "f" else np.rint(mean)
        return mean.astype(self.space.dtype)


class Mode:
    """The constant with the most hits: the most frequent value of each component."""

    def __init__(self, space: gymnasium.Space[Any]) -> None:
        self.space = space
        self.count = 0
        low, high = integer_bounds(space)
        shape = space.shape or ()
        self._low, self._high = np.broadcast_to(low, shape), np.broadcast_to(high, shape)
        self._hits = np.zeros((self._low.size, int(np.max(self._high - self._low)) + 1), np.int64)

    def add(self, values: npt.NDArray[Any]) -> bool:
        """Add a batch (N, ...); False if it holds anything that is not an action.

        Instances with a value below all actions are left out: of them the oracle tells nothing.
        """
        if values.dtype.kind not in "iub" or np.any(values > self._high):
            return False
        values = values[(values >= self._low).reshape(len(values), -1).all(axis=1)]
        if not len(values):
            return False
        hits = (values - self._low).reshape(len(values), -1)
        np.add.at(self._hits, (np.arange(self._hits.shape[0]), hits), 1)
        self.count += len(values)
        return True

    def best(self) -> npt.NDArray[Any]:
        """The mode; of equally frequent values the smallest."""
        offsets = self._hits.argmax(axis=1).reshape(self._low.shape)
        return np.asarray(self._low + offsets).astype(self.space.dtype)


Tally: TypeAlias = "Mean | Mode | dict[str, Tally]"


def make_tally(space: gymnasium.Space[Any]) -> Tally:
    """A tally of the actions of a space, or one per part if it is a Dict."""
    if isinstance(space, spaces.Dict):
        return {key: make_tally(inner) for key, inner in space.spaces.items()}
    return Mean(space) if isinstance(space, spaces.Box) else Mode(space)


def look(tally: Tally, oracle: Any, num_envs: int) -> bool:
    """Add what the oracle says about a batch; False if nothing in it has the form of an action."""
    if isinstance(tally, dict):
        told = oracle if isinstance(oracle, Mapping) else {}
        looks = {key: look(part, told.get(key), num_envs) for key, part in tally.items()}
        return any(looks.values())
    if oracle is None or isinstance(oracle, Mapping):
        return False
    values = np.asarray(oracle)
    fits = values.shape == (num_envs, *(tally.space.shape or ())) and values.dtype.kind in "iubf"
    return fits and tally.add(values)


def best_constant(tally: Tally, otherwise: Any) -> Any:
    """The best constant action; ``otherwise`` where nothing was added."""
    if isinstance(tally, dict):
        return {key: best_constant(part, otherwise[key]) for key, part in tally.items()}
    return tally.best() if tally.count else otherwise
