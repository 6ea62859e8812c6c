"""The Gaussian process against scikit-learn's, and the search it leads."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.integrate import quad
from scipy.stats import norm
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import Matern

from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.generalization.gaussian_process import (
    GaussianProcessSearch,
    expected_improvement,
    matern,
    posterior,
)
from mlds_bench.envs.generalization.env import HyperparameterSearch
from tests.agents.generalization.makers import history, make_agent

GENERATOR = np.random.default_rng(0)
X, Y = GENERATOR.random((4, 6, 3)), GENERATOR.standard_normal((4, 6))
POINTS = GENERATOR.random((5, 3))


@pytest.mark.parametrize(("length", "noise"), [(0.5, 0.01), (2.0, 0.3)])
def test_the_posterior_is_scikit_learns(length: float, noise: float) -> None:
    """Mean, deviation and marginal likelihood, process by process."""
    likelihood, mean, deviation = posterior(X, Y, POINTS, length, noise)
    for row, (x, y) in enumerate(zip(X, Y, strict=True)):
        kernel = Matern(length, nu=2.5)
        model = GaussianProcessRegressor(kernel, alpha=noise, optimizer=None).fit(x, y)
        expected, spread = model.predict(POINTS, return_std=True)
        assert mean[row] == pytest.approx(expected)
        assert deviation[row] == pytest.approx(spread)
        assert likelihood[row] == pytest.approx(model.log_marginal_likelihood_value_)


def test_the_kernel_is_one_at_home() -> None:
    """And falls with the distance."""
    kernel = matern(X, X, 1.0)
    assert np.diagonal(kernel, axis1=1, axis2=2) == pytest.approx(np.ones((4, 6)))
    assert matern(np.zeros((1, 1, 1)), np.array([[[0.5], [1.0]]]), 1.0)[0, 0, 1] == pytest.approx(
        (1 + 5**0.5 + 5 / 3) * np.exp(-(5**0.5))
    )


def test_the_expected_improvement_is_an_integral() -> None:
    """Of the gain over the best, weighted by the density."""
    got = expected_improvement(np.array([[0.3, -0.2]]), np.array([[0.5, 1.5]]), np.array([0.4]))
    for value, mean, deviation in zip(got[0], (0.3, -0.2), (0.5, 1.5), strict=True):
        density = norm(mean, deviation).pdf
        expected = quad(lambda f, p=density: (f - 0.4) * p(f), 0.4, 12.0)[0]
        assert value == pytest.approx(expected, rel=1e-5)


def test_it_climbs_where_an_axis_decides() -> None:
    """After tries that show that level 2 of the fifth axis is best, it tries that level."""
    agent = make_agent(GaussianProcessSearch, HyperparameterSearch)
    generator = np.random.default_rng(0)
    tries = generator.integers([2, 2, 2, 2, 3, 3, 3], size=(12, 7)).tolist()
    accuracies = [0.6 + 0.1 * levels[4] for levels in tries]
    (action,) = agent.act(history(tries, [2] * 12, accuracies))
    assert action[4] == 2
    assert action[-1] == 2


def test_equal_accuracies_are_no_division_by_zero() -> None:
    """As at the start of a search in which nothing works."""
    agent = make_agent(GaussianProcessSearch, HyperparameterSearch)
    tries = np.random.default_rng(0).integers(2, size=(5, 7)).tolist()
    assert agent.act(history(tries, [2] * 5, [0.1] * 5)).shape == (1, 8)


def test_the_first_tries_are_random() -> None:
    """As many as it is told, and at least one."""
    agent = make_agent(GaussianProcessSearch, HyperparameterSearch, learning_starts=2)
    seen = history([[0] * 7], [2], [0.5])
    many = {name: np.repeat(value, 50, 0) for name, value in seen.items()}
    assert len(np.unique(agent.act(many), axis=0)) > 30
    with pytest.raises(UnknownHyperparameter, match="learning_starts"):
        make_agent(GaussianProcessSearch, HyperparameterSearch, learning_starts=0)
