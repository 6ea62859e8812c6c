"""The variants of every homework: data only.

A variant is homework, environment, keyword arguments, budgets, scores and anchors. The normalized
score is 0 at ``random`` and 1 at ``pass_mark``; a failed cell counts as ``trivial``. Values of
``log10_mse`` are log10 of a mean squared error.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from math import log10
from typing import Any

from mlds_bench.agents.base import Budget
from mlds_bench.leaderboard.record import Anchor, Anchors, Published

HOMEWORKS: dict[str, str] = {
    "hw1-1": "deep versus shallow: fit functions with networks of one size",
}


@dataclass(frozen=True)
class Variant:
    """One row block of the leaderboard.

    Attributes:
        homework: as in ``hw1-1``.
        name: as in ``sinc``.
        summary: one line for the listing.
        env_id: Gymnasium id.
        env_kwargs: keyword arguments of the environment, both splits.
        primary: name of the primary score.
        higher_is_better: of the primary score.
        anchors: reference values of the primary score.
        budgets: preset name -> budget.
        agents: agents that run when none are asked for.
        steps_by_agent: agent pattern -> preset name -> environment steps, for agents that cost far
            more or less a step than the others.
        test_instances: size of the test batch; the test set is its first ``test_episodes`` episodes
            an instance.
        threads: processor threads of a cell. A property of the variant and not of the machine, so
            that a record does not depend on how many cells run beside it.
        pass_reward: mean training reward from which the pass mark counts as reached on the
            learning curve; None where no reward says so.
        published: figures from the literature, rows of their own.
    """

    homework: str
    name: str
    summary: str
    env_id: str
    env_kwargs: Mapping[str, Any]
    primary: str
    higher_is_better: bool
    anchors: Anchors
    budgets: Mapping[str, Budget]
    agents: tuple[str, ...]
    test_instances: int
    test_episodes: int = 1
    steps_by_agent: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    threads: int = 1
    pass_reward: float | None = None
    published: tuple[Published, ...] = ()

    @property
    def id(self) -> str:
        """As in ``hw1-1/sinc``."""
        return f"{self.homework}/{self.name}"

    def budget(self, preset: str, agent: str) -> Budget:
        """What ``agent`` may use under ``preset``."""
        budget = self.budgets[preset]
        for pattern, steps in self.steps_by_agent.items():
            if fnmatchcase(agent, pattern):
                return Budget(steps[preset], budget.seconds)
        return budget


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
FITTING_SB3_STEPS = {
    "sb3:*": {"smoke": 4_096, "quick": 16_384, "standard": 65_536, "course": 524_288}
}
# Prime sides: a grid of 2^k points would meet a sawtooth of 2^m pieces at one phase of its teeth.
FITTING_POINTS = {1: 65_537, 2: 257**2}
NETWORKS = ("shallow", "middle", "deep")


def _fitting(
    name: str,
    summary: str,
    anchors: Anchors,
    agents: tuple[str, ...],
    published: tuple[Published, ...] = (),
    dimension: int = 1,
) -> Variant:
    points = FITTING_POINTS[dimension]
    return Variant(
        homework="hw1-1",
        name=name,
        summary=summary,
        env_id="mlds/FunctionFitting-v0",
        env_kwargs={"target": name, "test_points": points},
        primary="log10_mse",
        higher_is_better=False,
        anchors=anchors,
        budgets=FITTING_BUDGETS,
        agents=("random", "constant", *agents, "sb3:PPO"),
        test_instances=points,
        steps_by_agent=FITTING_SB3_STEPS,
        pass_reward=-(10**anchors.pass_mark.value),
        published=published,
    )


def _mse(value: float, source: str) -> Anchor:
    return Anchor(value=log10(value), source=source)


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


VARIANTS: dict[str, Variant] = {
    variant.id: variant
    for variant in (
        _fitting(
            "sinc",
            "sin(5 pi x)/(5 pi x) on (0, 1]",
            _fitting_anchors(
                mean=0.10402143283826172,
                square=0.09797763423077573,
                pass_mark=_mse(7.6e-7, f"{COURSE}: deep network"),
                best=_mse(7.6e-7, f"{COURSE}: deep network"),
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
                best=_mse(0.0099, f"{COURSE}: deep network"),
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
}
