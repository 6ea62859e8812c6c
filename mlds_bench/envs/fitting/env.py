"""The environment of homework 1-1: given x, say y."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box

from mlds_bench.common.settings import make_settings
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome, Split
from mlds_bench.envs.fitting.data import evaluation_grid, training_points
from mlds_bench.envs.fitting.specs import BOUND, Array, Settings
from mlds_bench.envs.recorders import StepRecorder
from mlds_bench.envs.streams import Indices, Streams
from mlds_bench.envs.visits import golden_stride


class FunctionFitting(BatchedEnv):
    """Fit a function of one or two variables: given x, say y.

    Observation: x, Box (d,) float64 in [0, 1]; d = 2 for ``product``, else 1. In ``train`` it is
    drawn, independently and uniformly, from a fixed grid of ``points`` points of (0, 1]^d. In
    ``test`` instance i sees the points of a grid of ``test_points`` cells, moved by a random offset
    within the cell: first point i, then point i plus multiples of a stride that visits them all, so
    that ``test_points`` instances see the whole grid in every episode.

    Action: y, Box (1,) float64 in [-2, 2].

    Reward: -(y - f(x))^2, float64, in squared units of f. In ``train`` f(x) is the label, its noise
    included; in ``test`` it is the function itself.

    Oracle: the label f(x), (1,) float64; with ``noise`` > 0, plus a normal number of that standard
    deviation, fixed for each training point by the seed.

    Feedback: none.

    End of episode: every step terminates; an episode is one decision.

    Scores: ``log10_mse`` (primary; lower is better), ``sup_error``, ``pieces`` and, where the
    optimum is known, ``optimum_distance``; see `mlds_bench.envs.fitting.scoring`.

    Source: NTU "Machine Learning and Having It Deep and Structured" 2018, homework 1-1, part 1, and
    the lectures on why deep structures; targets in `mlds_bench.envs.fitting.specs`.

    Args:
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.
        render_mode: None; there is nothing to render.
        max_episode_steps: after which an episode is truncated; None for the end above alone.
        **settings: ``target``, ``degree``, ``coefficients``, ``points``, ``noise``,
            ``test_points``; see `mlds_bench.envs.fitting.specs.Settings`.

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
        self.settings = make_settings(Settings, settings)
        self.target = self.settings.make_target()
        dimension = self.target.dimension
        super().__init__(
            Box(0.0, 1.0, (dimension,), np.float64),
            Box(-BOUND, BOUND, (1,), np.float64),
            num_envs=num_envs,
            split=split,
            seed=seed,
            render_mode=render_mode,
            max_episode_steps=max_episode_steps,
        )
        self._train_points = training_points(self.settings.points, dimension)
        self._stride = golden_stride(self.settings.test_points)
        self._all = np.arange(num_envs)
        self._x = np.zeros((num_envs, dimension))
        self._label = np.zeros((num_envs, 1))
        self._known: Streams | None = None

    def make_recorder(self) -> StepRecorder:
        """Points, predictions and true values are all that scores need."""
        return StepRecorder(("observation", "action", "oracle"))

    def draw(self, mask: Flags) -> None:
        """A new point in the instances where ``mask`` (N,) is True."""
        if self._known is not self.streams:
            self._known, self._all = self.streams, self.streams.everyone
            self._make_table()
        ids = self._all if mask.all() else np.flatnonzero(mask)
        rows = self._next_rows(ids)
        if ids is self._all:
            self._x, self._label = self._points.take(rows, axis=0), self._labels.take(rows, axis=0)
        else:
            self._x[ids], self._label[ids] = self._points[rows], self._labels[rows]

    def observe(self) -> Array:
        """The points x, (N, d) float64."""
        return self._x.copy()

    def advance(self, actions: Array) -> Outcome:
        """The negative squared errors; every episode ends."""
        error = actions[:, 0] - self._label[:, 0]
        reward = np.negative(np.multiply(error, error, out=error), out=error)
        return reward, np.ones(self.num_envs, np.bool_), np.zeros(self.num_envs, np.bool_)

    def oracle(self) -> Array:
        """The labels, (N, 1) float64."""
        return self._label.copy()

    def _make_table(self) -> None:
        """The points of this split and their labels, which the seed of the reset decides."""
        if self.split == "train":
            self._points = self._train_points
            noise = self.streams.shared("label noise").standard_normal(len(self._points))
            labels = self.target.function(self._points) + self.settings.noise * noise
        else:
            offset = self.streams.shared("test grid").random(self.target.dimension)
            self._points = evaluation_grid(self.settings.test_points, self.target.dimension, offset)
            labels = self.target.function(self._points)
            self._visit = self._all % self.settings.test_points
        self._labels = labels[:, None]

    def _next_rows(self, ids: Indices) -> npt.NDArray[np.int64]:
        if self.split == "train":
            return self.streams.integers(ids, len(self._points), 1)[:, 0]
        rows = self._visit[ids]
        self._visit[ids] = (rows + self._stride) % self.settings.test_points
        return rows
