"""Extremes, trace and density of spectra, from products alone."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
import torch
from scipy.sparse.linalg import eigsh
from scipy.stats import norm
from torch import Tensor

from mlds_bench.measures.hessian import Operator, eigenvalues, hessian_operator
from mlds_bench.measures.points import Array
from mlds_bench.measures.spectra import (
    Lanczos,
    SpectralDensity,
    extreme_eigenvalues,
    spectral_density,
    trace,
)
from tests.measures.small import draw, network, with_spectrum


def operator(matrix: Array) -> Operator:
    """The products of a symmetric matrix."""
    held = torch.from_numpy(matrix)
    return lambda vectors: vectors @ held


def generator(seed: int = 0) -> np.random.Generator:
    """Random numbers of a test."""
    return np.random.default_rng(seed)


def tridiagonal(iteration: Lanczos, start: int) -> Array:
    """The matrix of one start."""
    off = iteration.off_diagonal[start]
    return np.diag(iteration.diagonal[start]) + np.diag(off, 1) + np.diag(off, -1)


def smoothed(eigenvalues: Array, grid: Array, width: float) -> Array:
    """A bell at every eigenvalue, one by one."""
    bells = [norm.pdf(grid, value, width) for value in eigenvalues]
    return np.asarray(np.mean(bells, axis=0), np.float64)


SPECTRA = {
    "outliers": np.concatenate([[-50.0], np.linspace(-1.0, 1.0, 78), [1e3]]),
    "cluster": np.concatenate([[-2.0, 3.0], 1.0 + 1e-9 * np.linspace(-1.0, 1.0, 78)]),
}


@pytest.mark.parametrize("name", SPECTRA)
def test_all_steps_find_all_eigenvalues(name: str) -> None:
    """Of several starts side by side; the orthogonality of d vectors is not lost to rounding."""
    known = np.sort(SPECTRA[name])
    starts = generator().standard_normal((3, 80))
    iteration = Lanczos(operator(with_spectrum(known)), starts, generator(1))
    iteration.run(80)
    for start in range(3):
        found = np.linalg.eigvalsh(tridiagonal(iteration, start))
        assert found == pytest.approx(known, abs=1e-11)


def test_repeated_eigenvalues_are_found_as_often_as_they_are() -> None:
    """A spent Krylov space is left for a new one, each start when its own is spent."""
    known = np.array([-2.0, -2.0, 0.0, 0.0, 0.0, 1.0, 5.0, 5.0])
    matrix = with_spectrum(known)
    starts = generator().standard_normal((2, 8))
    starts[1] = np.linalg.eigh(matrix)[1][:, 5]
    iteration = Lanczos(operator(matrix), starts, generator())
    iteration.run(20)
    assert iteration.diagonal.shape == (2, 8)
    assert iteration.off_diagonal[1, 0] == 0.0
    for start in range(2):
        assert np.linalg.eigvalsh(tridiagonal(iteration, start)) == pytest.approx(known, abs=1e-12)


def test_going_on_is_the_same_as_going_far() -> None:
    """Steps may be asked for in pieces."""
    matrix, starts = with_spectrum(np.linspace(-1.0, 3.0, 30)), generator().standard_normal((2, 30))
    whole, parts = (Lanczos(operator(matrix), starts, generator()) for _ in range(2))
    whole.run(20)
    for steps in (1, 2, 13, 20, 20):
        parts.run(steps)
    assert (whole.diagonal == parts.diagonal).all()
    assert (whole.off_diagonal == parts.off_diagonal).all()
    assert (whole.residual == parts.residual).all()


def test_extremes_are_those_of_scipy() -> None:
    """The three lowest and highest of 300, by ARPACK and by the full decomposition."""
    matrix = with_spectrum(generator(3).standard_normal(300) ** 3)
    found = extreme_eigenvalues(operator(matrix), 300, generator=generator(), count=3)
    exact = np.linalg.eigvalsh(matrix).astype(np.float64)
    scale = np.abs(exact).max()
    ends: list[tuple[Array, Array, Literal["SA", "LA"]]] = [
        (found.lowest, exact[:3], "SA"),
        (found.highest, exact[-3:], "LA"),
    ]
    for ours, theirs, which in ends:
        assert ours == pytest.approx(theirs, abs=1e-8 * scale)
        assert ours == pytest.approx(np.sort(eigsh(matrix, 3, which=which)[0]), abs=1e-8 * scale)
    assert found.error <= 1e-8 * scale


def test_extremes_of_a_network_are_those_of_its_hessian() -> None:
    """Through Hessian-vector products."""
    loss, dimension = network((1, 6, 6, 1))
    point = draw(dimension)
    found = extreme_eigenvalues(hessian_operator(loss, point), dimension, generator=generator())
    exact = eigenvalues(loss, point)
    assert found.lowest == pytest.approx(exact[:1], abs=1e-8 * exact[-1])
    assert found.highest == pytest.approx(exact[-1:], abs=1e-8 * exact[-1])


def test_the_error_is_honest_when_steps_run_out() -> None:
    """Too few steps: an eigenvalue lies within the error that is reported, and not within 1e-8."""
    known = np.linspace(-1.0, 1.0, 400)
    found = extreme_eigenvalues(
        operator(with_spectrum(known)), 400, generator=generator(), most_steps=15
    )
    for value in (*found.lowest, *found.highest):
        assert 1e-8 < np.abs(known - value).min() <= found.error < 0.1


def test_few_products_are_made_where_few_are_needed() -> None:
    """An outlier far from the bulk is found at once; so is the zero matrix."""
    products = 0

    def counted(vectors: Tensor) -> Tensor:
        nonlocal products
        products += len(vectors)
        return vectors * scales

    scales = torch.linspace(0.0, 1e-3, 1000, dtype=torch.float64)
    scales[0], scales[1] = -1.0, 1.0
    found = extreme_eigenvalues(counted, 1000, generator=generator())
    assert (*found.lowest, *found.highest) == pytest.approx((-1.0, 1.0), abs=1e-10)
    assert products == 11
    zero = extreme_eigenvalues(torch.zeros_like, 1000, generator=generator())
    assert (*zero.lowest, *zero.highest, zero.error) == (0.0, 0.0, 0.0)


def test_the_smallest_matrix_has_extremes() -> None:
    """d = 1."""
    found = extreme_eigenvalues(lambda vectors: -3.0 * vectors, 1, generator=generator())
    assert (*found.lowest, *found.highest) == pytest.approx((-3.0, -3.0))


@pytest.mark.parametrize("count", [0, 6])
def test_extremes_out_of_range_are_refused(count: int) -> None:
    """One line names the range."""
    with pytest.raises(ValueError, match=rf"count must be in 1\.\.5, got {count}"):
        extreme_eigenvalues(torch.zeros_like, 5, generator=generator(), count=count)


def test_the_trace_lies_within_its_error() -> None:
    """Over 200 estimates: unbiased, and the stated errors are those that are made."""
    matrix = with_spectrum(generator(1).standard_normal(40))
    found = [
        trace(operator(matrix), 40, generator=generator(seed), probes=50) for seed in range(200)
    ]
    values, errors = np.array(found).T
    off_diagonal = matrix - np.diag(np.diag(matrix))
    expected_error = np.sqrt(2.0 * (off_diagonal**2).sum() / 50)
    assert values.mean() == pytest.approx(np.trace(matrix), abs=4.0 * expected_error / np.sqrt(200))
    assert values.std() == pytest.approx(expected_error, rel=0.2)
    assert np.sqrt((errors**2).mean()) == pytest.approx(expected_error, rel=0.05)


def test_the_trace_of_a_diagonal_matrix_has_no_error() -> None:
    """Signs square to 1."""
    scales = torch.arange(5.0, dtype=torch.float64)
    found = trace(lambda vectors: vectors * scales, 5, generator=generator(), probes=3)
    assert found == pytest.approx((10.0, 0.0))


def test_the_density_is_that_of_the_eigenvalues() -> None:
    """Within four standard errors of a network's exact smoothed spectrum, nearly everywhere."""
    loss, dimension = network((1, 10, 10, 1))
    point = draw(dimension)
    exact = eigenvalues(loss, point)
    width = 0.02 * (exact[-1] - exact[0])
    grid = np.linspace(exact[0] - 5 * width, exact[-1] + 5 * width, 400)
    density = spectral_density(
        hessian_operator(loss, point), dimension, generator=generator(), probes=64
    )
    found, error = density.smoothed(grid, width)
    expected = smoothed(exact, grid, width)
    assert (np.abs(found - expected) <= 4 * error + 1e-6 * expected.max()).mean() > 0.98
    assert np.trapezoid(found, grid) == pytest.approx(1.0, abs=1e-6)
    assert np.trapezoid(np.abs(found - expected), grid) < 0.1
    assert density.weights.sum(1) == pytest.approx(1.0)


def test_more_probes_come_closer() -> None:
    """Sixteen times the probes, about a quarter of the distance to the exact spectrum."""
    matrix = with_spectrum(generator(2).uniform(-1.0, 1.0, 200))
    grid: Array = np.linspace(-2.0, 2.0, 200)
    exact = smoothed(np.linalg.eigvalsh(matrix).astype(np.float64), grid, 0.1)

    def distance(probes: int, seed: int) -> float:
        density = spectral_density(
            operator(matrix), 200, generator=generator(seed), probes=probes, steps=32
        )
        return float(np.abs(density.smoothed(grid, 0.1)[0] - exact).sum())

    few, many = (np.mean([distance(probes, seed) for seed in range(5)]) for probes in (4, 64))
    assert many == pytest.approx(few / 4.0, rel=0.4)


def test_moments_are_exact_up_to_twice_the_steps() -> None:
    """k nodes of a start v have its moments v A^j v up to j = 2k - 1, and not the next."""
    matrix = with_spectrum(generator(4).uniform(-1.0, 1.0, 50))
    starts = generator(7).standard_normal((2, 50))
    density = spectral_density(operator(matrix), 50, generator=generator(7), probes=2, steps=4)
    unit = starts / np.linalg.norm(starts, axis=1, keepdims=True)
    for power in range(9):
        moments = np.einsum("mi,ij,mj->m", unit, np.linalg.matrix_power(matrix, power), unit)
        found = (density.nodes**power * density.weights).sum(1)
        assert (np.abs(found - moments) < 1e-12).all() == (power < 8)


def test_one_eigenvalue_is_one_bell() -> None:
    """A multiple of the identity spends its Krylov space in one step and keeps all weight there."""
    density = spectral_density(lambda v: 3.0 * v, 20, generator=generator(), probes=2, steps=5)
    assert density.nodes == pytest.approx(3.0)
    assert density.weights.max(1) == pytest.approx(1.0)
    value, error = density.smoothed(np.array([3.0, 4.0]), 0.5)
    bell = np.exp([0.0, -2.0]) / (np.sqrt(2.0 * np.pi) * 0.5)
    assert value == pytest.approx(bell)
    assert error == pytest.approx(0.0, abs=1e-12)
    assert smoothed(np.array([3.0]), np.array([3.0, 4.0]), 0.5) == pytest.approx(bell)


def test_weights_scale_the_bells() -> None:
    """By hand: two vectors, two nodes each; the standard error is that of their mean."""
    density = SpectralDensity(
        np.array([[0.0, 9e9], [0.0, 9e9]]), np.array([[0.2, 0.8], [0.6, 0.4]])
    )
    value, error = density.smoothed(np.zeros(1), 1.0)
    assert value * np.sqrt(2.0 * np.pi) == pytest.approx(0.4)
    assert error * np.sqrt(2.0 * np.pi) == pytest.approx(0.2)


def test_one_probe_is_too_few() -> None:
    """There is no standard error of one number."""
    for function in (trace, spectral_density):
        with pytest.raises(ValueError, match="probes must be at least 2"):
            function(torch.zeros_like, 3, generator=generator(), probes=1)
