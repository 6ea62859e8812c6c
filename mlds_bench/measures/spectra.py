"""Spectra of large symmetric matrices from their products alone: extremes, trace, density.

All take an operator (M, d) -> (M, d), float64, such as `hessian_operator` makes, and a generator
for their random vectors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from scipy.linalg import eigh_tridiagonal
from torch import Tensor

from mlds_bench.measures.hessian import Operator
from mlds_bench.measures.points import Array

EXHAUSTED = 1e-13
"""A new Lanczos vector below this share of the matrix's scale is rounding: the space is spent."""
CHECK_EVERY = 10


class Lanczos:
    """Lanczos iterations from M starts side by side, with full reorthogonalization.

    After k steps the operator, seen from the first k Krylov vectors of a start, is the tridiagonal
    matrix with ``diagonal`` (M, k) and ``off_diagonal`` (M, k - 1). Where a start's Krylov space is
    spent before d vectors, the off-diagonal entry is 0 and a new random vector goes on: so k = d
    gives all eigenvalues, repeated ones included. The basis takes 8 M k d bytes.

    Source: Golub and Van Loan, "Matrix computations", 4th edition, section 10.3.

    Args:
        multiply: the operator.
        starts: (M, d) float64, not zero.
        generator: of the vectors that go on.
    """

    def __init__(self, multiply: Operator, starts: Array, generator: np.random.Generator) -> None:
        self._multiply, self._generator = multiply, generator
        self._next = torch.from_numpy(starts / np.linalg.norm(starts, axis=1, keepdims=True))
        self._basis = self._next.new_empty(len(starts), 0, starts.shape[1])
        self._scale = np.zeros(len(starts))
        self.diagonal: Array = np.empty((len(starts), 0))
        self.off_diagonal: Array = np.empty((len(starts), 0))
        self.residual: Array = np.zeros(len(starts))

    def run(self, steps: int) -> None:
        """Go on until there are ``steps`` steps, at most d."""
        done, (starts, dimension) = self.diagonal.shape[1], self._next.shape
        steps = min(steps, dimension)
        basis = self._basis.new_empty(starts, steps, dimension)
        basis[:, :done] = self._basis
        for step in range(done, steps):
            if step:
                self.off_diagonal = np.column_stack([self.off_diagonal, self.residual])
            self._advance(basis[:, : step + 1], is_last=step + 1 == dimension)
        self._basis = basis

    def _advance(self, basis: Tensor, *, is_last: bool) -> None:
        basis[:, -1] = self._next
        image = self._multiply(self._next)
        diagonal = (image * self._next).sum(1).numpy()
        self.diagonal = np.column_stack([self.diagonal, diagonal])
        image = _without(basis, image)
        length = np.zeros(len(image)) if is_last else image.norm(dim=1).numpy()
        self._scale = np.maximum(self._scale, np.abs(diagonal) + length)
        spent = length <= EXHAUSTED * self._scale
        self.residual = np.where(spent, 0.0, length)
        if spent.any() and not is_last:
            fresh = torch.from_numpy(self._generator.standard_normal(image.shape))
            image = torch.where(torch.from_numpy(spent)[:, None], _without(basis, fresh), image)
        self._next = image / image.norm(dim=1, keepdim=True)


@dataclass(frozen=True)
class Extremes:
    """The ends of a spectrum.

    Attributes:
        lowest: (count,) float64, ascending.
        highest: (count,) float64, ascending.
        error: no returned value is farther than this from an eigenvalue.
    """

    lowest: Array
    highest: Array
    error: float


@dataclass(frozen=True)
class SpectralDensity:
    """A spectrum as M weighted sets of points, one per random vector.

    Attributes:
        nodes: (M, k) float64, in units of eigenvalues.
        weights: (M, k) float64, each row sums to 1.
    """

    nodes: Array
    weights: Array

    def smoothed(self, grid: Array, width: float) -> tuple[Array, Array]:
        """The density at ``grid`` (G,) after a Gaussian of standard deviation ``width``.

        Returns:
            density (G,), its integral 1, and its standard error (G,) over the random vectors.
        """
        rows = [_mixture(*row, grid, width) for row in zip(self.nodes, self.weights, strict=True)]
        return _mean_and_error(np.array(rows))


def extreme_eigenvalues(
    multiply: Operator,
    dimension: int,
    *,
    generator: np.random.Generator,
    count: int = 1,
    tolerance: float = 1e-8,
    most_steps: int = 500,
) -> Extremes:
    """The lowest and highest eigenvalues by Lanczos.

    A repeated eigenvalue is found once, unless the iteration runs through all d steps.

    Args:
        multiply: the operator.
        dimension: d.
        generator: of the start.
        count: eigenvalues at each end, 1 to d.
        tolerance: stop when the error is below this share of the largest absolute eigenvalue.
        most_steps: stop then in any case; each is one product.

    Raises:
        ValueError: count out of range.
    """
    most_steps = min(most_steps, dimension)
    if not 1 <= count <= most_steps:
        raise ValueError(f"count must be in 1..{most_steps}, got {count}")
    iteration = Lanczos(multiply, generator.standard_normal((1, dimension)), generator)
    steps = min(count + CHECK_EVERY, most_steps)
    while True:
        iteration.run(steps)
        values, vectors = eigh_tridiagonal(iteration.diagonal[0], iteration.off_diagonal[0])
        errors = iteration.residual[0] * np.abs(vectors[-1])
        error = float(np.concatenate([errors[:count], errors[-count:]]).max())
        if steps == most_steps or error <= tolerance * np.abs(values).max():
            lowest, highest = np.array([values[:count], values[-count:]], np.float64)
            return Extremes(lowest, highest, error)
        steps = min(steps + CHECK_EVERY, most_steps)


def trace(
    multiply: Operator, dimension: int, *, generator: np.random.Generator, probes: int = 100
) -> tuple[float, float]:
    """The trace and its standard error, by Hutchinson's estimator.

    v A v over vectors v of random signs has the trace as its mean, and twice the sum of squares of
    the entries off the diagonal as its variance.

    Source: Hutchinson 1990, "A stochastic estimator of the trace of the influence matrix for
    Laplacian smoothing splines".

    Args:
        multiply: the operator.
        dimension: d.
        generator: of the signs.
        probes: random vectors, at least 2; each is one product.
    """
    _check_probes(probes)
    signs = torch.from_numpy(generator.choice([-1.0, 1.0], (probes, dimension)))
    mean, error = _mean_and_error((multiply(signs) * signs).sum(1).numpy())
    return float(mean), float(error)


def spectral_density(
    multiply: Operator,
    dimension: int,
    *,
    generator: np.random.Generator,
    probes: int = 16,
    steps: int = 64,
) -> SpectralDensity:
    """The density of eigenvalues by stochastic Lanczos quadrature.

    Seen from a random vector, the spectrum's first 2k moments are those of k points: the
    eigenvalues of the tridiagonal matrix, weighted by the squares of the first entries of its
    eigenvectors. Their mean over random directions is the density of eigenvalues.

    Source: Ubaru, Chen and Saad 2017, "Fast estimation of tr(f(A)) via stochastic Lanczos
    quadrature"; Ghorbani, Krishnan and Xiao 2019, for Hessians.

    Args:
        multiply: the operator.
        dimension: d.
        generator: of the directions.
        probes: random directions, at least 2.
        steps: k, Lanczos steps from each; min(k, d) are made.
    """
    _check_probes(probes)
    iteration = Lanczos(multiply, generator.standard_normal((probes, dimension)), generator)
    iteration.run(steps)
    pairs = zip(iteration.diagonal, iteration.off_diagonal, strict=True)
    solved = [eigh_tridiagonal(*pair) for pair in pairs]
    return SpectralDensity(
        np.array([values for values, _ in solved]),
        np.array([vectors[0] ** 2 for _, vectors in solved]),
    )


def _mixture(nodes: Array, weights: Array, grid: Array, width: float) -> Array:
    distance = (grid[:, None] - nodes) / width
    density: Array = np.exp(-0.5 * distance**2) @ weights / (np.sqrt(2.0 * np.pi) * width)
    return density


def _without(basis: Tensor, vectors: Tensor) -> Tensor:
    """Vectors (M, d) less their parts in the bases (M, k, d); twice, for full precision."""
    for _ in range(2):
        shares = torch.bmm(basis, vectors[:, :, None])
        vectors = torch.baddbmm(vectors[:, None], shares.mT, basis, alpha=-1)[:, 0]
    return vectors


def _mean_and_error(samples: Array) -> tuple[Array, Array]:
    """Mean over the first axis, and its standard error."""
    return samples.mean(0), samples.std(0, ddof=1) / np.sqrt(len(samples))


def _check_probes(probes: int) -> None:
    if probes < 2:
        raise ValueError(f"probes must be at least 2, for a standard error, got {probes}")
