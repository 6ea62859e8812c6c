"""Conjugate gradients and Fisher products against linear algebra and closed forms."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from mlds_bench.agents.numerics.natural_gradient import (
    conjugate_gradient,
    curvature_product,
    flat,
    move,
    step_length,
)
from mlds_bench.agents.numerics.policy_losses import mean_kl


def matrix(size: int) -> torch.Tensor:
    half = torch.from_numpy(np.random.default_rng(0).normal(size=(size, size)))
    return half @ half.T + torch.eye(size, dtype=torch.float64)


def test_as_many_iterations_as_dimensions_solve_the_system() -> None:
    """Against numpy's solver."""
    square, target = matrix(6), torch.arange(6, dtype=torch.float64)
    solution = conjugate_gradient(lambda vector: square @ vector, target, max_steps=6)
    expected = np.linalg.solve(square.numpy(), target.numpy())
    assert solution.numpy() == pytest.approx(expected)


def test_one_iteration_goes_down_the_steepest_slope() -> None:
    """t t / (t A t) times the target; by hand with A = diag(1, 3) and t = (1, 1): a half."""
    diagonal = torch.tensor([1.0, 3.0])
    solution = conjugate_gradient(lambda vector: diagonal * vector, torch.ones(2), max_steps=1)
    assert solution.tolist() == [0.5, 0.5]


def test_iterations_end_when_nothing_is_left() -> None:
    """The identity takes one product, and a target of zero none."""
    asked: list[torch.Tensor] = []

    def product(vector: torch.Tensor) -> torch.Tensor:
        asked.append(vector)
        return vector

    assert conjugate_gradient(product, torch.ones(3), max_steps=9).tolist() == [1.0] * 3
    assert len(asked) == 1
    assert conjugate_gradient(product, torch.zeros(3), max_steps=9).tolist() == [0.0] * 3
    assert len(asked) == 1


def test_the_curvature_of_the_divergence_is_the_fisher_matrix() -> None:
    """Of one softmax by its logits: diag(p) - p p', plus the damping."""
    chances = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    logits = chances.log().requires_grad_()
    divergence = mean_kl(logits.detach()[None], logits[None])
    product = curvature_product(divergence, [logits], damping=0.1)
    fisher = torch.diag(chances) - torch.outer(chances, chances) + 0.1 * torch.eye(3)
    for unit in torch.eye(3, dtype=torch.float64):
        torch.testing.assert_close(product(unit), fisher @ unit)


def test_a_step_is_as_long_as_the_divergence_allows() -> None:
    """Half x A x of the scaled direction is the divergence; no curvature, no step."""
    square, direction = matrix(4), torch.ones(4, dtype=torch.float64)
    length = step_length(direction, lambda vector: square @ vector, target_kl=0.02)
    step = length * direction
    assert 0.5 * step.dot(square @ step).item() == pytest.approx(0.02)
    assert step_length(direction, torch.zeros_like, target_kl=0.02) == 0.0


def test_small_natural_steps_have_the_divergence_they_promise() -> None:
    """Measured between the policies themselves, a hundredth of a nat off at most."""
    logits = torch.tensor([[0.3, -0.2, 0.9]], dtype=torch.float64, requires_grad=True)
    old = logits.detach().clone()
    product = curvature_product(mean_kl(old, logits), [logits], damping=0.0)
    direction = torch.tensor([1.0, 0.0, 0.0], dtype=torch.float64)
    length = step_length(direction, product, target_kl=1e-4)
    move([logits], flat([old]), length * direction)
    assert mean_kl(old, logits.detach()).item() == pytest.approx(1e-4, rel=0.02)
    assert math.isfinite(length)


def test_moving_keeps_shapes_and_order() -> None:
    """What `flat` made of parameters, `move` brings back to its place."""
    parameters = [torch.zeros(2, 2), torch.zeros(3)]
    move(parameters, torch.arange(7.0), torch.ones(7))
    assert parameters[0].tolist() == [[1.0, 2.0], [3.0, 4.0]]
    assert parameters[1].tolist() == [5.0, 6.0, 7.0]
    assert flat(parameters).tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0]
