"""The probes of a stack against plain loops over networks and images."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor
from torch.autograd import functional

from mlds_bench.envs.generalization.zoo import probes
from mlds_bench.envs.generalization.zoo.training import answers, mean_loss, train
from tests.envs.generalization.zoo import small

KINDS = pytest.mark.parametrize("normalization", ["none", "layer"])


hessian: Callable[..., Tensor] = functional.hessian
jacobian: Callable[..., Tensor] = functional.jacobian


def loop_jacobians(theta: Tensor, x: Tensor, normalization: str) -> Tensor:
    """(B, N, 10, pixels), one image at a time."""
    trained, _ = small.stack(normalization)
    return torch.stack(
        [
            torch.stack(
                [jacobian(lambda p, r=row: trained.architecture.logits(r, p), one) for one in x]
            )
            for row in theta
        ]
    )


@KINDS
def test_sensitivity_is_the_mean_norm_of_the_jacobian(normalization: str) -> None:
    """Of the softmax itself, differentiated image by image."""
    trained, x = small.stack(normalization)

    def norm(row: Tensor, image: Tensor) -> float:
        def softmax(pixels: Tensor) -> Tensor:
            return trained.architecture.logits(row, pixels).softmax(-1)

        return float(torch.linalg.norm(jacobian(softmax, image)))

    expected = [sum(norm(row, image) for image in x) / len(x) for row in trained.theta]
    got = probes.sensitivity(*probes.jacobians_of(trained.architecture, trained.theta, x))
    assert got.tolist() == pytest.approx(expected, rel=1e-4)


@KINDS
def test_margins_are_distances_to_the_boundary(normalization: str) -> None:
    """Gap over the norm of its gradient, image by image; the tenth of them from below.

    The first network is right about all images, the others about few.
    """
    trained, x = small.stack(normalization)
    trained.labels[0] = answers(trained.architecture, trained.theta, x)[0]
    expected = []
    for row, labels in zip(trained.theta, trained.labels, strict=True):
        distances = []
        for image, label in zip(x, labels, strict=True):
            pixels = image.clone().requires_grad_()
            logits = trained.architecture.logits(row, pixels)
            others = [k for k in range(10) if k != label]
            rival = max(others, key=logits.tolist().__getitem__)
            gap = logits[label] - logits[rival]
            (slope,) = torch.autograd.grad(gap, pixels)
            distances.append(gap.item() / slope.norm().item())
        expected.append(torch.tensor(distances).quantile(0.1).item())
    jacobians, outputs = probes.jacobians_of(trained.architecture, trained.theta, x)
    got = probes.input_margin(jacobians, outputs, trained.labels)
    assert got.tolist() == pytest.approx(expected, rel=1e-4)


def test_jacobians_are_those_of_a_loop() -> None:
    """Entry by entry."""
    trained, x = small.stack()
    got, _ = probes.jacobians_of(trained.architecture, trained.theta, x)
    torch.testing.assert_close(got, loop_jacobians(trained.theta, x, "layer"))


@KINDS
def test_curvature_is_the_largest_eigenvalue(normalization: str) -> None:
    """Of the exact Hessian, where a training ends: never above, and seldom much below."""
    data = small.dataset()
    group = small.group(depth=1, normalization=normalization)
    trained = train(group, data, most_epochs=27)
    x = torch.from_numpy(data.train.images)
    generator = torch.Generator().manual_seed(1)
    got = probes.largest_curvature(
        trained.architecture, trained.theta, x, trained.labels, generator
    )
    shares = []
    for row, labels, value in zip(trained.theta, trained.labels, got.tolist(), strict=True):

        def loss(p: Tensor, y: Tensor = labels) -> Tensor:
            return trained.architecture.loss(p, x, y)

        shares.append(value / torch.linalg.eigvalsh(hessian(loss, row)).abs().max().item())
    assert max(shares) < 1.0001
    assert min(shares) > 0.8
    assert sum(shares) / len(shares) > 0.98


def test_sharpness_is_the_curvature_in_the_ball() -> None:
    """lambda eps^2 / (2 (1 + L)) with eps 1e-4."""
    trained, x = small.stack()
    measured = probes.measure(trained, x, torch.Generator().manual_seed(1))
    top = probes.largest_curvature(
        trained.architecture, trained.theta, x, trained.labels, torch.Generator().manual_seed(1)
    )
    expected = top * 1e-8 / (2 * (1 + measured["train_loss"]))
    torch.testing.assert_close(measured["sharpness"], expected)


def test_norms_are_those_of_the_parameters() -> None:
    """Weight norm, distance from the start, and the product of the largest singular values."""
    trained, x = small.stack()
    measured = probes.measure(trained, x, torch.Generator().manual_seed(1))
    for index, row in enumerate(trained.theta):
        norm = row.square().sum().sqrt()
        product = 1.0
        for weight in trained.architecture.tensors(row)[::2]:
            product *= torch.linalg.svdvals(weight)[0].item()
        assert measured["weight_norm"][index].item() == pytest.approx(norm.item())
        assert measured["distance"][index].item() == pytest.approx(norm.item() / 2)
        assert measured["spectral_product"][index].item() == pytest.approx(product, rel=1e-5)


def test_directions_are_normalized_filter_by_filter() -> None:
    """Every filter as long as the network's, no bias moves, and it is not the network itself."""
    trained, _ = small.stack()
    direction = probes.filter_normalized(
        trained.architecture, trained.theta, torch.Generator().manual_seed(1)
    )
    own = trained.architecture.tensors(trained.theta)
    drawn = trained.architecture.tensors(direction)
    for weight, moved in zip(own[::2], drawn[::2], strict=True):
        torch.testing.assert_close(weight.norm(dim=1), moved.norm(dim=1))
        assert not torch.allclose(weight, moved)
    assert not any(bias.any() for bias in drawn[1::2])


def test_the_first_crossing_is_found_between_points() -> None:
    """A loss that rises by its length crosses at RISE; a later dip does not count."""
    lengths = probes.STEPS
    straight, flat = lengths.clone(), torch.zeros(len(lengths))
    double, dips, bursts = 2 * lengths, 2 * lengths, lengths.clone()
    dips[-1] = 0.0
    bursts[3] = torch.nan
    steep = 100 * lengths
    got = probes.first_crossing(torch.stack([straight, flat, double, dips, bursts, steep]))
    assert got[:4].tolist() == pytest.approx([0.5, lengths[-1].item(), 0.25, 0.25])
    assert lengths[2] <= got[4] <= lengths[3]
    assert got[5].item() == pytest.approx(0.005)


def test_the_width_is_where_the_loss_has_risen() -> None:
    """Against a fine walk along the same directions, from where a training ends."""
    data = small.dataset()
    trained = train(small.group(normalization="none"), data, most_epochs=27)
    x = torch.from_numpy(data.train.images)
    architecture, theta = trained.architecture, trained.theta
    got = probes.interpolation_width(
        architecture, theta, x, trained.labels, torch.Generator().manual_seed(1)
    )
    generator = torch.Generator().manual_seed(1)
    steps = torch.linspace(0.0, float(probes.STEPS[-1]), 120).tolist()
    widths = []
    for _ in range(probes.DIRECTIONS):
        direction = probes.filter_normalized(architecture, theta, generator)
        losses = [mean_loss(architecture, theta + s * direction, x, trained.labels) for s in steps]
        is_above = torch.stack(losses, 1) - losses[0][:, None] >= probes.RISE
        places = is_above.int().argmax(1).tolist()
        found = zip(places, is_above.any(1).tolist(), strict=True)
        widths.append([steps[place] if any_ else steps[-1] for place, any_ in found])
    expected = torch.tensor(widths).mean(0)
    assert got.tolist() == pytest.approx(expected.tolist(), rel=0.1)
    assert got.max() > 1.3 * got.min()
