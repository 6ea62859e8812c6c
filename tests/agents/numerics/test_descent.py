"""One step down a clipped gradient, by hand."""

from __future__ import annotations

import pytest
import torch

from mlds_bench.agents.numerics.descent import descend


@pytest.mark.parametrize(("max_grad_norm", "step"), [(1.0, (0.6, 0.8)), (100.0, (3.0, 4.0))])
def test_the_joint_gradient_is_clipped(max_grad_norm: float, step: tuple[float, float]) -> None:
    """The gradient (3, 4) of two parameters has norm 5; what was accumulated before is dropped."""
    parameters = [torch.zeros((), requires_grad=True) for _ in range(2)]
    for parameter in parameters:
        parameter.grad = torch.tensor(7.0)
    loss = 3.0 * parameters[0] + 4.0 * parameters[1]
    optimizer = torch.optim.SGD(parameters, lr=1.0)
    descend(optimizer, loss, parameters, max_grad_norm=max_grad_norm)
    assert [-parameter.item() for parameter in parameters] == pytest.approx(step, rel=1e-5)
