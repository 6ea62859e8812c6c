"""What a variant says of budgets, settings and runs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from mlds_bench.agents.budget import Budget
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.variant import Run, Runs, everywhere
from mlds_bench.benchmarks.plan.variants import VARIANTS

SINC = VARIANTS["hw1-1/sinc"]


@pytest.mark.parametrize(
    ("agent", "steps"), [("deep", 1), ("sb3:PPO", 2), ("sb3:A2C", 3), ("pkg:sb3", 1)]
)
def test_the_first_pattern_that_fits_an_agent_decides(agent: str, steps: int) -> None:
    """Of its budget; without one it has the variant's."""
    own = {"sb3:P*": everywhere(Budget(2)), "sb3:*": everywhere(Budget(3))}
    variant = replace(SINC, budgets=everywhere(Budget(1)), budgets_by_agent=own)
    assert variant.budget("quick", agent) == Budget(steps)


def test_settings_by_agent_go_by_the_same_rule() -> None:
    """And nothing is set where no pattern fits."""
    own = {"deep": {"batch_size": 4}, "d*": {"batch_size": 5}}
    variant = replace(SINC, params_by_agent=own)
    assert variant.params("deep") == {"batch_size": 4}
    assert variant.params("dqn") == {"batch_size": 5}
    assert variant.params("random") == {}


def test_agents_are_those_of_every_preset_each_once() -> None:
    """In the order in which they are met."""
    runs = everywhere(Runs(Run(("a", "b"), (0,)), None))
    runs["course"] = Runs(Run(("b", "c"), (0,)), None)
    assert replace(SINC, runs=runs).agents == ("a", "b", "c")


def test_everywhere_means_every_preset() -> None:
    """A preset without an entry would end a plan with a KeyError."""
    assert set(everywhere(0)) == set(PRESETS)
