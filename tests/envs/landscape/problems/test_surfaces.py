"""The closed forms, against literals."""

from __future__ import annotations

import pytest
import torch

from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.specs import Settings
from mlds_bench.measures.hessian import hessian

POINT = torch.tensor([[2.0, -1.0]], dtype=torch.float64)


@pytest.mark.parametrize(
    ("name", "loss", "gradient"),
    [
        ("quadratic", 7.0, [4.0, -6.0]),
        ("saddle", -1.0, [-4.0, -6.0]),
        ("degenerate-minimum", 5.0, [4.0, -4.0]),
        ("degenerate-saddle", 3.0, [4.0, 4.0]),
        ("monkey-saddle", 2.0, [9.0, 12.0]),
    ],
)
def test_the_surfaces_are_the_lecture_s(name: str, loss: float, gradient: list[float]) -> None:
    """Loss and gradient at (2, -1)."""
    losses, gradients = make_problem(Settings(problem=name)).loss_and_gradient(POINT)
    assert losses.tolist() == [loss]
    assert gradients.tolist() == [gradient]


def test_the_degenerate_ones_cannot_be_told_apart_at_the_origin() -> None:
    """x^2 + y^4 and x^2 - y^4: the same loss, gradient and Hessian, a minimum and a saddle."""
    origin = torch.zeros(2, dtype=torch.float64)
    hessians = [
        hessian(make_problem(Settings(problem=name)).loss, origin).tolist()
        for name in ("degenerate-minimum", "degenerate-saddle")
    ]
    assert hessians == [[[2.0, 0.0], [0.0, 0.0]]] * 2


def test_deep_linear_against_literals() -> None:
    """(1 - 2 * 3 * 0)^2 and (1 - 1 * 2 * 3)^2: a weight of zero has a gradient, others none."""
    theta = torch.tensor([[2.0, 3.0, 0.0], [1.0, 2.0, 3.0]], dtype=torch.float64)
    loss, gradient = make_problem(Settings(problem="deep-linear", depth=3)).loss_and_gradient(theta)
    assert loss.tolist() == [1.0, 25.0]
    assert gradient.tolist() == [[0.0, 0.0, -12.0], [60.0, 30.0, 20.0]]


@pytest.mark.parametrize("depth", [2, 3, 5])
def test_deep_linear_has_a_saddle_without_negative_curvature(depth: int) -> None:
    """At the origin the gradient is zero; from three layers on the Hessian is, too."""
    problem = make_problem(Settings(problem="deep-linear", depth=depth))
    origin = torch.zeros(depth, dtype=torch.float64)
    assert not problem.loss_and_gradient(origin[None])[1].any()
    lowest = float(torch.linalg.eigvalsh(hessian(problem.loss, origin)).min())
    assert lowest == pytest.approx(-2.0 if depth == 2 else 0.0)
