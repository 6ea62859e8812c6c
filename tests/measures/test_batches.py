"""Losses and gradients of many points."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

from mlds_bench.measures import batches
from mlds_bench.measures.batches import (
    as_points,
    losses,
    losses_and_gradients,
    points_per_piece,
)
from tests.measures.small import draw, network
from tests.processes import python


def test_a_batch_is_its_points_one_by_one() -> None:
    """Losses and gradients of a batch are those of a loop with autograd."""
    loss, dimension = network((1, 5, 5, 1))
    points = draw(7, dimension)
    values, slopes = losses_and_gradients(loss, points)
    for point, value, slope in zip(points, values, slopes, strict=True):
        leaf = point.clone().requires_grad_()
        expected = loss(leaf)
        expected.backward()  # type: ignore[no-untyped-call]
        assert leaf.grad is not None
        assert value == pytest.approx(expected.item(), rel=1e-13)
        assert slope == pytest.approx(leaf.grad.numpy(), rel=1e-11, abs=1e-14)
    assert losses(loss, points) == pytest.approx(values, rel=1e-13)


def test_pieces_do_not_change_the_result(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the working memory, down to one point at a time."""
    loss, dimension = network((1, 5, 5, 1))
    points = draw(7, dimension)
    values, slopes = losses_and_gradients(loss, points)
    for memory in (1, 100_000):
        monkeypatch.setattr(batches, "WORKING_BYTES", memory)
        again, slopes_again = losses_and_gradients(loss, points)
        assert again == pytest.approx(values, rel=1e-13)
        assert losses(loss, points) == pytest.approx(values, rel=1e-13)
        assert slopes_again == pytest.approx(slopes, rel=1e-11, abs=1e-14)


def test_a_single_point_gives_a_single_value() -> None:
    """(d,) gives () and (d,); no points give none; arrays are as good as tensors."""
    value, slope = losses_and_gradients(torch.sum, np.array([1.0, 2.0]))
    assert (value.shape, float(value), slope.tolist()) == ((), 3.0, [1.0, 1.0])
    assert losses(torch.sum, np.empty((0, 2))).shape == (0,)
    assert losses_and_gradients(torch.sum, np.empty((0, 2)))[1].shape == (0, 2)


def test_a_constant_has_no_gradient() -> None:
    """A loss that does not depend on its point is no error."""
    value, slope = losses_and_gradients(lambda _: torch.tensor(4.0), np.ones((3, 2)))
    assert value.tolist() == [4.0, 4.0, 4.0]
    assert not slope.any()


def test_a_point_that_diverged_spoils_no_other() -> None:
    """Infinite and missing numbers stay in their row."""
    loss, dimension = network((1, 5, 5, 1), torch.relu)
    points = draw(4, dimension)
    expected, expected_slopes = losses_and_gradients(loss, points)
    points[1], points[2] = torch.inf, torch.nan
    value, slope = losses_and_gradients(loss, points)
    assert np.isfinite(value).tolist() == [True, False, False, True]
    assert value[[0, 3]] == pytest.approx(expected[[0, 3]], rel=1e-13)
    assert slope[[0, 3]] == pytest.approx(expected_slopes[[0, 3]], rel=1e-11, abs=1e-14)


def test_gradients_are_computed_where_they_are_switched_off() -> None:
    """Callers may be inside ``torch.no_grad``, and their points may have a history."""
    with torch.no_grad():
        _, slope = losses_and_gradients(lambda x: x @ x, torch.ones(2, requires_grad=True))
    assert slope.tolist() == [2.0, 2.0]


def test_larger_losses_are_cut_into_smaller_pieces() -> None:
    """What a loss keeps for its gradient is counted: ten times the examples, a tenth the piece."""

    def loss_of(examples: int) -> batches.Loss:
        inputs = torch.linspace(0.0, 1.0, examples, dtype=torch.float64)

        def loss(theta: Tensor) -> Tensor:
            return torch.tanh(inputs * theta[0]).square().mean()

        return loss

    point = torch.zeros(1, dtype=torch.float64)
    few, many = (points_per_piece(loss_of(n), point) for n in (1000, 10_000))
    assert few == pytest.approx(10 * many, rel=0.05)
    twice = points_per_piece(lambda theta: loss_of(1000)(theta) + loss_of(1000)(-theta), point)
    assert twice == pytest.approx(few / 2, rel=0.05)
    assert 1 < many < batches.WORKING_BYTES / (8 * 10_000)


@pytest.mark.parametrize("shape", [(), (2, 3, 4), (3, 0)])
def test_points_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    """One line names the shape."""
    with pytest.raises(ValueError, match=r"must have shape \(d,\) or \(N, d\), got \("):
        as_points(np.zeros(shape))


def test_gradients_import_no_compiler() -> None:
    """``torch.func.grad`` would import ``torch._dynamo``: two seconds for nobody."""
    script = (
        "import sys, torch;"
        "from mlds_bench.measures.hessian import minimal_ratio;"
        "minimal_ratio(lambda x: (x @ x) ** 2, torch.ones(3, 2));"
        "sys.exit('torch._dynamo' in sys.modules)"
    )
    outcome = python("-c", script)
    assert outcome.returncode == 0, outcome.stderr
