"""Losses of outputs, against literals and PyTorch's own."""

from __future__ import annotations

import math

import pytest
import torch
from torch.nn import functional

from mlds_bench.envs.landscape.problems.losses import LOSSES

OUTPUTS = torch.tensor([[0.5, -2.0, 3.0], [1.0, 0.0, -1.0]], dtype=torch.float64)
SIGNS = torch.tensor([[1.0, -1.0, -1.0], [1.0, 1.0, -1.0]], dtype=torch.float64)
CLASSES = torch.tensor([0, 1, 1])


def test_squares_are_averaged_or_summed() -> None:
    """Errors -.5, -1, 4, 0, -1, 0: squares sum to 18.25."""
    assert float(LOSSES["summed"].value(OUTPUTS, SIGNS)) == 18.25
    assert float(LOSSES["squared"].value(OUTPUTS, SIGNS)) == pytest.approx(18.25 / 6)


def test_the_cross_entropy_is_pytorch_s() -> None:
    """Columns are points; the mean is over points."""
    one_hot = functional.one_hot(CLASSES, 2).T.double()
    expected = functional.cross_entropy(OUTPUTS.T, CLASSES)
    torch.testing.assert_close(LOSSES["cross-entropy"].value(OUTPUTS, one_hot), expected)
    even = LOSSES["cross-entropy"].value(torch.zeros_like(OUTPUTS), one_hot)
    assert float(even) == pytest.approx(math.log(2.0))


@pytest.mark.parametrize("name", LOSSES)
def test_the_gradient_is_that_of_the_value(name: str) -> None:
    """Automatic differentiation agrees, also for a batch."""
    targets = functional.one_hot(CLASSES, 2).T.double() if name == "cross-entropy" else SIGNS
    batch = torch.stack([OUTPUTS, 0.3 * OUTPUTS - 1.0]).requires_grad_()
    (expected,) = torch.autograd.grad(LOSSES[name].value(batch, targets).sum(), batch)
    torch.testing.assert_close(LOSSES[name].gradient(batch.detach(), targets), expected)
