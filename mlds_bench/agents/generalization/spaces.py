"""What the agents of this room require of the spaces, and how they read them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from mlds_bench.agents.base import Unsupported

Observation: TypeAlias = Mapping[str, npt.NDArray[np.float32]]
Array: TypeAlias = npt.NDArray[np.float64]
Whole: TypeAlias = npt.NDArray[np.int64]

BESIDES = ("decisions_left", "placed", "revealed")
"""What a model selection shows besides the probes."""
HISTORY = ("accuracy", "budget_left", "fidelity", "settings")
"""What a hyper-parameter search shows."""


@dataclass(frozen=True)
class Selection:
    """A model selection, as its spaces tell it.

    Attributes:
        probes: their names, in the order of the actions.
        networks: among which one is chosen.
    """

    probes: tuple[str, ...]
    networks: int

    def revealing(self, network: Any, probe: Any) -> Any:
        """Number of the action that reveals a probe of a network; arrays broadcast."""
        return np.asarray(network) * len(self.probes) + probe

    def choosing(self, network: Any) -> Any:
        """Number of the action that chooses a network."""
        return self.networks * len(self.probes) + np.asarray(network)

    def index(self, probe: str) -> int:
        """Place of a probe among the actions of a network."""
        return self.probes.index(probe)


def selection(
    agent: str, observations: gymnasium.Space[Any], actions: gymnasium.Space[Any]
) -> Selection:
    """Read the spaces of a model selection.

    Raises:
        Unsupported: they are no such spaces; one line.
    """
    if isinstance(observations, spaces.Dict) and isinstance(actions, spaces.Discrete):
        names = tuple(name for name in observations.spaces if name not in BESIDES)
        shape = getattr(observations.spaces.get("revealed"), "shape", None) or (0, 0)
        if shape[1:] == (len(names),) and actions.n == shape[0] * (len(names) + 1):
            return Selection(names, shape[0])
    raise Unsupported(
        f"{agent} selects among networks by their probes: choose hw1-3/model-selection"
    )


@dataclass(frozen=True)
class Search:
    """A hyper-parameter search, as its spaces tell it.

    Attributes:
        levels: of every axis.
        rungs: fidelities, the last one is the whole training.
        most_tries: T, tries of the lowest fidelity that the budget pays.
    """

    levels: tuple[int, ...]
    rungs: int
    most_tries: int

    def tries(self, obs: Observation) -> Whole:
        """(N,) how many tries there were."""
        count: Whole = np.count_nonzero(obs["fidelity"], axis=1)
        return count

    def tried(self, obs: Observation) -> Whole:
        """(N, T, axes) levels of the tries, 0 after the last."""
        span = np.maximum(np.array(self.levels) - 1, 1)
        tried: Whole = np.rint(obs["settings"] * span).astype(np.int64)
        return tried

    def action(self, levels: Whole, rung: Any) -> Whole:
        """Actions (N, axes + 1) from levels (N, axes) and one rung for all or one each."""
        rungs = np.broadcast_to(np.asarray(rung), levels.shape[:1])
        return np.concatenate([levels, rungs[:, None]], axis=1).astype(np.int64)


def search(agent: str, observations: gymnasium.Space[Any], actions: gymnasium.Space[Any]) -> Search:
    """Read the spaces of a hyper-parameter search.

    Raises:
        Unsupported: they are no such spaces; one line.
    """
    if isinstance(observations, spaces.Dict) and isinstance(actions, spaces.MultiDiscrete):
        shape: tuple[int, ...] = getattr(observations.spaces.get("settings"), "shape", None) or ()
        *levels, rungs = actions.nvec.tolist()
        if set(observations.spaces) == set(HISTORY) and shape[1:] == (len(levels),):
            return Search(tuple(levels), rungs, shape[0])
    raise Unsupported(f"{agent} tries hyper-parameters: choose hw1-3/hyperparameter-search")
