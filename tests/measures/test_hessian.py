"""Hessians, eigenvalues and minimal ratios."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import Tensor

from mlds_bench.measures import batches
from mlds_bench.measures.hessian import (
    HessianTooLarge,
    count_signs,
    eigenvalues,
    hessian,
    hessian_operator,
    minimal_ratio,
    minimal_ratio_counts,
    sampled_minimal_ratio,
)
from mlds_bench.measures.points import Array
from tests.measures.small import draw, network, quadratic, with_spectrum

LINES = [1, 40_000, batches.WORKING_BYTES]  # one row at a time, some rows, some points


def by_autograd(loss: batches.Loss, point: Tensor) -> Array:
    """The Hessian by PyTorch's own function."""
    matrix = torch.autograd.functional.hessian(loss, point)  # type: ignore[no-untyped-call]
    return np.asarray(matrix, np.float64)


def counts(loss: batches.Loss, points: Tensor, **settings: float) -> list[tuple[int, ...]]:
    """(positive, zero, negative) of each point."""
    rows = zip(*minimal_ratio_counts(loss, points, **settings), strict=True)  # type: ignore[arg-type]
    return [tuple(int(n) for n in row) for row in rows]


@pytest.mark.parametrize("activation", [torch.tanh, torch.sigmoid, torch.relu])
@pytest.mark.parametrize("memory", LINES)
def test_hessians_are_those_of_autograd(
    activation: Callable[[Tensor], Tensor], memory: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One point or many, in pieces of any size; `mse_loss` is no obstacle."""
    monkeypatch.setattr(batches, "WORKING_BYTES", memory)
    loss, dimension = network((2, 4, 3, 1), activation)
    points = draw(3, dimension)
    matrices = hessian(loss, points).numpy()
    assert matrices.shape == (3, dimension, dimension)
    assert (matrices == matrices.swapaxes(1, 2)).all()
    for point, matrix in zip(points, matrices, strict=True):
        assert matrix == pytest.approx(by_autograd(loss, point), abs=1e-13)
        assert hessian(loss, point).numpy() == pytest.approx(matrix, abs=1e-13)


def test_hessians_are_the_slopes_of_gradients() -> None:
    """Central differences agree to their own error."""
    loss, dimension = network((1, 4, 4, 1))
    point, step = draw(dimension), 1e-5
    shifts = step * torch.eye(dimension, dtype=torch.float64)
    _, above = batches.losses_and_gradients(loss, point + shifts)
    _, below = batches.losses_and_gradients(loss, point - shifts)
    assert hessian(loss, point).numpy() == pytest.approx((above - below) / (2 * step), abs=1e-9)


@pytest.mark.parametrize("memory", LINES)
def test_products_are_those_of_the_matrix(memory: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """One vector or many at one point."""
    monkeypatch.setattr(batches, "WORKING_BYTES", memory)
    loss, dimension = network((1, 4, 4, 1))
    point, vectors = draw(dimension), draw(5, dimension, seed=1)
    expected = (vectors @ hessian(loss, point)).numpy()
    multiply = hessian_operator(loss, point)
    assert multiply(vectors).numpy() == pytest.approx(expected)
    assert multiply(vectors[:1]).numpy() == pytest.approx(expected[:1])
    assert multiply(vectors[:0]).shape == (0, dimension)


def test_a_quadratic_has_its_matrix_everywhere() -> None:
    """1/2 x A x has the Hessian A, and a plane has none."""
    matrix = with_spectrum(np.array([-2.0, 0.5, 3.0]))
    for point in draw(3, 3):
        assert hessian(quadratic(matrix), point).numpy() == pytest.approx(matrix)
    assert not hessian(torch.sum, draw(2, 3)).any()
    assert not hessian(lambda _: torch.tensor(1.0), draw(3)).any()
    assert not hessian_operator(torch.sum, draw(3))(draw(2, 3)).any()


def test_eigenvalues_are_ascending_and_exact() -> None:
    """Of matrices with known ones."""
    known = np.array([-3.0, -1.0, 0.0, 2.0, 2.0, 7.0])
    loss = quadratic(with_spectrum(known))
    assert eigenvalues(loss, draw(2, 6)) == pytest.approx(np.array([known, known]), abs=1e-13)
    assert eigenvalues(loss, draw(6)) == pytest.approx(known, abs=1e-13)


LECTURE: dict[str, tuple[batches.Loss, tuple[int, int, int]]] = {
    "minimum": (lambda x: x[0] ** 2 + 3 * x[1] ** 2, (2, 0, 0)),
    "saddle": (lambda x: -(x[0] ** 2) + 3 * x[1] ** 2, (1, 0, 1)),
    "degenerate minimum": (lambda x: x[0] ** 2 + x[1] ** 4, (1, 1, 0)),
    "degenerate saddle": (lambda x: x[0] ** 2 - x[1] ** 4, (1, 1, 0)),
    "monkey saddle": (lambda x: x[0] ** 3 - 3 * x[0] * x[1] ** 2, (0, 2, 0)),
    "deep linear": (lambda x: (1 - x[0] * x[1]) ** 2, (1, 0, 1)),
}


@pytest.mark.parametrize("name", LECTURE)
def test_the_lectures_critical_points(name: str) -> None:
    """The counts at the origin are the lecture's; two of the points differ only in higher order."""
    loss, expected = LECTURE[name]
    origin = torch.zeros(2, 2)
    assert counts(loss, origin) == [expected, expected]
    assert (batches.losses_and_gradients(loss, origin)[1] == 0.0).all()
    assert minimal_ratio(loss, origin).tolist() == [expected[0] / 2] * 2


@pytest.mark.parametrize("tolerance", [1e-8, 1e-3])
def test_zero_is_a_share_of_the_largest_eigenvalue(tolerance: float) -> None:
    """On either side of the band, of either sign, whatever the scale."""
    relative = np.array([-1.0, -2 * tolerance, -tolerance / 2, 0.0, tolerance / 2, 2 * tolerance])
    for scale in (1e-6, 1.0, 1e6):
        found = count_signs(scale * np.array([relative, -relative]), tolerance=tolerance)
        assert [n.tolist() for n in found] == [[1, 2], [3, 3], [2, 1]]
        assert [n.dtype for n in found] == [np.int64] * 3
        loss = quadratic(np.diag(scale * relative))
        assert counts(loss, torch.zeros(1, 6), tolerance=tolerance) == [(1, 3, 2)]


def test_dead_neurons_are_zero_eigenvalues() -> None:
    """In a ReLU network that never fires only the output's bias curves the loss, as y^2 does."""
    loss, dimension = network((1, 3, 1), torch.relu)
    point = torch.zeros(dimension, dtype=torch.float64)
    point[3:6] = -10.0
    assert eigenvalues(loss, point)[-1] == pytest.approx(2.0)
    assert counts(loss, point[None]) == [(1, dimension - 1, 0)]


def test_the_minimal_ratio_is_the_share_of_positive_eigenvalues() -> None:
    """The three counts sum to d, and the ratio is theirs."""
    loss, dimension = network((1, 5, 5, 1))
    points = draw(4, dimension)
    positive, zero, negative = minimal_ratio_counts(loss, points)
    assert (positive + zero + negative == dimension).all()
    for point, found in zip(points, positive, strict=True):
        values = np.linalg.eigvalsh(by_autograd(loss, point))
        assert found == (values > 1e-8 * np.abs(values).max()).sum()
    assert minimal_ratio(loss, points) == pytest.approx(positive / dimension)


def test_points_that_diverged_have_no_counts() -> None:
    """Three zeros and a ratio that is no number; their neighbors in the batch are unharmed."""
    loss, dimension = network((1, 5, 5, 1))
    points = draw(3, dimension)
    expected = counts(loss, points)
    points[1, 0] = torch.nan
    assert counts(loss, points) == [expected[0], (0, 0, 0), expected[2]]
    assert np.isnan(minimal_ratio(loss, points)).tolist() == [False, True, False]


def test_a_hessian_with_a_hole_has_no_counts() -> None:
    """One infinite entry is enough: the root of a coordinate that is 0."""
    points = torch.tensor([[1.0, 1.0], [1.0, 0.0]])
    assert counts(lambda x: x[0] ** 2 + x[1].sqrt(), points) == [(1, 0, 1), (0, 0, 0)]


def test_what_a_softmax_forgets_is_zero() -> None:
    """One number on all outputs changes nothing: a zero for each hidden neuron and the bias."""
    inputs, labels = draw(40, 2), draw(40, seed=1).argsort() % 3

    def loss(theta: Tensor) -> Tensor:
        hidden = torch.tanh(inputs @ theta[:10].reshape(2, 5))
        outputs = hidden @ theta[10:25].reshape(5, 3) + theta[25:28]
        return torch.nn.functional.cross_entropy(outputs, labels)

    assert (minimal_ratio_counts(loss, draw(4, 28))[1] == 6).all()


def test_no_points_have_no_counts() -> None:
    """An empty batch is no error."""
    assert counts(torch.sum, torch.empty(0, 3)) == []
    assert minimal_ratio(torch.sum, torch.empty(0, 3)).shape == (0,)
    assert hessian(torch.sum, torch.empty(0, 3)).shape == (0, 3, 3)


def test_a_hessian_beyond_the_guard_is_refused() -> None:
    """One line names d, the memory needed, the guard and the way out, before any is taken."""
    point = torch.zeros(100_000)
    with pytest.raises(HessianTooLarge) as refusal:
        eigenvalues(torch.sum, point)
    message = str(refusal.value)
    assert "\n" not in message
    for part in ("d = 100000", "160 GB", "1.07 GB", "extreme_eigenvalues", "memory_limit"):
        assert part in message
    for function in (hessian, minimal_ratio_counts, minimal_ratio):
        with pytest.raises(HessianTooLarge):
            function(torch.sum, torch.zeros(1, 100_000))


def test_the_guard_is_the_callers() -> None:
    """Two matrices of 3 x 3 and a copy of one take 216 bytes; eigenvalues need one at a time."""
    points = torch.zeros(2, 3)
    assert hessian(torch.sum, points, memory_limit=216).shape == (2, 3, 3)
    with pytest.raises(HessianTooLarge, match=r"2 Hessians of d = 3 "):
        hessian(torch.sum, points, memory_limit=215)
    with pytest.raises(HessianTooLarge, match=r"the Hessian of d = 3 "):
        eigenvalues(torch.sum, points, memory_limit=143)


def test_bad_shapes_are_named() -> None:
    """One line."""
    with pytest.raises(ValueError, match=r"belongs to one point \(d,\), got \(2, 3\)"):
        hessian_operator(torch.sum, torch.zeros(2, 3))


def sampled(loss: batches.Loss, points: Array, samples: int = 20_000) -> Array:
    """The sampled ratio with a seed of its own."""
    generator = np.random.default_rng(5)
    return sampled_minimal_ratio(loss, points, generator=generator, samples=samples)


def test_the_sampled_ratio_is_the_share_of_higher_neighbors() -> None:
    """Around the saddle 3y^2 - x^2, |tan| > 1/sqrt(3) in two thirds of all directions."""
    loss, _ = LECTURE["saddle"]
    four_errors = 4 * np.sqrt(2 / 9 / 20_000)
    assert sampled(loss, np.zeros((1, 2)))[0] == pytest.approx(2 / 3, abs=four_errors)
    assert sampled(lambda x: x @ x, np.zeros((1, 2))).tolist() == [1.0]
    assert sampled(lambda x: -(x @ x), np.zeros((1, 2))).tolist() == [0.0]
    assert sampled(lambda x: x.sum() * 0.0, np.zeros((3, 2))).tolist() == [0.0] * 3
    assert sampled(torch.sum, np.zeros((1, 2)))[0] == pytest.approx(0.5, abs=4 * 0.5 / 141)


def test_sampled_neighbors_lie_at_the_radius() -> None:
    """A loss that rises only beyond the radius is a minimum at half of it."""
    radius = 0.1

    def hat(x: Tensor) -> Tensor:
        return torch.where(x.norm() < 0.75 * radius, x.norm(), -x.norm())

    for share, at in ((1.0, radius / 2), (0.0, radius)):
        generator = np.random.default_rng(0)
        found = sampled_minimal_ratio(hat, np.zeros((1, 3)), generator=generator, radius=at)
        assert found.tolist() == [share]
