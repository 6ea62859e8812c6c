"""Networks as losses of one flat point."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from mlds_bench.measures import networks
from mlds_bench.measures.batches import losses, losses_and_gradients
from mlds_bench.measures.networks import (
    Split,
    assign_parameters,
    evaluate,
    flat_loss,
    flat_parameters,
    parameter_blocks,
    recompute_statistics,
)
from mlds_bench.measures.surface import filter_normalized, random_plane, surface
from tests.measures.nets import labeled, perceptron
from tests.measures.small import draw


def lived(seed: int = 0) -> nn.Sequential:
    """A network with batch norm and dropout that has seen some data."""
    network = perceptron(seed, norm=True, dropout=0.5)
    network(3.0 * labeled(seed=7).inputs + 1.0)
    return network


def test_the_flat_point_is_pytorchs_own() -> None:
    """In float64, and it can be written back."""
    network, other = perceptron(0).float(), perceptron(1).float()
    theta = flat_parameters(network)
    assert theta.dtype == torch.float64
    assert not theta.requires_grad
    expected = nn.utils.parameters_to_vector(network.parameters())
    assert torch.equal(theta, expected.detach().double())
    assign_parameters(other, theta)
    assert torch.equal(flat_parameters(other), theta)


def test_the_loss_is_that_of_the_network_as_it_is_tested() -> None:
    """Evaluation mode: no dropout, running statistics; value and gradient by autograd."""
    network, split = lived(), labeled()
    loss, theta = flat_loss(network, split), flat_parameters(network)
    assert network.training
    expected = cross_entropy(network.eval()(split.inputs), split.labels)
    expected.backward()  # type: ignore[no-untyped-call]
    slopes = torch.cat([p.grad.reshape(-1) for p in network.parameters() if p.grad is not None])
    value, gradient = losses_and_gradients(loss, theta)
    assert value == pytest.approx(expected.item(), rel=1e-13)
    assert gradient == pytest.approx(slopes.numpy(), abs=1e-14)


def test_later_training_changes_nothing() -> None:
    """Parameters and statistics are those of the moment."""
    network, split = lived(), labeled()
    loss, theta = flat_loss(network, split), flat_parameters(network)
    before = float(loss(theta))
    network.train()(100.0 * split.inputs)
    assign_parameters(network, torch.zeros_like(theta))
    assert float(loss(theta)) == before


@pytest.mark.parametrize("make", [perceptron, lived])
def test_a_batch_of_points_is_each_by_itself(make: Callable[[], nn.Module]) -> None:
    """Under vmap, batch norm included."""
    network, split = make(), labeled()
    points = flat_parameters(network) + 0.3 * draw(5, len(flat_parameters(network)))
    found = losses(flat_loss(network, split), points)
    for point, value in zip(points, found, strict=True):
        assign_parameters(network, point)
        assert value == pytest.approx(evaluate(network, split)[0], rel=1e-12)


def test_a_network_in_single_precision_is_computed_in_it() -> None:
    """The point stays float64, and so does the loss."""
    network, split = perceptron(), labeled()
    single = Split(split.inputs.float(), split.labels)
    theta = flat_parameters(network)
    found = flat_loss(perceptron().float(), single)(theta)
    assert found.dtype == torch.float64
    exact = float(flat_loss(network, split)(theta))
    assert float(found) != exact
    assert float(found) == pytest.approx(exact, rel=1e-6)


def test_a_point_of_another_length_is_refused() -> None:
    """One line names both."""
    network = perceptron()
    for refuse in (lambda x: assign_parameters(network, x), flat_loss(network, labeled())):
        with pytest.raises(ValueError, match=r"has 83 parameters, the point has shape \(5,\)"):
            refuse(torch.zeros(5, dtype=torch.float64))


def test_the_filters_of_a_convolution_are_its_output_channels() -> None:
    """Each has its own norm in the direction; biases and batch norm stay where they are."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        first = nn.Conv2d(2, 3, 3)
        network = nn.Sequential(first, nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(12, 2))
    blocks = parameter_blocks(network)
    assert [(block.name, block.start, block.shape) for block in blocks] == [
        ("0.weight", 0, (3, 2, 3, 3)),
        ("0.bias", 54, (3,)),
        ("1.weight", 57, (3,)),
        ("1.bias", 60, (3,)),
        ("3.weight", 63, (2, 12)),
        ("3.bias", 87, (2,)),
    ]
    direction = filter_normalized(
        draw(89).numpy(), theta := flat_parameters(network).numpy(), blocks
    )
    assert not direction[54:63].any()
    channels = torch.from_numpy(direction[:54]).view(3, -1).norm(dim=1)
    assert channels.numpy() == pytest.approx(first.weight.flatten(1).norm(dim=1).tolist())
    assert torch.from_numpy(theta[:54]).view(3, -1).norm() == pytest.approx(channels.norm())


def test_a_surface_has_the_network_at_its_center() -> None:
    """On a plane of a convolutional network, in evaluation mode."""
    network = nn.Sequential(nn.Unflatten(1, (1, 2, 2)), nn.Conv2d(1, 3, 2), nn.Flatten()).double()
    split, theta = labeled(), flat_parameters(network)
    plane = random_plane(
        theta, generator=np.random.default_rng(0), blocks=parameter_blocks(network)
    )
    found = surface(flat_loss(network, split), plane, np.array([0.0, 1.0]), np.array([-1.0, 0.0]))
    assert found[0, 1] == pytest.approx(evaluate(network, split)[0])
    assign_parameters(network, theta + torch.from_numpy(plane.directions[0] - plane.directions[1]))
    assert found[1, 0] == pytest.approx(evaluate(network, split)[0])


class Fixed(nn.Module):
    """Gives the logits that it was given."""

    def forward(self, logits: Tensor) -> Tensor:
        """The same."""
        return logits


@pytest.mark.parametrize("piece", [1, 3, 1000])
def test_scores_of_perfect_collapsed_and_shifted_answers(
    piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Closed forms, whatever the pieces."""
    monkeypatch.setattr(networks, "PIECE", piece)
    labels = torch.tensor([0, 1, 2, 3, 4, 0, 0])
    perfect = 10.0 * torch.eye(5)[labels]
    found = evaluate(Fixed(), Split(perfect, labels))
    assert found == pytest.approx((math.log1p(4 * math.exp(-10.0)), 1.0), rel=1e-3)
    found = evaluate(Fixed(), Split(torch.zeros(7, 5), labels))
    assert found == pytest.approx((math.log(5.0), 3 / 7))
    found = evaluate(Fixed(), Split(perfect, (labels + 1) % 5))
    assert found == pytest.approx((10.0, 0.0), rel=1e-3)


def test_scoring_leaves_the_mode_and_the_statistics() -> None:
    """What was in training is in training again."""
    network, split = lived(), labeled()
    before = [buffer.clone() for buffer in network.buffers()]
    first = evaluate(network, split)
    assert network.training
    assert evaluate(network, split) == first
    assert all(torch.equal(*pair) for pair in zip(before, network.buffers(), strict=True))


def test_statistics_are_those_of_the_inputs() -> None:
    """The first norm sees the first layer, the second what comes of it, as in training."""
    network, inputs = lived(), labeled(seed=3).inputs
    layers: list[Any] = list(network)
    recompute_statistics(network, inputs)
    assert network.training
    with torch.no_grad():
        first = layers[0](inputs)
        assert torch.allclose(layers[1].running_mean, first.mean(0))
        assert torch.allclose(layers[1].running_var, first.var(0))
        scaled = (first - first.mean(0)) / (first.var(0, correction=0) + 1e-5).sqrt()
        second = layers[4](torch.tanh(scaled))
    assert torch.allclose(layers[5].running_mean, second.mean(0))
    assert torch.allclose(layers[5].running_var, second.var(0))
    assert layers[1].momentum == 0.1
    network.eval()
    recompute_statistics(network, inputs)
    assert not network.training


def test_a_network_without_norm_has_no_statistics() -> None:
    """Nothing is done, and nothing is refused."""
    network = perceptron()
    recompute_statistics(network, torch.zeros(0, 99))
    assert network.training


@pytest.mark.parametrize("labels", [torch.zeros(2).long(), torch.zeros(3, 1).long()])
def test_a_split_has_a_label_per_input(labels: Tensor) -> None:
    """One line names both shapes; an empty one has no mean."""
    with pytest.raises(ValueError, match=r"inputs have shape \(3, 4\), labels \("):
        Split(torch.zeros(3, 4), labels)
    with pytest.raises(ValueError, match="at least one"):
        Split(torch.zeros(0, 4), torch.zeros(0).long())
