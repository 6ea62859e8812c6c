"""What points are worth, the limits included."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.specs import Settings
from mlds_bench.envs.landscape.values import (
    gradient_norm,
    logarithm,
    query,
    restlessness,
    value,
)

NAN, INF = float("nan"), float("inf")


class Broken(Problem):
    """Gives back what it is asked about, whatever that is."""

    def loss(self, theta: Tensor) -> Tensor:
        return theta[0]

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        return theta[:, 0].clone(), theta.clone()


def test_a_query_is_finite() -> None:
    """NaN and infinities are the limit, what is beyond it is clipped, the rest is exact."""
    theta = np.array([[NAN, 1.0], [INF, -INF], [2e12, -3e12], [0.1, -7.0]])
    loss, gradient = query(Broken(make_problem(Settings(problem="saddle")).spec, 2), theta)
    assert loss.tolist() == [1e12, 1e12, 1e12, 0.1]
    assert gradient.tolist() == [[1e12, 1.0], [1e12, -1e12], [1e12, -1e12], [0.1, -7.0]]
    assert np.isnan(theta[0, 0])


@pytest.mark.parametrize("size", [1e200, -1e200, INF, NAN])
def test_what_is_too_large_is_clipped_without_a_warning(size: float) -> None:
    """Its square is no float64 any more."""
    theta = np.array([[1.0, size]])
    _, gradient = query(Broken(make_problem(Settings(problem="saddle")).spec, 2), theta)
    assert np.abs(gradient).max() == 1e12


def test_the_value_is_above_the_bottom_or_the_norm() -> None:
    """The limit marks divergence under either objective."""
    loss, gradient = np.array([15.0, 1e12, -5.0]), np.array([[3.0, 4.0], [0.0, 0.0], [1e12, 1e12]])
    above = value(loss, gradient, bottom=14.0, objective="loss")
    norm = value(loss, gradient, bottom=14.0, objective="gradient_norm")
    assert above.tolist() == [1.0, 1e12, -19.0]
    assert norm.tolist() == [5.0, 1e12, 1e12]


def test_the_norm_is_euclidean() -> None:
    """sqrt(sum g^2), a row each."""
    gradient = torch.randn(5, 7, dtype=torch.float64).numpy()
    assert gradient_norm(gradient) == pytest.approx(np.linalg.norm(gradient, axis=1))


def test_a_point_is_as_restless_as_its_worst_neuron() -> None:
    """Of two neurons with gradients (3, 4) and (0, 1) the first counts; of one, all of it."""
    gradient = np.array([[3.0, 4.0, 0.0, 1.0], [0.0, 0.0, 0.0, 2.0]])
    assert restlessness(gradient, 2).tolist() == [5.0, 2.0]
    np.testing.assert_array_equal(restlessness(gradient, 1), gradient_norm(gradient))


def test_logarithms_have_a_floor() -> None:
    """Nothing, less than nothing and hardly anything are 1e-30."""
    values = logarithm(np.array([100.0, 1e-7, 1e-40, 0.0, -3.0]))
    assert values.tolist() == [2.0, -7.0, -30.0, -30.0, -30.0]
