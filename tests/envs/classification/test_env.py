"""The environment: the contract in all its forms, what it draws, what it pays and tells."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mlds_bench.envs.classification.data import training_set
from mlds_bench.envs.classification.env import Classification
from mlds_bench.envs.classification.specs import UNLABELED, Settings
from mlds_bench.envs.contract import check_env
from mlds_bench.envs.core import InvalidAction

KINDS: list[dict[str, Any]] = [
    {"train_size": 30},
    {"label_noise": 1.0, "probabilities": True},
    {"shift": "rotated", "label_noise": 0.2},
]


@pytest.mark.parametrize("arguments", KINDS, ids="-".join)
def test_the_contract_holds(arguments: dict[str, Any]) -> None:
    """Every rule of it, for either way to answer, with noise and with a new domain."""
    assert check_env(partial(Classification, **arguments))


def test_training_images_are_drawn_uniformly() -> None:
    """Every one about equally often, each with its label."""
    settings: dict[str, Any] = {"train_size": 50, "label_noise": 0.5}
    train = training_set(Settings(**settings))
    known = {image.tobytes(): row for row, image in enumerate(train.images)}
    env = Classification(num_envs=500, seed=0, **settings)
    counts = np.zeros(50)
    observation, infos = env.reset()
    for _ in range(20):
        rows = np.array([known[image.tobytes()] for image in observation])
        assert np.array_equal(infos["oracle"], train.labels[rows])
        counts += np.bincount(rows, minlength=50)
        observation, _, _, _, infos = env.step(np.zeros(500, np.int64))
    assert stats.chisquare(counts).pvalue > 1e-3


def test_one_is_paid_for_the_label_and_nothing_else() -> None:
    """Corrupted labels pay in training, for that is what is learned."""
    env = Classification(num_envs=200, label_noise=1.0, seed=0)
    _, infos = env.reset()
    answer = infos["oracle"].copy()
    answer[:50] = (answer[:50] + 1) % 10
    _, reward, terminated, truncated, _ = env.step(answer)
    assert reward.tolist() == [0.0] * 50 + [1.0] * 150
    assert terminated.all()
    assert not truncated.any()


def test_probabilities_are_paid_by_their_largest() -> None:
    """As much as the class would be; equal weights say the first class."""
    env = Classification(num_envs=100, probabilities=True, seed=0)
    _, infos = env.reset()
    weights = np.full((100, 10), 0.2, np.float32)
    weights[np.arange(60), infos["oracle"][:60]] = 0.21
    _, reward, *_ = env.step(weights)
    assert np.array_equal(reward[60:], infos["oracle"][60:] == 0)
    assert reward[:60].all()


def test_images_without_a_label_pay_nothing() -> None:
    """No class is right where none is told: the reward tells nothing of the new domain."""
    env = Classification(num_envs=400, shift="inverted", seed=0)
    paid = np.zeros(400)
    for answer in range(10):
        _, infos = env.reset(seed=0)
        _, reward, *_ = env.step(np.full(400, answer))
        paid += reward
    is_hidden = infos["oracle"] == UNLABELED
    assert 0.4 < is_hidden.mean() < 0.6
    assert np.array_equal(paid, np.where(is_hidden, 0.0, 1.0))


def test_as_many_instances_as_cards_see_the_whole_deck_in_every_episode() -> None:
    """Every card once, in another instance each time."""
    env = Classification(num_envs=750, split="test", seed=0)
    env.reset()
    for _ in range(3):
        env.step(np.zeros(750, np.int64))
    hidden = env.recording.arrays()["oracle"]
    card = (hidden["part"] * 10_000 + hidden["row"]).reshape(3, 750)
    assert all(len(set(cards.tolist())) == 750 for cards in card)
    assert not (card[0] == card[1]).any()


def test_the_seed_decides_the_deck() -> None:
    """So that the place of a card tells nothing."""
    first, again, other = (
        Classification(num_envs=9, split="test", seed=seed).reset()[0] for seed in (0, 0, 1)
    )
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


def test_the_test_tells_nothing() -> None:
    """Neither label nor part."""
    env = Classification(num_envs=2, split="test", seed=0)
    assert env.reset()[1] == {}


def test_a_wrong_class_is_refused() -> None:
    """With the value and the bound."""
    env = Classification(num_envs=2, seed=0)
    env.reset()
    with pytest.raises(InvalidAction, match="10"):
        env.step(np.array([0, 10]))


def test_frames_are_the_images_enlarged() -> None:
    """Three channels, 128 pixels high, every pixel sixteen times as large."""
    env = Classification(num_envs=2, seed=0, render_mode="rgb_array")
    images, _ = env.reset()
    frames = env.render()
    assert [frame.shape for frame in frames] == [(128, 128, 3)] * 2
    assert np.array_equal(frames[1][::16, ::16, 2], images[1, ..., 0])
