"""Searches without a model: a grid, random tries, and successive halving."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from mlds_bench.agents.base import Agent
from mlds_bench.agents.generalization.spaces import Observation, Search, Whole, search
from mlds_bench.envs.streams import derive

ETA = 3
"""Of so many settings one goes on to the next rung, which costs so many times as much."""


class SearchAgent(Agent):
    """Base: reads the spaces, and has a generator of its own that is saved and loaded."""

    def prepare(self) -> None:
        """Read the spaces and seed the generator."""
        name = type(self).__name__
        self._search: Search = search(name, self.observation_space, self.action_space)
        self._generator = np.random.default_rng(derive(self.seed, name))

    @property
    def trainings(self) -> int:
        """Whole trainings that the budget pays: a ninth of the tries at a ninth."""
        return int(self._search.most_tries // ETA ** (self._search.rungs - 1))

    def random_levels(self, count: int) -> Whole:
        """Levels (count, axes), uniform."""
        return self._generator.integers(self._search.levels, size=(count, len(self._search.levels)))

    def save(self, folder: Path) -> None:
        """Write the state of the generator, so that `load` continues with the same tries."""
        state = json.dumps(self._generator.bit_generator.state)
        (folder / "search.json").write_text(state, encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Read the state of the generator that `save` wrote."""
        state = (folder / "search.json").read_text(encoding="utf-8")
        self._generator.bit_generator.state = json.loads(state)


class RandomSettings(SearchAgent):
    """Uniform settings, each trained to the end (Bergstra and Bengio 2012)."""

    def act(self, obs: Any) -> Whole:
        """Settings (N, axes + 1) at full fidelity."""
        count = len(obs["fidelity"])
        return self._search.action(self.random_levels(count), self._search.rungs - 1)


class GridSearch(SearchAgent):
    """The coarse grid that the budget pays for, each setting trained to the end.

    From the first axis on, an axis gets its lowest and highest level as long as the grid stays
    within the budget; the others stay at their middle. Tries beyond the grid are random.
    """

    def prepare(self) -> None:
        """Lay out the grid."""
        super().prepare()
        self.grid = coarse_grid(self._search.levels, self.trainings)

    def act(self, obs: Any) -> Whole:
        """The next setting of the grid (N, axes + 1)."""
        tries = self._search.tries(obs)
        levels = self.random_levels(len(tries))
        within = tries < len(self.grid)
        levels[within] = self.grid[tries[within]]
        return self._search.action(levels, self._search.rungs - 1)


class SuccessiveHalving(SearchAgent):
    """Many settings for a ninth of a training, the best third of them for a third, and so on.

    Jamieson and Talwalkar 2016, "Non-stochastic best arm identification and hyperparameter
    optimization", with eta = 3; every rung gets the same share of the budget.
    """

    def prepare(self) -> None:
        """Count the tries of every rung."""
        super().prepare()
        first = self._search.most_tries // self._search.rungs
        self._sizes = [first // ETA**rung for rung in range(self._search.rungs)]

    def act(self, obs: Any) -> Whole:
        """Random settings, then the best of the rung before (N, axes + 1)."""
        seen: Observation = obs
        tries, tried = self._search.tries(seen), self._search.tried(seen)
        levels = self.random_levels(len(tries))
        rungs = np.full(len(tries), self._search.rungs - 1)
        begin, everyone = 0, np.arange(len(tries))
        for rung, size in enumerate(self._sizes):
            here = (tries >= begin) & (tries < begin + size)
            rungs[here] = rung
            if rung and here.any():
                before = slice(begin - self._sizes[rung - 1], begin)
                order = (-seen["accuracy"][:, before]).argsort(1, kind="stable")
                place = order[everyone, np.clip(tries - begin, 0, order.shape[1] - 1)]
                levels[here] = tried[:, before][everyone, place][here]
            begin += size
        return self._search.action(levels, rungs)


def coarse_grid(levels: tuple[int, ...], tries: int) -> Whole:
    """Settings (at most ``tries``, axes), the last axis fastest."""
    values = [[count // 2] for count in levels]
    size = 1
    for axis, count in enumerate(levels):
        if count > 1 and 2 * size <= tries:
            values[axis], size = [0, count - 1], 2 * size
    return np.array(list(product(*values)), dtype=np.int64)
