"""The regression: its solution, what it learns from, and what it pays."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.generalization.regression import RegressionAgent, ridge
from mlds_bench.envs.generalization.specs import PROBES
from tests.agents.generalization.makers import learn, make_agent, scores

STEPS = 64 * 113 * 4


def test_weights_are_those_of_a_ridge_regression() -> None:
    """scikit-learn's, whose penalty counts the sum of squares instead of their mean."""
    generator = np.random.default_rng(0)
    x, y = generator.standard_normal((30, 8, 3)), generator.standard_normal((30, 8))
    model = Ridge(alpha=0.3 * 240, fit_intercept=False).fit(x.reshape(240, 3), y.ravel())
    assert ridge(x, y, 0.3) == pytest.approx(model.coef_)


def test_it_finds_the_probe_that_foretells() -> None:
    """Where accuracy is one probe and noise, that probe is taken, and no other."""
    agent = make_agent(RegressionAgent)
    agent._costs = np.full(13, 1e-3)
    generator = np.random.default_rng(0)
    probes = generator.standard_normal((500, 8, 13))
    accuracy = 0.8 - 0.05 * probes[:, :, 6] + 0.001 * generator.standard_normal((500, 8))
    agent._fit(probes, accuracy)
    assert list(agent.weights) == [list(PROBES)[6]]
    assert agent.weights[list(PROBES)[6]] == pytest.approx(-0.05, rel=0.05)


def test_expensive_probes_are_left_out() -> None:
    """Each of two probes explains half; the second is taken only where it pays for itself."""
    generator = np.random.default_rng(0)
    probes = generator.standard_normal((500, 8, 13))
    accuracy = 0.8 + 0.02 * probes[:, :, 0] + 0.02 * probes[:, :, 1]
    for cost, count in ((1e-4, 2), (0.1, 1)):
        agent = make_agent(RegressionAgent)
        agent._costs = np.full(13, cost)
        agent._fit(probes, accuracy)
        assert len(agent.weights) == count


def test_it_learns_costs_and_weights_in_train(tmp_path: Path) -> None:
    """Its cost at test is that of the probes it chose; saved and loaded it acts alike."""
    agent = make_agent(RegressionAgent)
    learn(agent, STEPS, places=8)
    assert agent._costs == pytest.approx([probe.cost for probe in PROBES.values()])
    got = scores(agent, places=8)
    assert got["cost"] == pytest.approx(8 * sum(PROBES[name].cost for name in agent.weights))
    assert got["kendall_tau"] > 0.1
    agent.save(tmp_path)
    again = make_agent(RegressionAgent, seed=1)
    again.load(tmp_path)
    assert again.weights == agent.weights
    assert scores(again, places=8) == got


def test_it_learns_with_one_choice_per_episode_as_well() -> None:
    """The episode then ends at the first choice."""
    agent = make_agent(RegressionAgent)
    learn(agent, STEPS)
    assert any(agent.weights.values())


def test_wrong_hyperparameters_are_refused() -> None:
    """By name."""
    for wrong in ({"alpha": 0.0}, {"most_probes": 0}):
        with pytest.raises(UnknownHyperparameter, match=next(iter(wrong))):
            make_agent(RegressionAgent, **wrong)
