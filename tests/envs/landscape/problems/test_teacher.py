"""Teacher and student: the closed form against sampling, literals, and the paper's own facts."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from torch import Tensor

from mlds_bench.envs.landscape.problems import teacher
from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.specs import Settings
from mlds_bench.measures.hessian import hessian
from tests.envs.landscape.makers import some


def point(*rows: list[float]) -> Tensor:
    """One student as a batch of one."""
    return torch.tensor([[value for row in rows for value in row]], dtype=torch.float64)


def test_the_loss_is_the_mean_over_gaussian_inputs() -> None:
    """Two million samples of 1/2 (student - teacher)^2, within four standard errors."""
    problem, theta = some("teacher-student", 1, k=3, n=4)
    generator = torch.Generator().manual_seed(0)
    x = torch.randn(2_000_000, 3, generator=generator, dtype=torch.float64)
    student = (x @ theta[0].reshape(4, 3).T).relu().sum(1)
    sample = 0.5 * (student - x.relu().sum(1)).square()
    error = float(sample.std()) / math.sqrt(len(sample))
    assert float(problem.loss(theta[0])) == pytest.approx(float(sample.mean()), abs=4 * error)


def test_one_neuron_against_literals() -> None:
    """k = 1: w = 2 leaves 1/2 E[relu(x)^2] = 1/4; w = -1 leaves 1/2 E[x^2] = 1/2."""
    problem = make_problem(Settings(problem="teacher-student", k=1))
    loss, gradient = problem.loss_and_gradient(torch.tensor([[2.0], [-1.0]], dtype=torch.float64))
    assert loss.tolist() == pytest.approx([0.25, 0.5])
    assert gradient.tolist() == [[pytest.approx(0.5)], [pytest.approx(-0.5)]]


@pytest.mark.parametrize("k", [2, 6, 20])
def test_the_teacher_solves_it(k: int) -> None:
    """At any order of the teacher's neurons loss and gradient vanish to rounding."""
    order = torch.randperm(k, generator=torch.Generator().manual_seed(1))
    theta = torch.eye(k, dtype=torch.float64)[order].reshape(1, -1)
    loss, gradient = make_problem(Settings(problem="teacher-student", k=k)).loss_and_gradient(theta)
    assert abs(float(loss)) < 1e-13
    assert float(gradient.abs().max()) < 1e-14


def test_the_gradient_is_exact_where_descent_stops() -> None:
    """Near the solution, where arc cosines are at their worst, it is still good below 1e-9."""
    problem, theta = some("teacher-student", 3, k=6)
    near = torch.eye(6, dtype=torch.float64).reshape(1, -1) + 1e-7 * theta
    curvature = hessian(problem.loss, torch.eye(6, dtype=torch.float64).flatten())
    expected = 1e-7 * theta @ curvature
    gradient = problem.loss_and_gradient(near)[1]
    assert float((gradient - expected).abs().max()) < 1e-12


@pytest.mark.parametrize(("k", "n"), [(1, 1), (2, 5), (6, 4)])
def test_the_closed_hessian_is_the_derivative_of_the_loss(k: int, n: int) -> None:
    """Against differentiation, twice and reverse, at random students."""
    problem, theta = some("teacher-student", 7, k=k, n=n)
    assert problem.hessians is not None
    closed, derived = problem.hessians(theta.numpy()), hessian(problem.loss, theta).numpy()
    assert closed == pytest.approx(derived, abs=1e-12)


def test_the_closed_hessian_where_neurons_share_a_line() -> None:
    """At the teacher, doubled and mirrored there is no angle to turn in, and no 0 / 0."""
    problem, theta = (
        make_problem(Settings(problem="teacher-student", k=2, n=3)),
        point([1, 0], [2, 0], [-1, 0]),
    )
    assert problem.hessians is not None
    closed = problem.hessians(theta.numpy())
    assert closed == pytest.approx(hessian(problem.loss, theta).numpy(), abs=1e-15)
    assert closed[0, :2, 2:4] == pytest.approx(0.5 * np.eye(2))
    assert closed[0, :2, 4:] == pytest.approx(np.zeros((2, 2)))
    assert np.isfinite(problem.hessians(np.zeros((1, 6)))).all()


def test_a_split_neuron_solves_it_too() -> None:
    """n = k + 1: halves of one teacher neuron add up to it."""
    problem = make_problem(Settings(problem="teacher-student", k=2, n=3))
    loss, gradient = problem.loss_and_gradient(point([0.5, 0.0], [0.5, 0.0], [0.0, 1.0]))
    assert abs(float(loss)) < 1e-15
    assert float(gradient.abs().max()) < 1e-15


def test_a_vanished_neuron_is_no_accident() -> None:
    """A neuron of length 0 has no direction; loss and gradient stay finite."""
    loss, gradient = make_problem(Settings(problem="teacher-student", k=2)).loss_and_gradient(
        point([0.0, 0.0], [0.0, 1.0])
    )
    assert float(loss) == pytest.approx(0.25)
    assert gradient.isfinite().all()


def test_pieces_of_the_batch_do_not_matter(monkeypatch: pytest.MonkeyPatch) -> None:
    """The batch is cut to fit the processor's cache: the same losses and gradients."""
    problem, theta = some("teacher-student", 11, k=5)
    whole = problem.loss_and_gradient(theta)
    monkeypatch.setattr(teacher, "CHUNK", 200)
    for one, other in zip(whole, problem.loss_and_gradient(theta), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-13, atol=1e-15)


def test_descent_finds_the_teacher_or_a_bad_minimum() -> None:
    """k = n = 8, steps of 0.1: most runs solve it, some end at .01 to .05 as in the paper."""
    problem, theta = some("teacher-student", 200, k=8)
    for _ in range(2500):
        theta = theta - 0.1 * problem.loss_and_gradient(theta)[1]
    loss = problem.loss_and_gradient(theta)[0]
    stuck = loss[loss >= 1e-3]
    assert 0.03 < len(stuck) / 200 < 0.25
    assert 0.01 < float(stuck.mean()) < 0.05
