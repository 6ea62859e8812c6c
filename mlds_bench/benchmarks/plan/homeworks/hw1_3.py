"""Homework 1-3: networks that can memorize everything generalize all the same; when, and why?

A variant sweeps one thing: its rows are one agent with other values of a hyper-parameter, and the
pictures of `mlds-bench plot` show scores against it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from mlds_bench.agents.params import label
from mlds_bench.benchmarks.plan.homeworks.hw1_1_images import (
    COURSE,
    GAP,
    LARGE_SAMPLES,
    TEST_ACCURACY,
    THREE_SEEDS,
    TRAIN_ACCURACY,
    classification,
)
from mlds_bench.leaderboard.record import Anchor, Published, Score

HOMEWORKS = {
    "hw1-3": "generalization: why do networks that can memorize everything generalize, and which?"
}

CLEAN = Score(name="clean_accuracy", higher_is_better=True)
CORRUPTED = Score(name="corrupted_accuracy", higher_is_better=False)
OLD_DOMAIN = Score(name="old_domain_accuracy", higher_is_better=True)

MEMORIZED = Anchor(value=0.97, source=f"{COURSE}: 0.979 on MNIST under random labels, rounded")
DIGITS_MARK = Anchor(value=0.97, source="scikit-learn's example: SVC, trained on half of the set")
# Of the 60,000 images 5,000: a tenth of the time, and the questions stay the same.
MNIST: dict[str, Any] = {"dataset": "mnist", "train_size": 5_000}
SIZES_MARK = Anchor(value=0.926, source=f"{COURSE}: the smallest of 50 CNNs, on all of MNIST")
FLAT_MARK = Anchor(value=0.964, source=f"{COURSE}: the best of 50 CNNs, on all of MNIST")


def _sweep(agent: str, name: str, values: Iterable[Any], **others: Any) -> tuple[str, ...]:
    """Labels of one agent with each of these values of a hyper-parameter."""
    return tuple(label(agent, {**others, name: value}) for value in values)


UPDATES = (30, 100, 300, 1_000, 3_000, 6_000)
SIZES = (400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400, 204_800)
MNIST_SIZES = (3_300, 6_500, 13_000, 26_000, 52_000, 104_000, 208_000, 416_000, 832_000, 1_664_000)
BATCHES = (8, 32, 128, 512, 1_024)
MNIST_BATCHES = (16, 64, 256, 1_024, 4_096)
ALPHAS = (-1.0, -0.5, -0.25, 0.0, 0.125, 0.25, 0.5, 0.75, 0.875, 1.0, 1.25, 1.5, 2.0)
MNIST_ALPHAS = (-1.0, -0.5, 0.0, 0.25, 0.5, 0.75, 1.0, 1.5, 2.0)
MEASURED = {"mlp": {"measures": True}}
CHOICES = (
    {"dropout": 0.5},
    {"weight_decay": 0.1},
    {"normalization": "batch"},
    {"normalization": "layer"},
    {"normalization": "weight"},
    {"activation": "leaky_relu"},
    {"activation": "elu"},
    {"activation": "selu"},
    {"skip": "residual"},
    {"skip": "highway"},
    {"optimizer": "momentum", "learning_rate": 0.01},
)
DOMAINS = (
    "mlp",
    "cnn-middle",
    "domain-adversarial",
    label("domain-adversarial", {"network": "mlp"}),
)

VARIANTS = (
    classification(
        "hw1-3",
        "random-labels",
        "digits under labels drawn at random: can all of them be memorized?",
        {"dataset": "digits", "label_noise": 1.0},
        ("logistic", "knn@k=1", "mlp", "cnn-middle"),
        preview=("random", "knn@k=1", "mlp"),
        scores=(TRAIN_ACCURACY, TEST_ACCURACY, GAP),
        mark=MEMORIZED,
    ),
    classification(
        "hw1-3",
        "random-labels-mnist",
        "5,000 images of MNIST under labels drawn at random: can all of them be memorized?",
        {**MNIST, "label_noise": 1.0},
        ("logistic", "knn@k=1", "mlp", "cnn-middle"),
        preview=("mlp",),
        is_previewed=False,
        samples=LARGE_SAMPLES,
        scores=(TRAIN_ACCURACY, TEST_ACCURACY, GAP),
        mark=MEMORIZED,
        published=(Published(label="cnn (course)", value=0.979, source=COURSE),),
    ),
    classification(
        "hw1-3",
        "noisy-labels",
        "digits, four labels in ten drawn at random: are the others learned first?",
        {"dataset": "digits", "label_noise": 0.4},
        _sweep("mlp", "total_updates", UPDATES),
        preview=_sweep("mlp", "total_updates", UPDATES[1:4:2]),
        scores=(TEST_ACCURACY, CLEAN, CORRUPTED, TRAIN_ACCURACY),
        mark=Anchor(value=0.9, source="a round figure: what the labels tell at best is 0.97"),
    ),
    classification(
        "hw1-3",
        "sizes",
        "digits, ten sizes of network: do more parameters than images hurt?",
        {"dataset": "digits"},
        _sweep("mlp", "parameters", SIZES),
        preview=_sweep("mlp", "parameters", SIZES[:9:4]),
        mark=DIGITS_MARK,
    ),
    classification(
        "hw1-3",
        "sizes-mnist",
        "5,000 images of MNIST, ten sizes of network: do more parameters than images hurt?",
        MNIST,
        _sweep("mlp", "parameters", MNIST_SIZES),
        preview=_sweep("mlp", "parameters", MNIST_SIZES[:6:5]),
        is_previewed=False,
        mark=SIZES_MARK,
    ),
    classification(
        "hw1-3",
        "batch-size",
        "digits, five batch sizes: sensitivity and sharpness beside accuracy",
        {"dataset": "digits"},
        _sweep("mlp", "batch_size", BATCHES),
        preview=_sweep("mlp", "batch_size", BATCHES[1::2]),
        mark=DIGITS_MARK,
        params_by_agent=MEASURED,
    ),
    classification(
        "hw1-3",
        "batch-size-mnist",
        "5,000 images of MNIST, five batch sizes: sensitivity and sharpness beside accuracy",
        MNIST,
        _sweep("mlp", "batch_size", MNIST_BATCHES),
        preview=_sweep("mlp", "batch_size", MNIST_BATCHES[1:4:2]),
        is_previewed=False,
        mark=SIZES_MARK,
        params_by_agent=MEASURED,
    ),
    classification(
        "hw1-3",
        "interpolation",
        "digits, on the line through a network of small and one of large batches",
        {"dataset": "digits"},
        _sweep("interpolated", "alpha", ALPHAS),
        preview=_sweep("interpolated", "alpha", (0.0, 0.5, 1.0)),
        mark=DIGITS_MARK,
    ),
    classification(
        "hw1-3",
        "interpolation-mnist",
        "5,000 images of MNIST, on the line through a network of small and one of large batches",
        MNIST,
        _sweep("interpolated", "alpha", MNIST_ALPHAS),
        preview=_sweep("interpolated", "alpha", (0.0, 1.0)),
        is_previewed=False,
        seeds=THREE_SEEDS,
        mark=SIZES_MARK,
    ),
    classification(
        "hw1-3",
        "choices",
        "200 digits, two labels in ten drawn at random: which choice of the lectures helps?",
        {"dataset": "digits", "train_size": 200, "label_noise": 0.2},
        ("mlp", *(label("mlp", choice) for choice in CHOICES)),
        preview=("mlp", label("mlp", CHOICES[0])),
        mark=Anchor(value=0.9, source="a round figure"),
    ),
    *(
        classification(
            "hw1-3",
            f"domain-{shift}",
            f"digits that the test shows {shift}; in training such ones are seen without labels",
            {"dataset": "digits", "shift": shift},
            DOMAINS,
            preview=("mlp", "domain-adversarial@network=mlp"),
            scores=(TEST_ACCURACY, OLD_DOMAIN, TRAIN_ACCURACY),
            mark=Anchor(value=0.5, source="a round figure: half of the images that look new"),
        )
        for shift in ("rotated", "inverted")
    ),
)
