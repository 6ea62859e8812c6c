"""The highest loss in a box, and the spectral form."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch import Tensor

from mlds_bench.measures.batches import Loss, losses
from mlds_bench.measures.hessian import eigenvalues
from mlds_bench.measures.sharpness import (
    Sharpness,
    box_sharpness,
    random_subspace,
    spectral_sharpness,
)
from tests.measures.small import draw, network, quadratic, with_spectrum

EPSILON = 1e-3


def generator(seed: int = 0) -> np.random.Generator:
    """Random numbers of a test."""
    return np.random.default_rng(seed)


def plane(slope: Tensor) -> Loss:
    """A loss without curvature."""
    return lambda theta: slope @ theta


def test_the_value_is_the_papers() -> None:
    """100 (2 - 0.5) / (1 + 0.5)."""
    assert Sharpness(0.5, 2.0, 3).value == 100.0


def test_a_plane_is_highest_in_a_corner() -> None:
    """Every coordinate goes to its own side, epsilon (|x_i| + 1)."""
    slope, point = torch.tensor([1.0, -2.0, 3.0, 0.5]).double(), draw(4, scale=5.0)
    found = box_sharpness(plane(slope), point, generator=generator(), epsilon=EPSILON)
    rise = EPSILON * float((slope.abs() * (point.abs() + 1.0)).sum())
    assert found.loss == pytest.approx(float(slope @ point))
    assert found.highest - found.loss == pytest.approx(rise, rel=1e-9)


@pytest.mark.parametrize("scale", [1e-9, 1.0, 1e6])
def test_a_bowl_is_highest_in_a_corner_however_flat(scale: float) -> None:
    """From its very bottom, where no gradient leads out; unscaled, a flat one would show none."""
    curvature = scale * np.array([1.0, 10.0, 100.0])
    found = box_sharpness(
        quadratic(np.diag(curvature)), np.zeros(3), generator=generator(), epsilon=EPSILON
    )
    assert found.highest == pytest.approx(curvature.sum() * EPSILON**2 / 2.0, rel=1e-9)
    assert found.value == pytest.approx(100.0 * found.highest)


def test_on_a_hilltop_nothing_is_higher() -> None:
    """The center counts among the points seen."""
    found = box_sharpness(quadratic(-np.eye(3)), np.zeros(3), generator=generator())
    assert (found.highest, found.value) == (0.0, 0.0)


def test_a_summit_within_the_box_is_found() -> None:
    """Half way to the sides, which differ by a thousand; round, if they are the units."""
    center = torch.tensor([0.0, -1e3]).double()
    sides = EPSILON * (center.abs() + 1.0)
    summit = center + 0.5 * sides

    def hill(theta: Tensor) -> Tensor:
        return 1.0 - ((theta - summit) / sides).square().sum()

    found = box_sharpness(hill, center, generator=generator(), epsilon=EPSILON)
    assert found.loss == pytest.approx(0.5)
    assert found.highest == pytest.approx(1.0, abs=1e-9)


def test_a_constant_is_flat() -> None:
    """No slope anywhere, no search."""
    found = box_sharpness(lambda x: x.sum() * 0.0 + 2.0, np.ones(3), generator=generator())
    assert (found.value, found.evaluations) == (0.0, 2)


@pytest.mark.parametrize("seed", range(5))
def test_a_network_is_not_much_higher_at_any_corner(seed: int) -> None:
    """A second implementation: all 1,024 corners of a box in ten dimensions."""
    loss, dimension = network((1, 3, 1))
    theta = draw(dimension, seed=seed)
    found = box_sharpness(loss, theta, generator=generator(seed), epsilon=0.05)
    sides = 0.05 * (theta.abs() + 1.0)
    corners = theta + sides * torch.tensor(list(product((-1.0, 1.0), repeat=dimension)))
    assert dimension == 10
    highest = losses(loss, corners).max()
    assert found.highest - found.loss >= 0.97 * (highest - found.loss)
    assert found.highest <= 1.001 * highest


def test_a_sharper_bowl_is_as_many_times_sharper() -> None:
    """And a smaller box less so, by its square."""
    values = [
        box_sharpness(quadratic(scale * np.eye(5)), np.zeros(5), generator=generator(), epsilon=e)
        for scale, e in ((1.0, 1e-3), (100.0, 1e-3), (100.0, 5e-4))
    ]
    assert values[1].value == pytest.approx(100.0 * values[0].value)
    assert values[2].value == pytest.approx(values[1].value / 4.0)


def test_a_subspace_is_measured_by_its_own_coordinates() -> None:
    """A plane again: sides epsilon (|(A+ x)_j| + 1), slopes A' g; NumPy's pseudo-inverse."""
    slope, point = draw(30, seed=1), draw(30, seed=2, scale=10.0)
    subspace = random_subspace(30, generator(3), columns=4)
    found = box_sharpness(
        plane(slope), point, generator=generator(), epsilon=EPSILON, subspace=subspace
    )
    inside = np.linalg.pinv(subspace.numpy()) @ point.numpy()
    rise = EPSILON * float(np.abs(subspace.numpy().T @ slope.numpy()) @ (np.abs(inside) + 1.0))
    assert found.highest - found.loss == pytest.approx(rise, rel=1e-9)


def test_the_whole_space_is_a_subspace() -> None:
    """A = I gives the same, in single precision nearly so."""
    loss, dimension = network((1, 4, 1))
    theta = draw(dimension)
    whole = box_sharpness(loss, theta, generator=generator())
    for dtype, error in ((torch.float64, 1e-9), (torch.float32, 1e-3)):
        identity = torch.eye(dimension, dtype=dtype)
        found = box_sharpness(loss, theta, generator=generator(), subspace=identity)
        assert found.value == pytest.approx(whole.value, rel=error)


def test_a_subspace_repeats_with_its_generator() -> None:
    """Normal numbers of the type asked for."""
    drawn = random_subspace(20_000, generator(), columns=3, dtype=torch.float32)
    assert (drawn.shape, drawn.dtype) == ((20_000, 3), torch.float32)
    assert torch.equal(drawn, random_subspace(20_000, generator(), columns=3, dtype=torch.float32))
    assert drawn.mean(0).abs().max() < 0.03
    assert (drawn.std(0) - 1.0).abs().max() < 0.03
    assert torch.corrcoef(drawn.T).fill_diagonal_(0.0).abs().max() < 0.03


def test_more_iterations_find_no_less() -> None:
    """One is a gradient step."""
    loss, dimension = network((1, 10, 10, 1))
    theta = draw(dimension)
    few, many = (
        box_sharpness(loss, theta, generator=generator(), epsilon=0.1, iterations=count)
        for count in (1, 20)
    )
    assert few.evaluations < many.evaluations
    assert few.highest < many.highest


def test_the_spectral_form_is_the_largest_absolute_eigenvalue() -> None:
    """Of either sign; twice (1 + L) below."""
    matrix = with_spectrum(np.array([-5.0, 0.1, 3.0]))
    loss, point = quadratic(matrix), draw(3)
    found = spectral_sharpness(loss, point, generator=generator(), epsilon=0.01)
    assert found == pytest.approx(5.0 * 1e-4 / (2.0 * (1.0 + float(loss(point)))))


def test_the_spectral_form_of_a_network() -> None:
    """Against the eigenvalues of its whole Hessian."""
    loss, dimension = network((1, 8, 8, 1))
    theta = draw(dimension)
    largest = np.abs(eigenvalues(loss, theta)).max()
    expected = largest * EPSILON**2 / (2.0 * (1.0 + float(loss(theta))))
    found = spectral_sharpness(loss, theta, generator=generator(), epsilon=EPSILON)
    assert found == pytest.approx(expected, rel=2e-3)


def test_what_has_no_box_is_refused() -> None:
    """One line each."""
    for theta, epsilon in ((np.zeros((2, 3)), 1e-3), (np.zeros(3), 0.0)):
        with pytest.raises(ValueError, match=r"needs one point \(d,\) and epsilon > 0, got \("):
            box_sharpness(torch.sum, theta, generator=generator(), epsilon=epsilon)
    with pytest.raises(ValueError, match="at the center must be finite, got inf"):
        box_sharpness(lambda x: 1.0 / x.sum(), np.zeros(3), generator=generator())
