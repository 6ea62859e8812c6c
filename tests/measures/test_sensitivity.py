"""Gradients of the loss and Jacobians of the outputs, by the input."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mlds_bench.measures import sensitivity
from mlds_bench.measures.networks import Split
from mlds_bench.measures.sensitivity import (
    between,
    ellipse_through,
    jacobian_norms,
    loss_gradient_norms,
    probabilities,
    shuffled_pixels,
)
from tests.measures.nets import labeled, perceptron


def linear() -> tuple[nn.Linear, torch.Tensor]:
    """A network of one layer, and its matrix."""
    layer = nn.Linear(4, 3).double().eval()
    return layer, layer.weight.detach()


def test_a_linear_network_has_its_matrix_as_jacobian() -> None:
    """Everywhere the same: the norm of the matrix."""
    layer, matrix = linear()
    found = jacobian_norms(layer, labeled().inputs)
    assert found == pytest.approx(float(matrix.norm()))


def test_closed_forms_of_a_softmax() -> None:
    """With p the probabilities: (diag p - p p') W for them, (p - y) W for the loss."""
    layer, matrix = linear()
    split = labeled()
    p = torch.softmax(layer(split.inputs), 1).detach()
    jacobian = (torch.diag_embed(p) - p[:, :, None] * p[:, None]) @ matrix
    expected = jacobian.flatten(1).norm(dim=1).numpy()
    assert jacobian_norms(probabilities(layer), split.inputs) == pytest.approx(expected)
    gradient = (p - torch.eye(3, dtype=torch.float64)[split.labels]) @ matrix
    assert loss_gradient_norms(layer, split) == pytest.approx(gradient.norm(dim=1).numpy())


@pytest.mark.parametrize("piece", [1, 7, 256])
def test_a_network_with_norm_as_pytorch_differentiates_it(
    piece: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second implementation, `torch.func.jacrev` on one instance at a time; images, too."""
    monkeypatch.setattr(sensitivity, "PIECE", piece)
    network = perceptron(norm=True)
    network(labeled(seed=5).inputs)
    network = nn.Sequential(nn.Flatten(), *network).eval()
    split = labeled()
    images = split.inputs.view(-1, 1, 2, 2)

    def one(image: torch.Tensor) -> torch.Tensor:
        return torch.softmax(network(image[None]), 1)[0]

    jacobians = torch.stack([torch.func.jacrev(one)(image) for image in images]).detach()
    expected = jacobians.flatten(1).norm(dim=1).numpy()
    assert jacobian_norms(probabilities(network), images) == pytest.approx(expected)

    def loss(image: torch.Tensor, label: torch.Tensor) -> torch.Tensor:
        return nn.functional.cross_entropy(network(image[None]), label[None])

    gradients = torch.func.vmap(torch.func.grad(loss))(images, split.labels)
    expected = gradients.flatten(1).norm(dim=1).detach().numpy()
    assert loss_gradient_norms(network, Split(images, split.labels)) == pytest.approx(expected)


def test_gradients_are_computed_where_they_are_switched_off() -> None:
    """And the network's parameters get none."""
    layer, matrix = linear()
    with torch.no_grad():
        assert jacobian_norms(layer, labeled().inputs)[0] == pytest.approx(float(matrix.norm()))
        assert loss_gradient_norms(layer, labeled()).all()
    assert layer.weight.grad is None


def test_directions_of_both_measures() -> None:
    """Sure and right is insensitive, sure and wrong is not; a constant never is."""
    layer, matrix = linear()
    split, norm = labeled(), float(matrix.norm())
    with torch.no_grad():
        layer.weight.mul_(100.0)
        said = layer(split.inputs).argmax(1)
    right, wrong = Split(split.inputs, said), Split(split.inputs, (said + 1) % 3)
    assert np.median(loss_gradient_norms(layer, right)) < 1e-3
    assert np.median(loss_gradient_norms(layer, wrong)) > 1.0
    assert np.median(jacobian_norms(probabilities(layer), split.inputs)) < 1e-3
    assert jacobian_norms(layer, split.inputs) == pytest.approx(100.0 * norm)
    with torch.no_grad():
        layer.weight.zero_()
    assert not jacobian_norms(probabilities(layer), split.inputs).any()
    assert not loss_gradient_norms(layer, split).any()


def test_the_border_of_two_classes_is_the_most_sensitive_place() -> None:
    """On the way from one class to another; at the ends the network is sure."""
    layer = nn.Linear(1, 2).double().eval()
    with torch.no_grad():
        layer.weight.copy_(torch.tensor([[-10.0], [10.0]]))
        layer.bias.zero_()
    ends = torch.tensor([[-1.0], [1.0]], dtype=torch.float64)
    path = between(ends[0], ends[1], np.linspace(0.0, 1.0, 101))
    found = jacobian_norms(probabilities(layer), path)
    assert found.argmax() == 50
    # p' = 20 p (1 - p) = 5 for one output, -5 for the other.
    assert found[50] == pytest.approx(np.sqrt(50.0))
    assert found[[0, 100]] == pytest.approx(0.0, abs=1e-6)


def test_a_network_in_training_mode_is_refused() -> None:
    """There instances would depend on each other."""
    network = perceptron(norm=True)
    with pytest.raises(ValueError, match=r"call network\.eval\(\) first"):
        loss_gradient_norms(network, labeled())
    with pytest.raises(ValueError, match=r"call network\.eval\(\) first"):
        probabilities(network)


def test_no_inputs_have_no_norms() -> None:
    """An empty batch is no error."""
    assert jacobian_norms(linear()[0], torch.zeros(0, 4)).shape == (0,)


def test_points_between_two_images() -> None:
    """Literals, of any shape."""
    first, last = torch.zeros(1, 2), torch.tensor([[2.0, 4.0]])
    found = between(first, last, np.array([-0.5, 0.0, 0.25, 1.0]))
    assert found.tolist() == [[[-1.0, -2.0]], [[0.0, 0.0]], [[0.5, 1.0]], [[2.0, 4.0]]]


def test_the_circle_through_an_equilateral_triangle() -> None:
    """At 0, 120 and 240 degrees of the unit circle; the rest of it in between."""
    angle = torch.arange(12, dtype=torch.float64) * (2.0 * torch.pi / 12)
    circle = torch.stack([angle.cos(), angle.sin()], 1)
    found = ellipse_through(circle[0], circle[4], circle[8], 12)
    assert torch.allclose(found, circle)


def test_an_ellipse_meets_its_three_images_and_is_closed() -> None:
    """Its mean is theirs, and it lies in their plane."""
    images = torch.randn(3, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = ellipse_through(images[0], images[1], images[2], 30)
    assert found.shape == (30, 2, 2)
    assert torch.allclose(found[[0, 10, 20]], images)
    assert torch.allclose(found.mean(0), images.mean(0))
    assert torch.linalg.matrix_rank((found - images.mean(0)).flatten(1)) == 2
    steps = (found - found.roll(1, 0)).flatten(1).norm(dim=1)
    assert steps[0] < 2.0 * steps.mean()


def test_shuffled_pixels_keep_the_histogram_and_nothing_else() -> None:
    """Each image in its own order, the same with the same generator."""
    images = torch.arange(50.0).view(2, 5, 5) % 25
    found = shuffled_pixels(images, np.random.default_rng(0))
    assert found.shape == images.shape
    assert torch.equal(found.flatten(1).sort().values, images.flatten(1))
    assert (found != images).float().mean() > 0.8
    assert not torch.equal(found[0], found[1])
    assert torch.equal(found, shuffled_pixels(images, np.random.default_rng(0)))
