"""Choices by one indicator."""

from __future__ import annotations

import numpy as np
import pytest

from mlds_bench.agents.generalization import indicators
from mlds_bench.agents.generalization.indicators import IndicatorAgent
from mlds_bench.envs.generalization.env import ModelSelection
from mlds_bench.envs.generalization.specs import PROBES
from tests.agents.generalization.makers import make_agent, scores

CLASSES = [
    indicators.FewestParameters,
    indicators.Flattest,
    indicators.LeastSharp,
    indicators.LeastSensitive,
    indicators.LargestMargin,
    indicators.FastestTrained,
]
EVERY = pytest.mark.parametrize("cls", CLASSES)


@EVERY
def test_it_reveals_its_probe_of_all_and_then_orders_them(cls: type[IndicatorAgent]) -> None:
    """Eight reveals, then choices from the best value to the worst."""
    agent = make_agent(cls)
    env = ModelSelection(num_envs=20, seed=0, places=8, cost_factor=0.0)
    seen, _ = env.reset()
    for network in range(8):
        action = agent.act(seen)
        assert (action == network * 13 + list(PROBES).index(cls.probe)).all()
        seen, *_ = env.step(action)
    value = seen[cls.probe] * (1 if cls.high_is_good else -1)
    chosen = []
    for _ in range(8):
        action = agent.act(seen)
        chosen.append(action - 104)
        seen, _, terminated, _, _ = env.step(action)
    assert terminated.all()
    order = np.take_along_axis(value, np.stack(chosen, axis=1), 1)
    assert (np.diff(order, axis=1) <= 0.0).all()


@EVERY
def test_it_pays_for_eight_probes(cls: type[IndicatorAgent]) -> None:
    """No more, no less."""
    got = scores(make_agent(cls), num_envs=20, places=8)
    assert got["cost"] == pytest.approx(8 * PROBES[cls.probe].cost)


def test_flatness_foretells_the_test_better_than_size() -> None:
    """On networks of other data, with other settings: Jiang et al. 2020 found the same."""
    flattest = scores(make_agent(indicators.Flattest), places=8)
    smallest = scores(make_agent(indicators.FewestParameters), places=8)
    assert flattest["regret"] < smallest["regret"]
    assert flattest["kendall_tau"] > smallest["kendall_tau"] + 0.1
