"""Adam against ``torch.optim.Adam`` and by hand."""

from __future__ import annotations

import pytest
import torch

from mlds_bench.agents.numerics.adam import Adam


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_every_step_is_that_of_torch(dtype: torch.dtype) -> None:
    """200 steps with random gradients and a falling learning rate."""
    generator = torch.Generator().manual_seed(0)
    ours = torch.randn(571, generator=generator, dtype=dtype)
    theirs = torch.nn.Parameter(ours.clone())
    adam = Adam(ours, beta1=0.8, beta2=0.99, eps=1e-6)
    optimizer = torch.optim.Adam([theirs], betas=(0.8, 0.99), eps=1e-6, foreach=False)
    for step in range(200):
        gradient = torch.randn(571, generator=generator, dtype=dtype) * 10.0 ** (-step / 50)
        rate = 0.01 / (1 + step)
        adam.update(gradient, rate)
        optimizer.param_groups[0]["lr"], theirs.grad = rate, gradient
        optimizer.step()
        torch.testing.assert_close(ours, theirs.detach())


def test_the_first_step_is_the_learning_rate() -> None:
    """Bias correction makes the first step the sign of the gradient times the rate."""
    parameters = torch.tensor([1.0, 1.0, 1.0])
    Adam(parameters).update(torch.tensor([1e-3, -5.0, 0.0]), 0.1)
    assert parameters.tolist() == pytest.approx([0.9, 1.1, 1.0], abs=1e-5)


def test_what_is_negligible_is_forgotten_and_nothing_else() -> None:
    """After a unit has died its averages decay to zero, not to denormals; no parameter notices."""
    gradient = torch.tensor([1.0, 1.0])
    ours = [torch.zeros(2), torch.zeros(2)]
    forgetful, other = (Adam(parameters) for parameters in ours)
    for step in range(2000):
        gradient[1] = 1.0 if step < 3 else 0.0
        for adam in (forgetful, other):
            adam.update(gradient, 0.01)
        forgetful.forget_negligible()
    assert torch.equal(*ours)
    assert forgetful._mean[0][1].item() == 0.0
    assert 0.0 < other._mean[0][1].item() < 1e-37
    assert torch.equal(forgetful._square[0], other._square[0])
