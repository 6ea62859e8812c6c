"""Scores of both environments, from how the episodes of a test ended.

`ModelSelection`:

- ``regret``: best test accuracy of the eight minus that of the first choice, mean over episodes; an
  episode without a choice counts as the worst of the eight.
- ``kendall_tau``: rank correlation of the order of the choices with the test accuracies, mean over
  episodes. Networks that were not chosen come last, all alike; pairs that are alike in the order or
  in accuracy do not count (Goodman and Kruskal 1954: gamma), and an order without any pair is 0.
- ``cost``: what the reveals cost, in test accuracy, mean over episodes.

`HyperparameterSearch`; the choice of an episode is the setting with the highest validation accuracy
told after a whole training (after the longest, where none was whole), the first of equals. It is
judged by its test accuracy after the whole training:

- ``regret``: best test accuracy of the block minus that of the choice, mean over episodes.
- ``top_tenth``: share of episodes whose choice is among the best tenth of its block.
- ``tries``: mean number of tries.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from mlds_bench.envs.core import Recorder
from mlds_bench.envs.generalization.data import Array
from mlds_bench.envs.generalization.specs import (
    HyperparameterSearchSettings,
    ModelSelectionSettings,
)

TOP = 0.1


def score(
    recording: Recorder, settings: ModelSelectionSettings | HyperparameterSearchSettings
) -> dict[str, float]:
    """Scores of the recorded ends.

    Args:
        recording: of the test split.
        settings: of the environment.
    """
    ends = recording.arrays()
    if isinstance(settings, ModelSelectionSettings):
        return selection_scores(ends)
    return search_scores(ends)


def selection_scores(ends: dict[str, Any]) -> dict[str, float]:
    """Scores of `ModelSelection` from ``place`` and ``accuracy`` (E, 8) and ``cost`` (E,)."""
    return {
        "regret": float(regret(ends["place"], ends["accuracy"]).mean()),
        "kendall_tau": float(kendall_tau(ends["place"], ends["accuracy"]).mean()),
        "cost": float(ends["cost"].mean()),
    }


def search_scores(ends: dict[str, Any]) -> dict[str, float]:
    """Scores of `HyperparameterSearch` from ``regret``, ``rank``, ``settings``, ``tries`` (E,)."""
    is_top = ends["rank"] <= TOP * ends["settings"]
    return {
        "regret": float(ends["regret"].mean()),
        "top_tenth": float(is_top.mean()),
        "tries": float(ends["tries"].mean()),
    }


def regret(place: Any, accuracy: Array) -> Array:
    """Best accuracy minus that of the network in place 1, or the worst if there is none, (E,).

    Args:
        place: (E, 8) whole numbers from 1, 0 for a network that was not chosen.
        accuracy: (E, 8).
    """
    first = np.where(place == 1, accuracy, np.inf).min(1)
    chosen = np.where(np.isfinite(first), first, accuracy.min(1))
    difference: Array = accuracy.max(1) - chosen
    return difference


def kendall_tau(place: Any, accuracy: Array) -> Array:
    """(Concordant - discordant) / (both) over the pairs that order and accuracy decide, (E,).

    Args:
        place: (E, n) whole numbers from 1, 0 for a network that was not chosen: it comes last.
        accuracy: (E, n).
    """
    rank = np.where(place == 0, place.shape[1] + 1, place)
    first, second = np.triu_indices(place.shape[1], 1)
    agreement = np.sign(rank[:, second] - rank[:, first]) * np.sign(
        accuracy[:, first] - accuracy[:, second]
    )
    decided = np.abs(agreement).sum(1)
    tau: Array = agreement.sum(1) / np.maximum(decided, 1)
    return tau
