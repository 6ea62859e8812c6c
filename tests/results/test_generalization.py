"""What the pages say of the two environments of homework 1-3, against the committed records."""

from __future__ import annotations

from statistics import fmean, median

import pytest

from mlds_bench.benchmarks.plan.homeworks.hw1_3_selection import INDICATORS, SELECTORS
from mlds_bench.leaderboard.results import Result
from tests.results.committed import of, scores

SELECTION = "hw1-3/model-selection"
SEARCH = "hw1-3/hyperparameter-search"
QUARTER = 4096
"""Of the steps that PPO learns from."""


def mean(agent: str, score: str, variant: str = SELECTION) -> float:
    return fmean(scores("standard", variant, agent, score))


def stretch(result: Result, begin: int) -> float:
    """Mean training return of the episodes that ended in a quarter of the steps."""
    points = [
        (point.episode_return, point.episodes or 1)
        for point in result.record.training.curve
        if begin < point.env_steps <= begin + QUARTER and point.episode_return is not None
    ]
    return sum(value * count for value, count in points) / sum(count for _, count in points)


def test_flatness_wins_by_regret_and_margin_by_order() -> None:
    """Of the single indicators; the count of parameters orders nothing."""
    assert min(INDICATORS, key=lambda agent: mean(agent, "regret")) == "flattest"
    assert max(INDICATORS, key=lambda agent: mean(agent, "kendall_tau")) == "largest-margin"
    assert mean("fewest-parameters", "kendall_tau") == pytest.approx(0.0, abs=0.05)


def test_the_regression_beats_every_indicator_and_pays_for_it() -> None:
    """With every seed; its probes cost nearly twice its regret, and one cheap probe buys more."""
    worst = max(scores("standard", SELECTION, "regression-on-probes", "regret"))
    assert all(worst < min(scores("standard", SELECTION, a, "regret")) for a in INDICATORS)
    ratio = mean("regression-on-probes", "cost") / mean("regression-on-probes", "regret")
    assert 1.7 < ratio < 2.0
    total = {agent: mean(agent, "regret") + mean(agent, "cost") for agent in SELECTORS}
    assert min(total, key=lambda agent: total[agent]) == "fastest-trained"


def test_never_choosing_is_last() -> None:
    """`constant` reveals one probe over and over."""
    assert max(SELECTORS, key=lambda agent: mean(agent, "regret")) == "constant"


def test_whole_trainings_beat_many_short_ones() -> None:
    """Whatever decides on them; a model beats random tries and not the grid."""
    regret = {
        agent: median(scores("standard", SEARCH, agent, "regret"))
        for agent in ("grid", "gaussian-process", "random-settings", "successive-halving")
    }
    assert max(regret, key=lambda agent: regret[agent]) == "successive-halving"
    assert regret["gaussian-process"] < regret["random-settings"]
    assert regret["gaussian-process"] == pytest.approx(regret["grid"], abs=5e-4)


def test_ppo_does_not_learn_the_search() -> None:
    """Its training return does not rise, and four of five seeds lose to random actions."""
    results = of("standard", SEARCH, "sb3:PPO")
    first, last = (
        fmean(stretch(result, begin) for result in results) for begin in (0, 3 * QUARTER)
    )
    assert last == pytest.approx(first, abs=0.01)
    chance = max(scores("standard", SEARCH, "random", "regret"))
    assert sum(r > chance for r in scores("standard", SEARCH, "sb3:PPO", "regret")) == 4
