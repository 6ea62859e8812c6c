"""Homework 1-3: choosing among trained networks, and searching for hyper-parameters.

All values are differences of test accuracy. The anchors are computed from the shipped table of the
zoo; a test holds them.
"""

from __future__ import annotations

from mlds_bench.agents.budget import Budget
from mlds_bench.benchmarks.plan.homeworks import hw1_3
from mlds_bench.benchmarks.plan.presets import FIVE_SEEDS
from mlds_bench.benchmarks.plan.variant import Run, Runs, TestSize, Variant
from mlds_bench.leaderboard.record import Anchor, Anchors, Published, Score

HOMEWORKS = hw1_3.HOMEWORKS

INDICATORS = (
    "fewest-parameters",
    "flattest",
    "least-sharp",
    "least-sensitive",
    "largest-margin",
    "fastest-trained",
)
SELECTORS = ("random", "constant", *INDICATORS, "regression-on-probes", "sb3:DQN")
SEARCHERS = (
    "random",
    "constant",
    "grid",
    "random-settings",
    "successive-halving",
    "gaussian-process",
    "sb3:PPO",
)
EXACT = "exact, over the table of the zoo"
SECONDS = {"smoke": 20.0, "quick": 60.0, "standard": 600.0, "course": 7200.0}


def _budgets(smoke: int, quick: int, standard: int, course: int) -> dict[str, Budget]:
    steps = {"smoke": smoke, "quick": quick, "standard": standard, "course": course}
    return {preset: Budget(count, seconds=SECONDS[preset]) for preset, count in steps.items()}


def _runs(agents: tuple[str, ...]) -> dict[str, Runs]:
    """`all` runs what the homework's name runs."""
    seeds = {"smoke": (0,), "quick": (0,), "standard": FIVE_SEEDS, "course": FIVE_SEEDS}
    return {preset: Runs(Run(agents, some), Run(agents, some)) for preset, some in seeds.items()}


def _sizes(smoke: int, quick: int, standard: int) -> dict[str, TestSize]:
    counts = {"smoke": smoke, "quick": quick, "standard": standard, "course": standard}
    return {preset: TestSize(count) for preset, count in counts.items()}


VARIANTS = (
    Variant(
        homework="hw1-3",
        name="model-selection",
        summary="eight networks fit their data: which of them does best on other data?",
        env_id="mlds/ModelSelection-v0",
        env_kwargs={"places": 8},
        headline=True,
        scores=(
            Score(name="regret", higher_is_better=False),
            Score(name="kendall_tau", higher_is_better=True),
            Score(name="cost", higher_is_better=False),
        ),
        anchors=Anchors(
            random=Anchor(value=0.033203, source=f"expected regret of random decisions, {EXACT}"),
            trivial=Anchor(value=0.033196, source=f"a choice without a look, {EXACT}"),
            pass_mark=Anchor(value=0.016602, source="half the regret of random decisions"),
            best=Anchor(value=0.0, source="the best of the eight, every time"),
        ),
        budgets=_budgets(14_336, 114_688, 458_752, 1_835_008),
        budgets_by_agent={"sb3:*": _budgets(512, 4_096, 16_384, 1_000_000)},
        runs=_runs(SELECTORS),
        test_sizes=_sizes(50, 1000, 1000),
        published=(Published(label="oracle", value=0.0, source="knows the test accuracies"),),
    ),
    Variant(
        homework="hw1-3",
        name="hyperparameter-search",
        summary="432 settings, a budget of 16 trainings: how good is the best one found?",
        env_id="mlds/HyperparameterSearch-v0",
        env_kwargs={},
        scores=(
            Score(name="regret", higher_is_better=False),
            Score(name="top_tenth", higher_is_better=True),
            Score(name="tries", higher_is_better=True),
        ),
        anchors=Anchors(
            random=Anchor(value=0.01268, source="random actions, mean of 20,000 episodes"),
            trivial=Anchor(value=0.0096, source=f"the middle of every axis, {EXACT}"),
            pass_mark=Anchor(
                value=0.00817, source=f"random search with four times the budget, expected, {EXACT}"
            ),
            best=Anchor(value=0.0, source="the best setting of the block, every time"),
        ),
        budgets=_budgets(512, 4_096, 16_384, 1_000_000),
        runs=_runs(SEARCHERS),
        test_sizes=_sizes(20, 50, 200),
        published=(Published(label="oracle", value=0.0, source="knows the test accuracies"),),
    ),
)
