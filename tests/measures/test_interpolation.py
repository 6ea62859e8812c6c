"""Loss and accuracy between two networks."""

from __future__ import annotations

from copy import deepcopy

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlds_bench.measures.batches import losses
from mlds_bench.measures.interpolation import interpolate
from mlds_bench.measures.networks import (
    evaluate,
    flat_loss,
    flat_parameters,
    recompute_statistics,
)
from mlds_bench.measures.surface import line
from tests.measures.nets import labeled, perceptron

POSITIONS = np.linspace(-1.0, 2.0, 7)
SPLITS = {"train": labeled(seed=0), "test": labeled(seed=1)}


def test_a_profile_is_the_loss_on_the_line() -> None:
    """Without batch norm it is the flat loss, on every split."""
    first, last = perceptron(0), perceptron(1)
    found = interpolate(first, last, POSITIONS, SPLITS)
    assert list(found) == ["train", "test"]
    points = line(flat_parameters(first), flat_parameters(last), POSITIONS)
    for name, split in SPLITS.items():
        assert found[name].loss == pytest.approx(losses(flat_loss(first, split), points))
        assert found[name].loss[2] == pytest.approx(evaluate(first, split)[0])
        ends = [evaluate(network, split)[1] for network in (first, last)]
        assert found[name].accuracy[[2, 4]].tolist() == ends


def test_statistics_are_recomputed_at_every_point() -> None:
    """The ends are the networks with the statistics of these inputs; beyond them all is finite."""
    first, last = perceptron(0, norm=True), perceptron(1, norm=True)
    first(50.0 * SPLITS["train"].inputs)  # statistics that would be wrong
    kept = deepcopy(first.state_dict())
    found = interpolate(first, last, POSITIONS, SPLITS, statistics=SPLITS["train"].inputs)["test"]
    assert np.isfinite(found.loss).all()
    for network, place in ((deepcopy(first), 2), (deepcopy(last), 4)):
        recompute_statistics(network, SPLITS["train"].inputs)
        assert found.loss[place] == pytest.approx(evaluate(network, SPLITS["test"])[0])
    assert all(torch.equal(kept[name], entry) for name, entry in first.state_dict().items())


def test_between_a_network_and_itself_nothing_changes() -> None:
    """A constant, and it is the network's score."""
    network = perceptron()
    found = interpolate(network, network, POSITIONS, SPLITS)["test"]
    loss, accuracy = evaluate(network, SPLITS["test"])
    assert found.loss == pytest.approx(loss)
    assert found.accuracy == pytest.approx(accuracy)


def two_neurons(inward: Tensor, outward: Tensor) -> nn.Module:
    """A ReLU network with these weights and no biases."""
    first, second = nn.Linear(4, 2, bias=False), nn.Linear(2, 3, bias=False)
    first.weight, second.weight = nn.Parameter(inward), nn.Parameter(outward)
    return nn.Sequential(first, nn.ReLU(), second)


def test_between_two_orders_of_the_same_neurons_lies_a_barrier() -> None:
    """They are the same function, and half way its opposite neurons cancel."""
    inward = torch.tensor([[5.0, 0, 0, 0], [-5.0, 0, 0, 0]]).double()
    outward = torch.tensor([[-5.0, 5.0], [5.0, -5.0], [0, 0]]).double()
    first = two_neurons(inward, outward)
    last = two_neurons(inward.flip(0), outward.flip(1))
    found = interpolate(first, last, np.array([0.0, 0.5, 1.0]), SPLITS)["train"]
    assert found.loss[0] == pytest.approx(found.loss[2])
    assert found.loss[1] == pytest.approx(np.log(3.0))
    assert found.accuracy[1] < found.accuracy[0]


def test_buffers_that_are_no_statistics_stay() -> None:
    """A constant of the network asks for no inputs."""
    network = perceptron()
    plain = interpolate(network, perceptron(1), POSITIONS, SPLITS)["test"]
    network.register_buffer("scale", torch.ones(1))
    found = interpolate(network, perceptron(1), POSITIONS, SPLITS)["test"]
    assert found.loss.tolist() == plain.loss.tolist()


def test_what_cannot_be_joined_is_refused() -> None:
    """Other shapes; batch norm without inputs to take its statistics from."""
    with pytest.raises(ValueError, match="one architecture"):
        interpolate(perceptron(), nn.Linear(4, 3).double(), POSITIONS, SPLITS)
    norm = perceptron(norm=True)
    with pytest.raises(ValueError, match="needs statistics="):
        interpolate(norm, norm, POSITIONS, SPLITS)
