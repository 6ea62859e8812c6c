"""The scores against literals, and in the right direction."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import log_loss

from mlds_bench.envs.classification.env import Classification
from mlds_bench.envs.classification.scoring import cross_entropy, score
from mlds_bench.envs.classification.specs import CLASSES, Settings
from mlds_bench.envs.recorders import StepRecorder
from tests.envs.recorded import step_of


def recorded(action: Any, labels: Any, part: Any, truth: Any = None) -> StepRecorder:
    """A test of these answers."""
    recorder = StepRecorder(("action", "oracle"))
    recorder.start(len(labels))
    hidden = {
        "labels": np.array(labels),
        "truth": np.array(labels if truth is None else truth),
        "part": np.array(part),
        "row": np.arange(len(labels)),
    }
    recorder.show(None, lambda: hidden)
    recorder.step(step_of(range(len(labels)), action=np.array(action)))
    return recorder


def test_the_parts_are_scored_apart() -> None:
    """Three held out (one right), two trained on (both right), the gap between."""
    recording = recorded([1, 2, 3, 4, 5], [1, 0, 0, 4, 5], [0, 0, 0, 1, 1])
    assert score(recording, Settings()) == pytest.approx(
        {"test_accuracy": 1 / 3, "train_accuracy": 1.0, "gap": 2 / 3}
    )


def test_corrupted_labels_are_scored_as_they_were_trained() -> None:
    """With partial noise also the clean and the corrupted part of the training images."""
    recording = recorded([1, 2, 3, 4, 0], [1, 2, 9, 4, 5], [1, 1, 1, 1, 0], truth=[1, 7, 3, 4, 5])
    scores = score(recording, Settings(label_noise=0.4))
    assert scores == pytest.approx(
        {
            "test_accuracy": 0.0,
            "train_accuracy": 3 / 4,
            "gap": 3 / 4,
            "clean_accuracy": 1.0,
            "corrupted_accuracy": 1 / 2,
        }
    )
    assert "clean_accuracy" not in score(recording, Settings(label_noise=1.0))


def test_a_new_domain_is_the_test() -> None:
    """What the same images scored before they changed stands beside it."""
    recording = recorded([1, 1, 1, 1], [1, 0, 1, 1], [0, 0, 2, 2])
    scores = score(recording, Settings(shift="rotated"))
    assert scores == {"test_accuracy": 0.5, "old_domain_accuracy": 1.0}


def test_cross_entropy_agrees_with_scikit_learn() -> None:
    """On random probabilities, as float32."""
    generator = np.random.default_rng(0)
    weights = generator.dirichlet(np.ones(CLASSES), 50).astype(np.float32)
    labels = generator.integers(CLASSES, size=50)
    exact = weights.astype(np.float64)
    shares = exact / exact.sum(axis=1, keepdims=True)
    expected = log_loss(labels, shares, labels=range(CLASSES))
    assert cross_entropy(weights, labels) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize(
    ("weights", "value"),
    [
        ([1.0] + [0.0] * 9, 0.0),
        ([0.5] + [0.0] * 9, 0.0),
        ([0.2] * 10, math.log(10)),
        ([0.0] * 10, math.log(10)),
        ([0.0, 1.0] + [0.0] * 8, -math.log(1e-7)),
    ],
)
def test_weights_need_not_sum_to_one(weights: list[float], value: float) -> None:
    """Certain and right, scaled, uniform, nothing said, certain and wrong."""
    assert cross_entropy(np.array([weights], np.float32), np.array([0])) == pytest.approx(value)


def test_scores_move_in_their_direction() -> None:
    """Right answers, then more and more of them shifted: accuracy falls, cross-entropy rises."""
    path = []
    for share in (0.0, 0.3, 1.0):
        env = Classification(num_envs=750, split="test", seed=0, probabilities=True)
        env.reset()
        labels = env.oracle()["labels"]
        wrong = np.arange(750) < share * 750
        answer = np.full((750, CLASSES), 0.01, np.float32)
        answer[np.arange(750), np.where(wrong, (labels + 1) % CLASSES, labels)] = 0.9
        env.step(answer)
        path.append(env_scores(env))
    accuracy, entropy = zip(*path, strict=True)
    assert accuracy[0] == 1.0 > accuracy[1] > accuracy[2] == 0.0
    assert entropy[0] < entropy[1] < entropy[2]


def env_scores(env: Classification) -> tuple[float, float]:
    scores = score(env.recording, env.settings)
    return scores["test_accuracy"], scores["test_cross_entropy"]


def test_one_answer_for_all_is_chance() -> None:
    """A collapsed classifier scores the share of its class."""
    env = Classification(num_envs=750, split="test", seed=0)
    env.reset()
    env.step(np.full(750, 3))
    assert score(env.recording, env.settings)["test_accuracy"] == pytest.approx(0.1, abs=0.03)
