"""The network and its gradient by hand, against ``torch.nn`` and autograd."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from mlds_bench.agents.numerics.mlp import (
    SquaredErrorGradient,
    face_in_turn,
    forward,
    initial_parameters,
    layers,
    normalize_hidden_units,
    parameter_count,
)

SIZES = [(1, 190, 1), (1, 5, 10, 10, 5, 1), (2, 7, 3, 2), (3, 1)]


def random_parameters(sizes: tuple[int, ...]) -> torch.Tensor:
    """Parameters in float64, so that comparisons are sharp."""
    return initial_parameters(sizes, torch.Generator().manual_seed(0)).double()


def reference(parameters: torch.Tensor, sizes: tuple[int, ...]) -> nn.Sequential:
    """The same network of ``torch.nn`` modules."""
    modules: list[nn.Module] = []
    for layer in layers(parameters, sizes):
        rows, columns = layer.shape
        linear = nn.Linear(columns - 1, rows, dtype=torch.float64)
        with torch.no_grad():
            linear.weight.copy_(layer[:, :-1])
            linear.bias.copy_(layer[:, -1])
        modules += [linear, nn.ReLU()]
    return nn.Sequential(*modules[:-1])


def batch(sizes: tuple[int, ...], count: int = 37) -> tuple[torch.Tensor, torch.Tensor]:
    """Random inputs (d, B) and targets (k, B)."""
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(sizes[0], count, dtype=torch.float64, generator=generator)
    return inputs, torch.randn(sizes[-1], count, dtype=torch.float64, generator=generator)


@pytest.mark.parametrize(
    ("sizes", "count"),
    [
        ((1, 190, 1), 571),
        ((1, 10, 18, 15, 4, 1), 572),
        ((1, 5, 10, 10, 10, 10, 10, 5, 1), 571),
        ((2, 190, 1), 761),
    ],
)
def test_the_course_s_networks_have_the_course_s_sizes(sizes: tuple[int, ...], count: int) -> None:
    """571, 572 and 571 parameters; with two inputs the first layer is wider."""
    assert parameter_count(sizes) == count == len(random_parameters(sizes))


@pytest.mark.parametrize("sizes", SIZES)
def test_forward_is_that_of_torch(sizes: tuple[int, ...]) -> None:
    """The outputs of Linear and ReLU modules."""
    parameters = random_parameters(sizes)
    inputs, _ = batch(sizes)
    expected = reference(parameters, sizes)(inputs.T).T
    torch.testing.assert_close(forward(parameters, sizes, inputs), expected)


@pytest.mark.parametrize("sizes", SIZES)
def test_the_gradient_is_autograd_s(sizes: tuple[int, ...]) -> None:
    """Of ``mse_loss`` by every weight and bias, twice in a row with other parameters."""
    parameters = random_parameters(sizes)
    gradient, (inputs, targets) = torch.empty_like(parameters), batch(sizes)
    predictions = torch.empty_like(targets)
    descend = SquaredErrorGradient(sizes, parameters, gradient, batch_size=inputs.shape[1])
    for _ in range(2):
        parameters -= 0.1
        network = reference(parameters, sizes)
        outputs = network(inputs.T).T
        nn.functional.mse_loss(outputs, targets).backward()  # type: ignore[no-untyped-call]
        descend(inputs, targets, predictions)
        torch.testing.assert_close(predictions, outputs.detach())
        modules = [module for module in network if isinstance(module, nn.Linear)]
        for layer, module in zip(layers(gradient, sizes), modules, strict=True):
            torch.testing.assert_close(layer[:, :-1], module.weight.grad)
            torch.testing.assert_close(layer[:, -1], module.bias.grad)


def test_the_gradient_of_one_unit_by_hand() -> None:
    """y = 2 relu(3 x - 1) + 0.5 at x = 1, target 4: error 0.5."""
    parameters = torch.tensor([3.0, -1.0, 2.0, 0.5])
    gradient, said = torch.empty(4), torch.empty(1, 1)
    descend = SquaredErrorGradient((1, 1, 1), parameters, gradient, batch_size=1)
    descend(torch.tensor([[1.0]]), torch.tensor([[4.0]]), said)
    assert said.item() == 4.5
    assert gradient.tolist() == [2.0, 2.0, 2.0, 1.0]


def test_initial_parameters_are_spread_as_torch_spreads_them() -> None:
    """Uniform in +-1/sqrt(inputs), weights and biases alike, as nn.Linear documents."""
    sizes = (4, 400, 16, 50)
    parameters = initial_parameters(sizes, torch.Generator().manual_seed(0))
    for layer, bound in zip(layers(parameters, sizes), (0.5, 0.05, 0.25), strict=True):
        assert bound * 0.99 < float(layer.abs().max()) <= bound
        assert float(layer.mean()) == pytest.approx(0.0, abs=0.1 * bound)
        assert float(layer.std()) == pytest.approx(bound / math.sqrt(3.0), rel=0.05)
    again = initial_parameters(sizes, torch.Generator().manual_seed(0))
    assert torch.equal(parameters, again)


def felt(
    parameters: torch.Tensor, sizes: tuple[int, ...], inputs: torch.Tensor
) -> list[torch.Tensor]:
    """What the units of each hidden layer feel before their ReLU."""
    before, values = [], inputs
    for layer in layers(parameters, sizes)[:-1]:
        before.append(layer[:, :-1] @ values + layer[:, -1:])
        values = before[-1].relu()
    return before


def test_normalized_units_feel_mean_0_and_variance_1() -> None:
    """In every hidden layer, when thresholds are not spread; the output layer is left alone."""
    sizes = (2, 30, 20, 10, 1)
    parameters = random_parameters(sizes).float()
    last = layers(parameters, sizes)[-1].clone()
    inputs = torch.rand(2, 5000, generator=torch.Generator().manual_seed(2))
    normalize_hidden_units(
        parameters, sizes, inputs, torch.Generator().manual_seed(3), threshold_spread=0.0
    )
    for before in felt(parameters, sizes, inputs):
        torch.testing.assert_close(before.mean(dim=1), torch.zeros(len(before)), atol=1e-4, rtol=0)
        torch.testing.assert_close(before.std(dim=1), torch.ones(len(before)), atol=1e-3, rtol=0)
    assert torch.equal(layers(parameters, sizes)[-1], last)


def test_thresholds_are_spread_as_asked() -> None:
    """The means that the units feel have the standard deviation of the thresholds."""
    sizes = (1, 2000, 1)
    parameters = random_parameters(sizes).float()
    inputs = torch.rand(1, 1000, generator=torch.Generator().manual_seed(2))
    normalize_hidden_units(
        parameters, sizes, inputs, torch.Generator().manual_seed(3), threshold_spread=0.5
    )
    (before,) = felt(parameters, sizes, inputs)
    assert float(before.mean(dim=1).std()) == pytest.approx(0.5, rel=0.05)
    assert float(before.std(dim=1).mean()) == pytest.approx(1.0, rel=1e-3)


def test_a_unit_that_feels_nothing_stays_finite() -> None:
    """Constant inputs have no variance; the parameters stay numbers."""
    parameters = random_parameters((1, 4, 4, 1)).float()
    normalize_hidden_units(
        parameters, (1, 4, 4, 1), torch.ones(1, 10), torch.Generator(), threshold_spread=0.5
    )
    assert bool(torch.isfinite(parameters).all())


def test_rows_face_up_and_down_in_turn() -> None:
    """Flipped where they must be, and otherwise the same."""
    weights = torch.tensor([[-1.0, 0.5], [-3.0, 1.0], [2.0, 1.0], [0.25, 0.5]])
    face_in_turn(weights)
    assert weights.tolist() == [[1.0, -0.5], [-3.0, 1.0], [2.0, 1.0], [-0.25, -0.5]]


@pytest.mark.parametrize("seed", range(32))
def test_every_input_is_felt_by_the_first_layer(seed: int) -> None:
    """Five units of one input, however drawn: at both ends of the interval some are on."""
    sizes, generator = (1, 5, 1), torch.Generator().manual_seed(seed)
    parameters = initial_parameters(sizes, generator)
    inputs = torch.linspace(0.0, 1.0, 101)[None]
    normalize_hidden_units(parameters, sizes, inputs, generator, threshold_spread=0.25)
    (before,) = felt(parameters, sizes, inputs)
    assert bool((before[:, [0, -1]] > 0.0).any(dim=0).all())
