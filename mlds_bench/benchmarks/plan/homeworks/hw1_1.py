"""Homework 1-1: values of ``log10_mse`` are log10 of a mean squared error."""

from __future__ import annotations

from math import log10

from mlds_bench.agents.budget import Budget
from mlds_bench.benchmarks.plan.presets import FIVE_SEEDS
from mlds_bench.benchmarks.plan.variant import Run, Runs, TestSize, Variant, everywhere
from mlds_bench.leaderboard.record import Anchor, Anchors, Published, Score

HOMEWORKS = {"hw1-1": "deep versus shallow: does depth pay at the same size?"}

COURSE = "MLDS 2018, measured on a team's committed results"
THEORY = "MLDS 2018, lecture 'Why deep structure'"

# One gradient sample is one environment step. The course trained 20,000 epochs of 10,000 points.
FITTING_BUDGETS = {
    "smoke": Budget(64_000, seconds=20.0),
    "quick": Budget(2_560_000, seconds=60.0),
    "standard": Budget(6_400_000, seconds=600.0),
    "course": Budget(200_000_000, seconds=7200.0),
}
# A step of Stable-Baselines3 costs a hundred times a step of a reference network.
FITTING_SB3_BUDGETS = {
    "smoke": Budget(4_096, seconds=20.0),
    "quick": Budget(16_384, seconds=60.0),
    "standard": Budget(65_536, seconds=600.0),
    "course": Budget(524_288, seconds=7200.0),
}
# Prime sides: a grid of 2^k points would meet a sawtooth of 2^m pieces at one phase of its teeth.
FITTING_POINTS = {1: 65_537, 2: 257**2}
NETWORKS = ("shallow", "middle", "deep")
SCORES = (
    Score(name="log10_mse", higher_is_better=False),
    Score(name="sup_error", higher_is_better=False),
)


def _runs(agents: tuple[str, ...]) -> dict[str, Runs]:
    """`all` runs what the homework's name runs."""
    seeds = {"smoke": (0,), "quick": (0,), "standard": FIVE_SEEDS, "course": FIVE_SEEDS}
    return {preset: Runs(Run(agents, some), Run(agents, some)) for preset, some in seeds.items()}


def _fitting(
    name: str,
    summary: str,
    anchors: Anchors,
    agents: tuple[str, ...],
    published: tuple[Published, ...] = (),
    dimension: int = 1,
) -> Variant:
    points = FITTING_POINTS[dimension]
    agents = ("random", "constant", *agents, "sb3:PPO")
    return Variant(
        homework="hw1-1",
        name=name,
        summary=summary,
        env_id="mlds/FunctionFitting-v0",
        env_kwargs={"target": name, "test_points": points},
        scores=SCORES,
        anchors=anchors,
        headline=name == "sinc",
        budgets=FITTING_BUDGETS,
        runs=_runs(agents),
        test_sizes=everywhere(TestSize(points)),
        budgets_by_agent={"sb3:*": FITTING_SB3_BUDGETS},
        published=published,
    )


def _mse(value: float, source: str) -> Anchor:
    return Anchor(value=log10(value), source=source)


def _known(value: float, record: str) -> Anchor:
    return Anchor(value=value, source=f"best known: the committed record {record}")


def _fitting_anchors(mean: float, square: float, pass_mark: Anchor, best: Anchor) -> Anchors:
    """Anchors of a target with this mean and mean square on (0, 1]^d."""
    return Anchors(
        random=_mse(4 / 3 + square, "uniform actions on [-2, 2], in closed form"),
        trivial=_mse(square - mean**2, "the best constant, in closed form"),
        pass_mark=pass_mark,
        best=best,
    )


def _published_networks(deep: float, middle: float, shallow: float) -> tuple[Published, ...]:
    errors = {"deep": deep, "middle": middle, "shallow": shallow}
    return tuple(
        Published(label=f"{name} (course)", value=log10(mse), source=COURSE)
        for name, mse in errors.items()
    )


VARIANTS = (
    _fitting(
        "sinc",
        "sin(5 pi x)/(5 pi x) on (0, 1]",
        _fitting_anchors(
            mean=0.10402143283826172,
            square=0.09797763423077573,
            pass_mark=_mse(7.6e-7, f"{COURSE}: deep network"),
            best=_known(-8.2685, "course/hw1-1/sinc/shallow/seed-0"),
        ),
        (*NETWORKS, "spline"),
        _published_networks(deep=7.6e-7, middle=1.8e-6, shallow=2.6e-5),
    ),
    _fitting(
        "sgn",
        "sgn(sin(5 pi x)) on (0, 1]",
        _fitting_anchors(
            mean=0.2,
            square=1.0,
            pass_mark=_mse(0.0099, f"{COURSE}: deep network"),
            best=_known(-27.0931, "quick/hw1-1/sgn/spline/seed-2"),
        ),
        (*NETWORKS, "spline"),
        _published_networks(deep=0.0099, middle=0.0146, shallow=0.0634),
    ),
    _fitting(
        "square",
        "x^2 on (0, 1]: the lecture's example of depth",
        _fitting_anchors(
            mean=1 / 3,
            square=1 / 5,
            pass_mark=_mse(1 / 180 / 16**4, f"{THEORY}: 16 linear pieces, exact"),
            best=_mse(1 / 180 / 4**20, f"{THEORY}: sawtooth of 10 layers, exact"),
        ),
        (*NETWORKS, "spline", "sawtooth"),
    ),
    _fitting(
        "product",
        "x1 x2 on (0, 1]^2: products are made of squares",
        _fitting_anchors(
            mean=1 / 4,
            square=1 / 9,
            pass_mark=_mse(4.5 / 180 / 16**4, f"{THEORY}: three squares of 16 pieces"),
            best=_mse(4.5 / 180 / 4**20, f"{THEORY}: three sawtooths of 10 layers"),
        ),
        (*NETWORKS, "sawtooth"),
        dimension=2,
    ),
)
