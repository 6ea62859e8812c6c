"""What holds for every problem: the batch is its points, the gradient is that of the loss."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.streams import Streams
from mlds_bench.measures.points import Block
from tests.envs.landscape.makers import SIZES, label, some, starts

each_size = pytest.mark.parametrize("size", SIZES, ids=label)


@each_size
def test_the_batch_agrees_with_the_generic_one(size: dict[str, Any]) -> None:
    """What is written by hand is vmap(grad_and_value(loss)), to rounding."""
    problem, theta = some(**size, count=6)
    loss, gradient = problem.loss_and_gradient(theta)
    generic_loss, generic_gradient = Problem.loss_and_gradient(problem, theta)
    torch.testing.assert_close(loss, generic_loss, rtol=1e-12, atol=1e-13)
    torch.testing.assert_close(gradient, generic_gradient, rtol=1e-11, atol=1e-13)
    assert loss.dtype == gradient.dtype == torch.float64
    assert (loss.shape, gradient.shape) == ((6,), (6, problem.dimension))


@each_size
def test_the_gradient_is_that_of_finite_differences(size: dict[str, Any]) -> None:
    """A second opinion on gradient and loss together, along a random direction."""
    problem, theta = some(**size, count=1)
    direction = starts(problem, 1, seed=5)
    direction /= direction.norm()
    step = 1e-5
    ahead, behind = (problem.loss(theta[0] + sign * step * direction[0]) for sign in (1, -1))
    slope = (problem.loss_and_gradient(theta)[1] * direction).sum()
    assert float(slope) == pytest.approx(float(ahead - behind) / (2 * step), rel=1e-6, abs=1e-8)


@each_size
def test_the_points_are_left_alone(size: dict[str, Any]) -> None:
    """Asking for a loss changes nothing, and a second answer is the same."""
    problem, theta = some(**size, count=3)
    before = theta.clone()
    first, second = problem.loss_and_gradient(theta), problem.loss_and_gradient(theta)
    assert torch.equal(theta, before)
    assert all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


@each_size
def test_the_bottom_is_below_all_losses_or_a_unit_below_the_saddle(size: dict[str, Any]) -> None:
    """A bound where there is one; elsewhere the saddle at the origin stands one unit above."""
    problem, theta = some(**size, count=200)
    if problem.bottom < 0.0:
        origin = torch.zeros(1, problem.dimension, dtype=torch.float64)
        loss, gradient = problem.loss_and_gradient(origin)
        assert float(loss) == problem.bottom + 1.0
        assert not gradient.any()
        assert float(problem.loss_and_gradient(1e3 * theta)[0].min()) < problem.bottom
    else:
        assert float(problem.loss_and_gradient(theta)[0].min()) >= problem.bottom


@each_size
def test_a_start_belongs_to_its_instance(size: dict[str, Any]) -> None:
    """Instance 1 starts at the same point alone, among 3, and among 5."""
    problem, theta = some(**size, count=5)
    assert torch.equal(theta[:3], starts(problem, 3))
    alone = problem.start(Streams(0, 5), np.array([1]))
    np.testing.assert_array_equal(alone[0], theta[1].numpy())


@pytest.mark.parametrize(
    ("size", "deviation"),
    [
        ({"name": "quadratic"}, 1.0),
        ({"name": "saddle"}, 0.1),
        ({"name": "xor"}, 0.5),
        ({"name": "teacher-student", "k": 9}, 1 / 3),
    ],
    ids=label,
)
def test_starts_have_the_spread_that_the_spec_says(size: dict[str, Any], deviation: float) -> None:
    """Normal coordinates of that standard deviation."""
    theta = some(**size, count=4000)[1]
    assert float(theta.std()) == pytest.approx(deviation, rel=0.03)
    assert float(theta.mean()) == pytest.approx(0.0, abs=0.03 * deviation)
    assert float(theta.abs().max()) > 3.0 * deviation


def test_a_block_knows_where_it_ends() -> None:
    """Weights count all their entries, biases their own."""
    assert Block("layer 1 weight", 3, (4, 5)).stop == 23
    assert Block("layer 1 bias", 23, (4,)).stop == 27
