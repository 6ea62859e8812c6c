"""Networks: against torch.nn, the known local minimum, the layout of the flat point."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlds_bench.envs.landscape.data import digits, sinc, xor
from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.problems.networks import Network, blocks_of
from mlds_bench.envs.landscape.specs import Settings
from tests.envs.landscape.makers import some

KINDS: dict[str, type[nn.Module]] = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}


def network(name: str, **size: int | str) -> Network:
    """A problem that is a network."""
    problem: Problem = make_problem(Settings(problem=name, **size))  # type: ignore[arg-type]
    assert isinstance(problem, Network)
    return problem


def twin(problem: Network, theta: Tensor) -> nn.Sequential:
    """The same network in torch.nn, with the weights of a flat point."""
    modules: list[nn.Module] = []
    for inputs, outputs in pairwise(problem.layers):
        modules += [nn.Linear(inputs, outputs, dtype=torch.float64), KINDS[problem.activation]()]
    model = nn.Sequential(*modules[:-1])
    nn.utils.vector_to_parameters(theta, model.parameters())
    return model


@pytest.mark.parametrize("activation", KINDS)
def test_outputs_and_loss_are_those_of_torch(activation: str) -> None:
    """A deep network on the sinc: the layout is that of parameters_to_vector."""
    problem = network("sinc", hidden=6, depth=3, activation=activation, points=9)
    theta = some("sinc", 1, hidden=6, depth=3, points=9)[1][0]
    data = sinc(9)
    outputs = twin(problem, theta)(torch.from_numpy(data.inputs))
    torch.testing.assert_close(problem.outputs(theta).T, outputs)
    expected = nn.functional.mse_loss(outputs, torch.from_numpy(data.targets))
    torch.testing.assert_close(problem.loss(theta), expected)


def test_the_loss_on_digits_is_the_cross_entropy() -> None:
    """Of the network 16-36-10 with 982 parameters."""
    problem = network("digits")
    theta = some("digits", 1)[1][0]
    data = digits(500)
    logits = twin(problem, theta)(torch.from_numpy(data.inputs))
    labels = torch.from_numpy(data.targets.argmax(axis=1))
    torch.testing.assert_close(problem.loss(theta), nn.functional.cross_entropy(logits, labels))
    assert problem.dimension == 982


def test_the_default_sizes() -> None:
    """13 parameters on XOR, 141 on the sinc: the figures that timings are given for."""
    assert [
        make_problem(Settings(problem=name)).dimension for name in ("xor", "sinc", "dead-relu")
    ] == [13, 141, 4]


def test_xor_can_be_solved_with_two_neurons() -> None:
    """2 |x1 - x2| - 1 = 2 relu(x1 - x2) + 2 relu(x2 - x1) - 1 has no loss."""
    weights = [1.0, -1.0, -1.0, 1.0, 0.0, 0.0, 2.0, 2.0, -1.0]
    theta = torch.tensor([weights], dtype=torch.float64)
    loss, gradient = network("xor", hidden=2).loss_and_gradient(theta)
    assert float(loss) == 0.0
    assert not gradient.any()
    assert xor().targets[:, 0].tolist() == network("xor", hidden=2).outputs(theta[0])[0].tolist()


def test_the_dead_relu_has_its_local_minimum() -> None:
    """Loss 18 at v = 1, b = -3, w = 1, c = 0 (the order here is w, b, v, c), and nowhere less."""
    problem = make_problem(Settings(problem="dead-relu"))
    known = torch.tensor([1.0, -3.0, 1.0, 0.0], dtype=torch.float64)
    loss, gradient = problem.loss_and_gradient(known[None])
    assert float(loss) == 18.0
    assert not gradient.any()
    generator = torch.Generator().manual_seed(0)
    around = torch.randn(5000, 4, generator=generator, dtype=torch.float64)
    radii = torch.logspace(-6, -1, 5000, dtype=torch.float64)[:, None]
    near = known + radii * around / around.norm(dim=1, keepdim=True)
    assert float(problem.loss_and_gradient(near)[0].min()) >= 18.0 - 1e-12


def test_the_dead_relu_has_a_better_minimum_elsewhere() -> None:
    """14 is reached by a neuron that is active on (-1, 3) alone, and no start gets below."""
    problem = make_problem(Settings(problem="dead-relu"))
    best = torch.tensor([-1.0, 1.0, 1.5, 0.0], dtype=torch.float64)
    assert float(problem.loss(best)) == problem.bottom == 14.0
    theta = 2.0 * some("dead-relu", 500)[1]
    for _ in range(3000):
        theta = theta - 2e-3 * problem.loss_and_gradient(theta)[1]
    loss = problem.loss_and_gradient(theta)[0]
    finite = loss[loss.isfinite()]
    assert float(finite.min()) == pytest.approx(14.0, abs=1e-3)
    assert float(finite.min()) >= 14.0 - 1e-9


def test_blocks_cover_the_point_in_order() -> None:
    """Weight and bias of each layer, without a gap."""
    blocks = blocks_of((2, 3, 1))
    assert [(block.name, block.start, block.shape) for block in blocks] == [
        ("layer 1 weight", 0, (3, 2)),
        ("layer 1 bias", 6, (3,)),
        ("layer 2 weight", 9, (1, 3)),
        ("layer 2 bias", 12, (1,)),
    ]
    assert blocks[-1].stop == 13
    assert make_problem(Settings(problem="xor")).blocks == blocks
    assert make_problem(Settings(problem="saddle")).blocks == ()


def test_starts_of_the_larger_networks_are_bounded_by_the_fan_in() -> None:
    """Uniform in +- 1/sqrt(inputs), layer by layer, weights and biases alike."""
    problem, theta = some("sinc", 2000)
    for block, inputs in zip(problem.blocks, (1, 1, 10, 10, 10, 10), strict=True):
        part = theta[:, block.start : block.stop].numpy() * np.sqrt(inputs)
        assert 0.99 < np.abs(part).max() <= 1.0
        assert part.std() == pytest.approx(3**-0.5, rel=0.05)
