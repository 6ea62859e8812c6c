"""Scores of a classifier, from its answers to the deck of a test.

- ``test_accuracy``: share of the held-out images answered by their class; of a new domain, where
  there is one.
- ``train_accuracy``: share of the training images in the deck answered by the label trained on,
  corrupted or not.
- ``gap``: train_accuracy - test_accuracy.
- ``test_cross_entropy``: mean of -log of the probability of the true class over the held-out
  images, in nats; only where the agent offers probabilities. Weights are divided by their sum (all
  zeros count as uniform), and none counts as less than `SMALLEST_PROBABILITY`.
- ``clean_accuracy``, ``corrupted_accuracy``: with label noise between 0 and 1, the training images
  whose label is the true one, and those whose label is another, answered by the label trained on.
- ``old_domain_accuracy``: with a new domain, the accuracy on the held-out images as they were.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from mlds_bench.envs.classification.data import HELD_OUT, OLD_DOMAIN, TRAINED_ON
from mlds_bench.envs.classification.specs import CLASSES, Settings
from mlds_bench.envs.core import Recorder

SMALLEST_PROBABILITY = 1e-7
"""Below it a float32 softmax is rounding; a confident mistake costs at most 16.1 nats."""


def classes_said(action: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """The classes (n,) of actions (n,), or of weights (n, 10): the largest, of equals the first."""
    return action.argmax(axis=1) if action.ndim == 2 else action


def score(recording: Recorder, settings: Settings) -> dict[str, float]:
    """Scores of the recorded answers.

    Args:
        recording: of the test split.
        settings: of the environment.
    """
    arrays = recording.arrays()
    hidden: Mapping[str, npt.NDArray[np.int64]] = arrays["oracle"]
    part, label = hidden["part"], hidden["labels"]
    is_right = classes_said(arrays["action"]) == label
    is_trained, is_clean = part == TRAINED_ON, label == hidden["truth"]
    asked = {
        "test_accuracy": part == HELD_OUT,
        "train_accuracy": is_trained,
        "old_domain_accuracy": part == OLD_DOMAIN,
    }
    if 0.0 < settings.label_noise < 1.0:
        asked["clean_accuracy"] = is_trained & is_clean
        asked["corrupted_accuracy"] = is_trained & ~is_clean
    scores = {name: float(is_right[mask].mean()) for name, mask in asked.items() if mask.any()}
    if scores.keys() >= {"test_accuracy", "train_accuracy"}:
        scores["gap"] = scores["train_accuracy"] - scores["test_accuracy"]
    mask = asked["test_accuracy"]
    if settings.probabilities and mask.any():
        scores["test_cross_entropy"] = cross_entropy(arrays["action"][mask], label[mask])
    return scores


def cross_entropy(weights: npt.NDArray[Any], labels: npt.NDArray[np.int64]) -> float:
    """Mean of -log p(label), in nats.

    Args:
        weights: (n, 10) of the classes, at least 0; a row need not sum to 1.
        labels: (n,).
    """
    total = weights.sum(axis=1, dtype=np.float64)
    weight = weights[np.arange(len(labels)), labels].astype(np.float64)
    share = np.divide(weight, total, out=np.full(len(labels), 1.0 / CLASSES), where=total > 0.0)
    return float(-np.log(np.maximum(share, SMALLEST_PROBABILITY)).mean()) + 0.0
