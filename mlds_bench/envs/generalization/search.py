"""Hyper-parameter search: try settings, be told validation accuracies, keep the best."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

from mlds_bench.common.settings import make_settings
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome, Split
from mlds_bench.envs.generalization.data import Array, blocks
from mlds_bench.envs.generalization.specs import NINTHS, HyperparameterSearchSettings
from mlds_bench.envs.recorders import EndRecorder, Indices

Observation: TypeAlias = dict[str, npt.NDArray[np.float32]]
Whole: TypeAlias = npt.NDArray[np.int64]


class HyperparameterSearch(BatchedEnv):
    """Find good hyper-parameters within a budget of trainings: try a setting, for so long.

    An episode plays on a block of the zoo: every setting of a full factorial was trained on the
    same images, a share of whose labels is wrong. ``train`` has blocks of digits and
    of MNIST, ``test`` of Fashion-MNIST, with other levels of width, batch size, learning rate and
    regularization (`generalization.zoo.grid`). Every episode validates on other images: so many
    folds of 16, drawn at random.

    Observation: Dict of float32 Boxes, with one row for each of at most T = 9 ``trainings`` tries,
    in their order, zeros after the last: ``settings`` (T, 7), the level of every axis from 0 to 1;
    ``fidelity`` (T,), the share of the training that was paid, 0 for no try; ``accuracy`` (T,), the
    validation accuracy. And ``budget_left`` (1,), its share.

    Action: MultiDiscrete([2, 2, 2, 2, 3, 3, 3, 3]), int64: the levels of width, depth, activation,
    normalization, batch size, learning rate and regularization, and the fidelity: 0 trains a ninth
    of the epochs, 1 a third, 2 all. The budget pays as much; what it no longer covers is trained as
    long as it can be.

    Reward: the rise of the best validation accuracy of a whole training told so far, float64; it
    starts at 0. Shorter trainings pay nothing: they only tell.

    Oracle: the test accuracies of all settings after the whole training, (2, 2, 2, 2, 3, 3, 3)
    float64.

    Feedback: none.

    End of episode: ``terminated`` when the budget is spent; ``truncated`` never, but for
    ``max_episode_steps``.

    Scores: ``regret`` (primary; lower is better), ``top_tenth``, ``tries``; see
    `mlds_bench.envs.generalization.scoring`.

    Source: NTU "Machine Learning and Having It Deep and Structured" 2018, homework 1-3, and the
    lecture on tuning hyper-parameters; Bergstra and Bengio 2012, "Random search for hyper-parameter
    optimization".

    Args:
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.
        render_mode: None; there is nothing to render.
        max_episode_steps: after which an episode is truncated; None for the end above alone.
        **settings: ``trainings``, ``folds``; see
            `mlds_bench.envs.generalization.specs.HyperparameterSearchSettings`.

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
        self.settings = make_settings(HyperparameterSearchSettings, settings)
        self._shape = blocks("train")[0].shape
        self._budget = NINTHS[-1] * self.settings.trainings
        super().__init__(
            observation_space(self._budget, len(self._shape)),
            spaces.MultiDiscrete([*self._shape, len(NINTHS)]),
            num_envs=num_envs,
            split=split,
            seed=seed,
            render_mode=render_mode,
            max_episode_steps=max_episode_steps,
        )
        self._blocks = blocks(split)
        self._right = np.stack([block.right for block in self._blocks])
        self._fold_images = np.array([block.fold_images for block in self._blocks])
        self._test = np.stack([block.accuracy for block in self._blocks])
        self._block = np.zeros(num_envs, np.int64)
        self._folds = np.zeros((num_envs, self.settings.folds), np.int64)
        self._tried = np.zeros((num_envs, self._budget, len(self._shape)), np.float32)
        self._paid = np.zeros((num_envs, self._budget), np.float32)
        self._told = np.zeros((num_envs, self._budget), np.float32)
        self._left = np.zeros(num_envs, np.int64)
        self._tries = np.zeros(num_envs, np.int64)
        self._best = np.zeros(num_envs)
        self._standing = np.full(num_envs, -1.0)
        self._chosen = np.zeros(num_envs, np.int64)

    def make_recorder(self) -> EndRecorder:
        """Scores need the test accuracies of the choice and of its block."""
        return EndRecorder((), self._ends)

    def draw(self, mask: Flags) -> None:
        """Another block and other folds where ``mask`` (N,) is True."""
        ids = np.flatnonzero(mask)
        self._block[ids] = self.streams.integers(ids, len(self._blocks), 1)[:, 0]
        order = self.streams.uniform(ids, self._right.shape[-1]).argsort(1, kind="stable")
        self._folds[ids] = order[:, : self.settings.folds]
        for array in (self._tried, self._paid, self._told, self._tries, self._best):
            array[ids] = 0
        self._chosen[ids], self._standing[ids] = -1, -1.0
        self._left[ids] = self._budget

    def observe(self) -> Observation:
        """All tries so far, (N, ...) float32."""
        return {
            "settings": self._tried.copy(),
            "fidelity": self._paid.copy(),
            "accuracy": self._told.copy(),
            "budget_left": (self._left[:, None] / self._budget).astype(np.float32),
        }

    def advance(self, actions: Whole) -> Outcome:
        """Try one setting in every instance."""
        everyone, levels = np.arange(len(actions)), actions[:, :-1]
        setting = np.ravel_multi_index(tuple(levels.T), self._shape)
        rung = np.minimum(actions[:, -1], covered(self._left))
        accuracy = self._validate(setting, rung)
        paid = np.array(NINTHS)[rung]
        self._tried[everyone, self._tries] = levels / (np.array(self._shape) - 1.0)
        self._paid[everyone, self._tries] = paid / NINTHS[-1]
        self._told[everyone, self._tries] = accuracy
        self._tries += 1
        self._left -= paid
        is_whole = rung == len(NINTHS) - 1
        reward = np.where(is_whole, np.maximum(accuracy - self._best, 0.0), 0.0)
        self._best += reward
        standing = rung + accuracy / 2.0  # a longer training always counts more
        better = standing > self._standing
        self._standing[better], self._chosen[better] = standing[better], setting[better]
        return reward, self._left == 0, np.zeros(len(actions), np.bool_)

    def narrow(self, mask: Flags) -> None:
        """Drop the instances where ``mask`` (N,) is False."""
        names = ("block", "folds", "tried", "paid", "told", "left", "tries")
        for name in (*names, "best", "standing", "chosen"):
            setattr(self, f"_{name}", getattr(self, f"_{name}")[mask])

    def oracle(self) -> Array:
        """The test accuracies (N, *levels) float64 of all settings."""
        return self._test[self._block].reshape(-1, *self._shape)

    def _validate(self, setting: Whole, rung: Whole) -> Array:
        """Accuracies (N,) on the folds of the episodes."""
        right = self._right[self._block, setting, rung]
        counted = np.take_along_axis(right, self._folds, 1).sum(1)
        accuracy: Array = counted / (self._fold_images[self._block] * self.settings.folds)
        return accuracy

    def _ends(self, rows: Indices) -> dict[str, Any]:
        block = self._test[self._block[rows]]
        accuracy = np.take_along_axis(block, self._chosen[rows, None], 1)
        return {
            "regret": block.max(1) - accuracy[:, 0],
            "rank": (block > accuracy).sum(1) + 1,
            "settings": np.full(len(rows), block.shape[1]),
            "tries": self._tries[rows].copy(),
        }


def observation_space(most_tries: int, axes: int) -> spaces.Dict:
    """The space of one instance."""
    shapes = {
        "settings": (most_tries, axes),
        "fidelity": (most_tries,),
        "accuracy": (most_tries,),
        "budget_left": (1,),
    }
    return spaces.Dict(
        {name: spaces.Box(0.0, 1.0, shape, np.float32) for name, shape in shapes.items()}
    )


def covered(left: Whole) -> Whole:
    """The longest rung (N,) that so many ninths pay for; at least 0."""
    rungs: Whole = np.searchsorted(NINTHS, left, side="right") - 1
    return np.maximum(rungs, 0)
