"""Model selection: eight networks fit their data; which of them does best on other data?"""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from mlds_bench.common.settings import make_settings
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome, Split
from mlds_bench.envs.generalization.data import Array, candidates
from mlds_bench.envs.generalization.specs import (
    BOUND,
    CANDIDATES,
    PROBES,
    ModelSelectionSettings,
)
from mlds_bench.envs.recorders import EndRecorder, Indices

Observation: TypeAlias = dict[str, npt.NDArray[np.float32]]
Whole: TypeAlias = npt.NDArray[np.int64]

REVEALS = CANDIDATES * len(PROBES)
"""Actions below this reveal a probe; the others choose a network."""


class ModelSelection(BatchedEnv):
    """Choose the trained network that does best on unseen images: probe one, or choose one.

    An episode shows eight networks that were trained on the same images and classify at least 99 %
    of them as they are labelled; labels may be wrong in part. ``train`` shows networks of
    digits and of MNIST, ``test`` those of Fashion-MNIST, of other widths, batch sizes, learning
    rates, regularization strengths and shares of wrong labels (`generalization.zoo.grid`).

    Observation: Dict of float32 Boxes. Under the name of each probe (8,), its value for each
    network, or log10 of it, in deviations from the mean over the networks of ``train``, clipped to
    [-10, 10]; 0 where it is not revealed. ``revealed`` (8, 13), 1 where a probe is revealed, its
    columns in the order of the names; ``placed`` (8,), 1 / place of the networks chosen so far, 0
    for the others; ``decisions_left`` (1,), their share.

    Action: Discrete(112), int64. 13 i + j reveals probe j of network i; 104 + i chooses network i.
    To choose a network again does nothing; to reveal a probe again costs again.

    Reward: float64, in test accuracy. A reveal costs what `generalization.specs.PROBES` says times
    ``cost_factor``. The first choice pays its test accuracy minus the best of the eight; later ones
    only rank and pay 0. An episode that ends without a choice pays the worst of the eight minus the
    best.

    Oracle: the test accuracies of the eight, (8,) float64.

    Feedback: none.

    End of episode: ``terminated`` when ``places`` networks are chosen; ``truncated`` after
    ``decisions`` decisions.

    Scores: ``regret`` (primary; lower is better), ``kendall_tau``, ``cost``; see
    `mlds_bench.envs.generalization.scoring`.

    Source: NTU "Machine Learning and Having It Deep and Structured" 2018, homework 1-3, and the
    lectures on generalization; Jiang et al. 2020, "Fantastic generalization measures".

    Args:
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.
        render_mode: None; there is nothing to render.
        max_episode_steps: after which an episode is truncated; None for the end above alone.
        **settings: ``places``, ``decisions``, ``cost_factor``; see
            `mlds_bench.envs.generalization.specs.ModelSelectionSettings`.

    Raises:
        ValueError: one line that names the argument, its value and its bound.
    """

    def __init__(
        self,
        *,
        num_envs: int = 1,
        split: Split = "train",
        seed: int | None = None,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **settings: Any,
    ) -> None:
        self.settings = make_settings(ModelSelectionSettings, settings)
        super().__init__(
            observation_space(),
            spaces.Discrete(REVEALS + CANDIDATES),
            num_envs=num_envs,
            split=split,
            seed=seed,
            render_mode=render_mode,
            max_episode_steps=max_episode_steps,
        )
        self._zoo = candidates(split)
        self._costs = np.array([probe.cost for probe in PROBES.values()])
        self._costs *= self.settings.cost_factor
        self._values = np.zeros((num_envs, CANDIDATES, len(PROBES)))
        self._accuracy = np.zeros((num_envs, CANDIDATES))
        self._revealed = np.zeros((num_envs, CANDIDATES, len(PROBES)), np.bool_)
        self._place = np.zeros((num_envs, CANDIDATES), np.int64)
        self._spent = np.zeros(num_envs)
        self._used = np.zeros(num_envs, np.int64)

    def make_recorder(self) -> EndRecorder:
        """Scores need the order of the choices, the accuracies and the costs."""
        return EndRecorder((), self._ends)

    def draw(self, mask: Flags) -> None:
        """Eight other networks where ``mask`` (N,) is True."""
        ids = np.flatnonzero(mask)
        sets = self.streams.integers(ids, len(self._zoo), 1)[:, 0]
        uniform = self.streams.uniform(ids, 2 * CANDIDATES)
        for number, zoo in enumerate(self._zoo):
            there = sets == number
            rows = drawn_without_replacement(uniform[there], len(zoo.accuracy))
            self._values[ids[there]] = zoo.probes[rows]
            self._accuracy[ids[there]] = zoo.accuracy[rows]
        for array in (self._revealed, self._place, self._spent, self._used):
            array[ids] = 0

    def observe(self) -> Observation:
        """What is revealed, (N, ...) float32."""
        shown = np.where(self._revealed, self._values, 0.0).astype(np.float32)
        place = np.maximum(self._place, 1)
        left = 1.0 - self._used[:, None] / self.settings.decisions
        return {
            **{name: shown[:, :, index].copy() for index, name in enumerate(PROBES)},
            "revealed": self._revealed.astype(np.float32),
            "placed": np.where(self._place > 0, 1.0 / place, 0.0).astype(np.float32),
            "decisions_left": left.astype(np.float32),
        }

    def advance(self, actions: Whole) -> Outcome:
        """Reveal or choose, one thing in every instance."""
        self._used += 1
        reward = np.zeros(len(actions))
        reveals = np.flatnonzero(actions < REVEALS)
        network, probe = np.divmod(actions[reveals], len(PROBES))
        self._revealed[reveals, network, probe] = True
        self._spent[reveals] += self._costs[probe]
        reward[reveals] = -self._costs[probe]
        best = self._accuracy.max(1)
        self._choose(np.flatnonzero(actions >= REVEALS), actions - REVEALS, reward, best)
        chosen = self._place.max(1)
        terminated = chosen >= self.settings.places
        truncated = ((self._used >= self.settings.decisions) | self.out_of_time) & ~terminated
        idle = truncated & (chosen == 0)
        reward[idle] += (self._accuracy.min(1) - best)[idle]
        return reward, terminated, truncated

    def narrow(self, mask: Flags) -> None:
        """Drop the instances where ``mask`` (N,) is False."""
        for name in ("_values", "_accuracy", "_revealed", "_place", "_spent", "_used"):
            setattr(self, name, getattr(self, name)[mask])

    def oracle(self) -> Array:
        """The test accuracies of the eight, (N, 8) float64."""
        return self._accuracy.copy()

    def _choose(self, rows: Indices, network: Whole, reward: Array, best: Array) -> None:
        """Give the next place where the network has none; the first one is paid."""
        rows = rows[self._place[rows, network[rows]] == 0]
        chosen = network[rows]
        place = self._place[rows].max(1) + 1
        self._place[rows, chosen] = place
        reward[rows] = np.where(place == 1, self._accuracy[rows, chosen] - best[rows], 0.0)

    def _ends(self, rows: Indices) -> dict[str, Any]:
        return {
            "place": self._place[rows].copy(),
            "accuracy": self._accuracy[rows].copy(),
            "cost": self._spent[rows].copy(),
        }


def observation_space() -> spaces.Dict:
    """The space of one instance."""
    share = {"revealed": (CANDIDATES, len(PROBES)), "placed": (CANDIDATES,), "decisions_left": (1,)}
    return spaces.Dict(
        {
            **{name: spaces.Box(-BOUND, BOUND, (CANDIDATES,), np.float32) for name in PROBES},
            **{name: spaces.Box(0.0, 1.0, shape, np.float32) for name, shape in share.items()},
        }
    )


def drawn_without_replacement(uniform: Array, size: int) -> Whole:
    """Rows (K, 8) of ``size``, all different, in random order; uniform is (K, 16) in [0, 1).

    Floyd's algorithm (Bentley and Floyd 1987, "A sample of brilliance"), then a shuffle.
    """
    rows = np.full((len(uniform), CANDIDATES), -1)
    for place in range(CANDIDATES):
        top = size - CANDIDATES + place
        drawn = np.floor(uniform[:, place] * (top + 1)).astype(np.int64)
        is_taken = (rows == drawn[:, None]).any(1)
        rows[:, place] = np.where(is_taken, top, drawn)
    order = uniform[:, CANDIDATES:].argsort(1, kind="stable")
    return np.take_along_axis(rows, order, 1)
