"""Kronecker factors against explicit sums, dense matrices and an exact Newton step."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlds_bench.agents.numerics.kronecker import (
    KroneckerCurvature,
    damped_inverses,
    input_factor,
    output_factor,
)


def drawn(*shape: int, seed: int = 0) -> Tensor:
    return torch.from_numpy(np.random.default_rng(seed).normal(size=shape))


def test_factors_of_a_linear_layer_by_hand() -> None:
    """Inputs (2,) and (4,) with the 1 of the bias; gradients 3 and 1."""
    layer = nn.Linear(1, 1)
    assert input_factor(layer, torch.tensor([[2.0], [4.0]])).tolist() == [[10.0, 3.0], [3.0, 1.0]]
    assert output_factor(torch.tensor([[3.0], [1.0]])).tolist() == [[5.0]]


def test_patches_of_a_convolution_are_summed_and_its_gradients_averaged() -> None:
    """Place by place, kernel 2 and stride 2 on 4x6 pictures of 3 channels."""
    layer, pictures, slopes = nn.Conv2d(3, 5, 2, 2), drawn(7, 3, 4, 6), drawn(7, 5, 2, 3, seed=1)
    inputs, outputs = np.zeros((13, 13)), np.zeros((5, 5))
    for example, row, column in np.ndindex(7, 2, 3):
        part = pictures[example, :, 2 * row : 2 * row + 2, 2 * column : 2 * column + 2]
        patch = np.append(part.numpy().ravel(), 1.0)
        inputs += np.outer(patch, patch) / 7
        slope = slopes[example, :, row, column].numpy()
        outputs += np.outer(slope, slope) / (7 * 6)
    assert input_factor(layer, pictures).numpy() == pytest.approx(inputs)
    assert output_factor(slopes).numpy() == pytest.approx(outputs)


def test_a_convolution_over_the_whole_picture_is_a_linear_layer() -> None:
    """One place alone."""
    pictures = drawn(4, 2, 3, 3)
    whole = input_factor(nn.Conv2d(2, 1, 3), pictures)
    torch.testing.assert_close(whole, input_factor(nn.Linear(18, 1), pictures.flatten(1)))


def test_damping_is_shared_by_the_mean_eigenvalues() -> None:
    """diag(4, 4) and diag(1, 1) with damping 1: 4 + 2 and 1 + 1/2."""
    inputs, outputs = damped_inverses(4.0 * torch.eye(2), torch.eye(2), damping=1.0)
    assert inputs.diagonal().tolist() == pytest.approx([1.0 / 6.0] * 2)
    assert outputs.diagonal().tolist() == pytest.approx([1.0 / 1.5] * 2)


@pytest.mark.parametrize("size", [33, 129, 513])
def test_a_factor_of_a_single_direction_is_inverted_whatever_the_damping(size: int) -> None:
    """All units alike, in float32: next to the one eigenvalue the others are rounding errors."""
    rows = 100.0 * drawn(1, size).float().expand(64, size)
    inputs, outputs = damped_inverses(rows.T @ rows / 64, torch.eye(2), damping=1e-20)
    assert torch.isfinite(inputs).all()
    assert torch.isfinite(outputs).all()
    along, eigenvalue = rows[0] / rows[0].norm(), float(rows[0] @ rows[0])
    assert float(along @ inputs @ along) == pytest.approx(1.0 / eigenvalue, rel=0.1)


def watched(layers: list[nn.Linear], inputs: Tensor, curvature: KroneckerCurvature) -> Tensor:
    with curvature.watching():
        outputs = inputs
        for layer in layers:
            outputs = layer(outputs)
    return outputs


def test_the_natural_gradient_solves_the_dense_system() -> None:
    """Of the Kronecker product of the damped factors, against numpy."""
    layer, inputs, slopes = nn.Linear(3, 2).double(), drawn(50, 3), drawn(50, 2, seed=1)
    curvature = KroneckerCurvature([layer], stat_decay=0.9, damping=0.1)
    (watched([layer], inputs, curvature) * slopes).sum().backward()  # type: ignore[no-untyped-call]
    curvature.update()
    curvature.invert()
    layer.weight.grad, layer.bias.grad = drawn(2, 3, seed=2), drawn(2, seed=3)
    slope = torch.cat([layer.weight.grad, layer.bias.grad[:, None]], dim=1).numpy().copy()
    rise = curvature.precondition()
    factors = damped_inverses(input_factor(layer, inputs), output_factor(slopes), damping=0.1)
    dense = np.kron(*(np.linalg.inv(factor.numpy()) for factor in reversed(factors)))
    expected = np.linalg.solve(dense, slope.ravel()).reshape(2, 4)
    assert layer.weight.grad.numpy() == pytest.approx(expected[:, :3])
    assert layer.bias.grad.numpy() == pytest.approx(expected[:, 3])
    assert rise == pytest.approx(float((slope * expected).sum()))


def test_one_natural_step_solves_least_squares() -> None:
    """Where the Fisher matrix is exact (one output, noise +-1) the step is Newton's."""
    torch.manual_seed(0)
    layer, inputs, targets = nn.Linear(4, 1).double(), drawn(200, 4), drawn(200, seed=1)
    curvature = KroneckerCurvature([layer], stat_decay=0.9, damping=1e-12)
    noise = torch.ones(200, 1, dtype=torch.float64)
    noise[::2] = -1.0
    (watched([layer], inputs, curvature) * noise).sum().backward()  # type: ignore[no-untyped-call]
    curvature.update()
    curvature.invert()
    layer.zero_grad()
    (0.5 * (layer(inputs)[:, 0] - targets).square().mean()).backward()
    curvature.precondition()
    torch.optim.SGD(layer.parameters(), lr=1.0).step()
    rows = np.column_stack([inputs.numpy(), np.ones(200)])
    expected = np.linalg.lstsq(rows, targets.numpy(), rcond=None)[0]
    assert layer.weight.detach().numpy()[0] == pytest.approx(expected[:4], abs=1e-5)
    assert layer.bias.item() == pytest.approx(expected[4], abs=1e-5)


def test_factors_are_averaged_over_batches() -> None:
    """The first is taken as it is, the second with a tenth; layers are told apart."""
    layers = [nn.Linear(2, 3).double(), nn.Linear(3, 2).double()]
    curvature, batches = KroneckerCurvature(layers, stat_decay=0.9, damping=0.1), []
    for seed in (0, 1):
        inputs = drawn(9, 2, seed=seed)
        watched(layers, inputs, curvature).sum().backward()  # type: ignore[no-untyped-call]
        curvature.update()
        between = layers[0](inputs).detach()
        batches.append((input_factor(layers[0], inputs), input_factor(layers[1], between)))
    for place in (0, 1):
        expected = 0.9 * batches[0][place] + 0.1 * batches[1][place]
        torch.testing.assert_close(curvature._factors[place][0], expected)
    torch.testing.assert_close(curvature._factors[1][1], torch.ones(2, 2, dtype=torch.float64))


def test_nothing_is_watched_outside() -> None:
    """The hooks are gone, whatever happened within."""
    layer = nn.Linear(2, 1).double()
    curvature = KroneckerCurvature([layer], stat_decay=0.9, damping=0.1)
    with pytest.raises(RuntimeError, match="within"), curvature.watching():
        raise RuntimeError("within")
    layer(drawn(3, 2))
    assert curvature._inputs == []
