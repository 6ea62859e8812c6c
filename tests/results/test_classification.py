"""What the pages say of homeworks 1-1 (images) and 1-3, held against the committed records."""

from __future__ import annotations

from statistics import fmean

import pytest

from mlds_bench.benchmarks.plan.homeworks.hw1_3 import (
    BATCHES,
    MNIST_BATCHES,
    MNIST_SIZES,
    SIZES,
    UPDATES,
)
from tests.results.committed import scores

CHANCE = pytest.approx(0.1, abs=0.04)


def mean(variant: str, agent: str, score: str = "test_accuracy") -> float:
    return fmean(scores("standard", variant, agent, score))


def least(variant: str, agent: str, score: str = "test_accuracy") -> float:
    return min(scores("standard", variant, agent, score))


def test_depth_pays_on_images() -> None:
    """A convolutional network passes 99 % on MNIST with every seed; a second convolution helps."""
    assert least("hw1-1/mnist", "cnn-middle") > 0.99
    assert mean("hw1-1/mnist", "cnn-shallow") < mean("hw1-1/mnist", "cnn-middle")
    for variant in ("hw1-1/mnist", "hw1-1/fashion"):
        assert mean(variant, "mlp") < mean(variant, "cnn-shallow")


def test_thirty_plain_layers_fail_where_ways_around_them_train() -> None:
    """With every seed."""
    plain = "mlp@hidden_layers=30,width=32"
    assert max(scores("standard", "hw1-1/very-deep", plain, "test_accuracy")) < 0.3
    for skip in ("residual", "highway"):
        agent = f"mlp@hidden_layers=30,skip={skip},width=32"
        assert least("hw1-1/very-deep", agent) > 0.9


@pytest.mark.parametrize("variant", ["hw1-3/random-labels", "hw1-3/random-labels-mnist"])
def test_random_labels_are_memorized_and_teach_nothing(variant: str) -> None:
    """Training accuracy above 0.97 with every seed, test accuracy at chance; so do neighbors."""
    for agent in ("mlp", "cnn-middle", "knn@k=1"):
        assert least(variant, agent, "train_accuracy") > 0.97, agent
        assert mean(variant, agent) == CHANCE
    assert mean(variant, "logistic", "train_accuracy") < 0.97


def test_clean_labels_are_learned_before_corrupted_ones() -> None:
    """And the test suffers while the exceptions are learned."""
    rows = [f"mlp@total_updates={updates}" for updates in UPDATES]
    clean, corrupted, test = (
        [mean("hw1-3/noisy-labels", row, score) for row in rows]
        for score in ("clean_accuracy", "corrupted_accuracy", "test_accuracy")
    )
    early = UPDATES.index(300)
    assert clean[early] > 0.95
    assert corrupted[early] < 0.2
    assert corrupted[-1] > 0.97
    assert max(test[: early + 1]) > test[-1] + 0.15


@pytest.mark.parametrize(
    ("variant", "sizes"), [("hw1-3/sizes", SIZES), ("hw1-3/sizes-mnist", MNIST_SIZES)]
)
def test_more_parameters_do_not_hurt(variant: str, sizes: tuple[int, ...]) -> None:
    """Accuracy rises, and is flat above a size: the largest is within a point of the best."""
    curve = [mean(variant, f"mlp@parameters={size}") for size in sizes]
    assert len(curve) >= 10
    assert curve[0] < curve[len(curve) // 2] < curve[-1] + 0.01
    assert curve[-1] > max(curve) - 0.01


@pytest.mark.parametrize(
    ("variant", "batches"),
    [("hw1-3/batch-size", BATCHES), ("hw1-3/batch-size-mnist", MNIST_BATCHES)],
)
def test_the_largest_batch_answers_less(variant: str, batches: tuple[int, ...]) -> None:
    """At the same number of images, and five sizes at least."""
    assert len(batches) >= 5
    curve = [mean(variant, f"mlp@batch_size={size}") for size in batches]
    assert curve[-1] < max(curve[:-1])


def test_features_that_hide_the_domain_help_on_turned_digits() -> None:
    """The lecture's claim, for both networks and beyond the seeds; inverted ones stay lost."""
    for plain, hidden in (
        ("cnn-middle", "domain-adversarial"),
        ("mlp", "domain-adversarial@network=mlp"),
    ):
        without = scores("standard", "hw1-3/domain-rotated", plain, "test_accuracy")
        assert least("hw1-3/domain-rotated", hidden) > max(without)
        assert mean("hw1-3/domain-inverted", hidden) < 0.2


def test_between_two_solutions_lies_a_barrier() -> None:
    """On MNIST; beyond them accuracy falls as well."""
    row = {a: mean("hw1-3/interpolation-mnist", f"interpolated@alpha={a}") for a in (-1.0, 0.0)}
    row |= {
        a: mean("hw1-3/interpolation-mnist", f"interpolated@alpha={a}") for a in (0.5, 1.0, 2.0)
    }
    assert row[0.5] < min(row[0.0], row[1.0]) - 0.05
    assert row[-1.0] < row[0.0]
