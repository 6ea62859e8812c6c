"""Nearest neighbors: scikit-learn's answers, each image once, ties to the nearer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from sklearn.neighbors import KNeighborsClassifier

from mlds_bench.agents.classification import knn
from mlds_bench.agents.classification.knn import KnnAgent
from tests.agents.classification.makers import images, learn, make_agent, scores


def taught(pixels: npt.ArrayLike, labels: npt.ArrayLike, **hyper: Any) -> KnnAgent:
    """An agent that knows these first pixels of images, black elsewhere."""
    agent = make_agent(KnnAgent, **hyper)
    agent._keep(pictures(pixels).reshape(-1, 64), np.asarray(labels, np.int64))
    return agent


def pictures(pixels: npt.ArrayLike) -> npt.NDArray[np.uint8]:
    shown = np.zeros((len(np.asarray(pixels)), 8, 8, 1), np.uint8)
    shown[:, 0, 0, 0] = pixels
    return shown


@pytest.mark.parametrize("k", [1, 5])
def test_votes_are_those_of_scikit_learn(k: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Shares of the votes, on real digits, in several parts."""
    (known, labels), (asked, _) = images(600), images(300, seed=1)
    agent = make_agent(KnnAgent, k=k)
    agent._keep(known.reshape(-1, 64), labels)
    monkeypatch.setattr(knn, "DISTANCES_AT_ONCE", 600 * 70)
    reference = KNeighborsClassifier(k, algorithm="brute")
    reference.fit(known.reshape(600, -1).astype(float), labels)
    expected = reference.predict_proba(asked.reshape(300, -1).astype(float))
    agree = np.abs(agent.act(asked) - expected).max(1) < 2e-3
    assert agree.mean() > 0.98  # equally far neighbors may be taken in another order


def test_shares_and_ties() -> None:
    """Two of three votes; one each goes to the nearest; fewer images than k all vote."""
    agent = taught([0, 10, 20, 200], [3, 5, 5, 7])
    assert agent.act(pictures([4])) == pytest.approx(
        np.eye(10)[[5]] * 2 / 3 + np.eye(10)[[3]] / 3, abs=1e-3
    )
    agent = taught([0, 10, 30], [9, 5, 2])
    assert agent.act(pictures([1, 9, 40])).argmax(1).tolist() == [9, 5, 2]
    agent = taught([0, 10], [9, 5], k=50)
    assert agent.act(pictures([9])).argmax(1).tolist() == [5]
    assert agent.act(pictures([9])).sum(1) == pytest.approx([1.0])


def test_without_any_image_it_has_no_opinion() -> None:
    """Every class is equally likely."""
    assert make_agent(KnnAgent).act(pictures([1, 2])) == pytest.approx(np.full((2, 10), 0.1))


def test_every_image_is_kept_once() -> None:
    """They come with replacement; after enough of them all 300 are known."""
    agent = make_agent(KnnAgent)
    env = learn(agent, 10_000, train_size=300)
    assert env.env_steps == 9216
    assert len(agent._labels) == 300
    assert scores(agent, train_size=300)["test_accuracy"] > 0.9


def test_the_first_neighbor_of_a_training_image_is_itself() -> None:
    """With k = 1 the training set is known by heart, corrupted labels included."""
    agent = make_agent(KnnAgent, k=1)
    learn(agent, 20_000, label_noise=0.5)
    said = scores(agent, label_noise=0.5)
    assert said["train_accuracy"] > 0.99
    assert said["test_accuracy"] < 0.7


def test_images_without_a_label_are_not_kept() -> None:
    """Half of the digits, where the others are of a new domain."""
    agent = make_agent(KnnAgent)
    learn(agent, 20_000, shift="inverted")
    assert 600 < len(agent._labels) < 700
    assert (agent._labels >= 0).all()


def test_what_is_saved_answers_the_same(tmp_path: Path) -> None:
    """The images and their labels."""
    agent = make_agent(KnnAgent)
    learn(agent, 3000)
    agent.save(tmp_path)
    restored = make_agent(KnnAgent)
    restored.load(tmp_path)
    asked, _ = images(50, seed=3)
    assert np.array_equal(restored.act(asked), agent.act(asked))
