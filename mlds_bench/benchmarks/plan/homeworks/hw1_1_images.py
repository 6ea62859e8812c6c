"""Homework 1-1, part 2: networks of equal size and different depth classify images.

`classification` makes the variants of homework 1-3 as well.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlds_bench.agents.budget import Budget
from mlds_bench.benchmarks.plan.homeworks import hw1_1
from mlds_bench.benchmarks.plan.presets import FIVE_SEEDS
from mlds_bench.benchmarks.plan.variant import Run, Runs, TestSize, Variant, everywhere
from mlds_bench.leaderboard.record import Anchor, Anchors, Published, Score

HOMEWORKS = hw1_1.HOMEWORKS

COURSE = "MLDS 2018, measured on a team's committed results"
EVERY_IMAGE = Anchor(value=1.0, source="every image right")
CHANCE = Anchor(value=0.1, source="ten classes of about equal size")

TEST_ACCURACY = Score(name="test_accuracy", higher_is_better=True)
TRAIN_ACCURACY = Score(name="train_accuracy", higher_is_better=True)
GAP = Score(name="gap", higher_is_better=False)
CROSS_ENTROPY = Score(name="test_cross_entropy", higher_is_better=False)
SCORES = (TEST_ACCURACY, TRAIN_ACCURACY, GAP, CROSS_ENTROPY)

NETWORKS = ("mlp", "cnn-shallow", "cnn-middle", "cnn-deep")
BASELINES = ("random", "constant")
THREE_SEEDS = (0, 1, 2)

# Cards of the whole deck: all held-out images, and half as many training images.
DECKS = {"digits": 750, "mnist": 15_000, "fashion": 15_000, "cifar10": 15_000}
SAMPLES = {"smoke": 4_096, "quick": 32_768, "standard": 196_608, "course": 2_000_000}
SECONDS = {"smoke": 20.0, "quick": 60.0, "standard": 600.0, "course": 7200.0}
# A step of Stable-Baselines3 costs a hundred times a step of a supervised learner.
SB3_SAMPLES = {"smoke": 2_048, "quick": 4_096, "standard": 65_536, "course": 1_000_000}
# Images are drawn with replacement: after 5 n draws less than one in a hundred was never seen.
NEIGHBOR_SAMPLES = {"smoke": 4_096, "quick": 32_768, "standard": 400_000, "course": 1_000_000}


def budgets(samples: Mapping[str, int]) -> dict[str, Budget]:
    """One training image is one environment step."""
    return {name: Budget(samples[name], seconds=SECONDS[name]) for name in SECONDS}


def classification(
    homework: str,
    name: str,
    summary: str,
    env_kwargs: Mapping[str, Any],
    agents: tuple[str, ...],
    *,
    mark: Anchor,
    preview: tuple[str, ...],
    is_previewed: bool = True,
    samples: Mapping[str, int] | None = None,
    scores: tuple[Score, ...] = SCORES,
    seeds: tuple[int, ...] = FIVE_SEEDS,
    published: tuple[Published, ...] = (),
    params_by_agent: Mapping[str, Mapping[str, Any]] | None = None,
) -> Variant:
    """A variant of the classification room.

    Args:
        homework: as in ``hw1-1``.
        name: as in ``digits``.
        summary: one line for the listing.
        env_kwargs: of the environment.
        agents: labels of all that run besides `BASELINES`.
        mark: pass mark of the primary score.
        preview: labels of those that run at smoke and quick.
        is_previewed: whether `all` runs the preview.
        samples: training images by preset; `SAMPLES` where they are not given.
        scores: the primary first.
        seeds: at standard and course.
        published: figures of others.
        params_by_agent: see `Variant`.
    """
    return Variant(
        homework=homework,
        name=name,
        summary=summary,
        env_id="mlds/Classification-v0",
        env_kwargs=env_kwargs,
        scores=scores,
        anchors=Anchors(random=CHANCE, trivial=CHANCE, pass_mark=mark, best=EVERY_IMAGE),
        budgets=budgets(samples or SAMPLES),
        runs=_runs(agents, seeds, preview, is_previewed=is_previewed),
        test_sizes=_test_sizes(env_kwargs),
        budgets_by_agent={"sb3:*": budgets(SB3_SAMPLES), "knn*": budgets(NEIGHBOR_SAMPLES)},
        params_by_agent=params_by_agent or {},
        published=published,
    )


def _runs(
    agents: tuple[str, ...],
    seeds: tuple[int, ...],
    preview: tuple[str, ...],
    *,
    is_previewed: bool,
) -> dict[str, Runs]:
    """At smoke and quick one seed of the preview, else all."""
    small, whole = Run(preview, (0,)), Run((*BASELINES, *agents), seeds)
    return {
        **dict.fromkeys(("smoke", "quick"), Runs(small, small if is_previewed else None)),
        **dict.fromkeys(("standard", "course"), Runs(whole, whole)),
    }


def _test_sizes(env_kwargs: Mapping[str, Any]) -> dict[str, TestSize]:
    """The whole deck; a new domain shows the held-out images twice."""
    deck = DECKS[env_kwargs.get("dataset", "digits")]
    if "shift" in env_kwargs:
        deck += deck * 2 // 3
    return {**everywhere(TestSize(deck)), "smoke": TestSize(min(deck, 500))}


def _published(label: str, value: float, source: str) -> Published:
    return Published(label=label, value=value, source=source)


EVERYBODY = ("logistic", "knn", *NETWORKS)
EQUAL = {"mlp": {"parameters": 100_000}}
"""The convolutional networks have so many by default, on images of any size."""
# Of 60,000 images 6.5 epochs at standard, and the homework's 100 at course.
LARGE_SAMPLES = {"smoke": 4_096, "quick": 32_768, "standard": 393_216, "course": 6_000_000}
FASHION = (
    "Xiao, Rasul and Vollgraf 2017, table 3: scikit-learn's SVC, the best of their classifiers"
)
LENET = "LeCun, Bottou, Bengio and Haffner 1998, figure 9"
THIRTY_LAYERS = tuple(
    f"mlp@hidden_layers=30,{skip}width=32" for skip in ("", "skip=residual,", "skip=highway,")
)

VARIANTS = (
    classification(
        "hw1-1",
        "digits",
        "real digits of 8 x 8 pixels: networks of equal size, with 0, 1, 2 and 4 convolutions",
        {"dataset": "digits"},
        (*EVERYBODY, "sb3:PPO"),
        preview=(*BASELINES, "knn", *NETWORKS[1:]),
        params_by_agent=EQUAL,
        mark=Anchor(value=0.97, source="scikit-learn's example: SVC, trained on half of the set"),
    ),
    classification(
        "hw1-1",
        "mnist",
        "MNIST: networks of equal size, with 0, 1, 2 and 4 convolutions",
        {"dataset": "mnist"},
        EVERYBODY,
        preview=("logistic", "cnn-middle"),
        params_by_agent=EQUAL,
        is_previewed=False,
        samples=LARGE_SAMPLES,
        seeds=THREE_SEEDS,
        mark=Anchor(value=0.99, source=f"{LENET}: LeNet-5, 0.95 % errors, rounded down"),
        published=(
            _published("LeNet-5 (LeCun et al.)", 0.9905, LENET),
            _published("knn (LeCun et al.)", 0.95, f"{LENET}: K-nearest neighbors, Euclidean"),
        ),
    ),
    classification(
        "hw1-1",
        "fashion",
        "Fashion-MNIST: networks of equal size, with 0, 1, 2 and 4 convolutions",
        {"dataset": "fashion"},
        EVERYBODY,
        preview=("logistic", "cnn-middle"),
        params_by_agent=EQUAL,
        is_previewed=False,
        samples={**LARGE_SAMPLES, "standard": SAMPLES["standard"]},
        seeds=THREE_SEEDS,
        mark=Anchor(value=0.897, source=FASHION),
        published=(_published("SVC (Xiao et al.)", 0.897, FASHION),),
    ),
    classification(
        "hw1-1",
        "cifar10",
        "CIFAR-10: the homework's networks of equal size, with 1, 2 and 4 convolutions",
        {"dataset": "cifar10"},
        EVERYBODY,
        preview=("cnn-middle",),
        params_by_agent=EQUAL,
        is_previewed=False,
        samples=LARGE_SAMPLES,
        seeds=THREE_SEEDS,
        mark=Anchor(value=0.822, source=f"{COURSE}: deep network"),
        published=tuple(
            _published(f"{name} (course)", value, COURSE)
            for name, value in (("deep", 0.822), ("middle", 0.786), ("shallow", 0.704))
        ),
    ),
    classification(
        "hw1-1",
        "very-deep",
        "digits with thirty layers: plain ones fail, residual and highway blocks train",
        {"dataset": "digits"},
        ("mlp@width=32", *THIRTY_LAYERS),
        preview=THIRTY_LAYERS,
        mark=Anchor(value=0.97, source="scikit-learn's example: SVC, trained on half of the set"),
    ),
)
