"""Bayesian optimization: a Gaussian process of the validation accuracy, and where to try next.

Snoek, Larochelle and Adams 2012, "Practical Bayesian optimization of machine learning algorithms":
Matern 5/2 kernel, expected improvement. The processes of all instances are one batch of arrays.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from typing import Any, ClassVar

import numpy as np
from scipy.special import ndtr

from mlds_bench.agents.generalization.search import SearchAgent
from mlds_bench.agents.generalization.spaces import Array, Observation, Whole

LENGTHS = (0.5, 1.0, 2.0, 4.0)
"""Length scales among which the marginal likelihood decides; an axis spans 1."""
NOISES = (0.01, 0.1, 0.5)
"""Variances of the noise, in those of the accuracies told, among which it decides, too."""


@dataclass(frozen=True)
class GaussianProcessHyperparameters:
    """Hyper-parameters of the search.

    Attributes:
        learning_starts: random tries before the first process.
    """

    learning_starts: int = 4

    def __post_init__(self) -> None:
        if self.learning_starts < 1:
            raise ValueError(f"learning_starts must be at least 1, got {self.learning_starts}")


class GaussianProcessSearch(SearchAgent):
    """Random tries first, then the setting of the largest expected improvement; all to the end."""

    hyperparameters: ClassVar[type] = GaussianProcessHyperparameters

    def prepare(self) -> None:
        """List all settings, with every axis from 0 to 1."""
        super().prepare()
        levels = self._search.levels
        self._all = np.array(list(product(*(range(count) for count in levels))), dtype=np.int64)
        self._points = self._all / np.maximum(np.array(levels) - 1, 1)

    def act(self, obs: Any) -> Whole:
        """Settings (N, axes + 1) at full fidelity."""
        seen: Observation = obs
        tries = self._search.tries(seen)
        levels = self.random_levels(len(tries))
        for count in np.unique(tries[tries >= self.hyper.learning_starts]):
            rows = np.flatnonzero(tries == count)
            x = seen["settings"][rows, :count].astype(np.float64)
            y = seen["accuracy"][rows, :count].astype(np.float64)
            levels[rows] = self._all[self._next(x, y)]
        return self._search.action(levels, self._search.rungs - 1)

    def _next(self, x: Array, y: Array) -> Whole:
        """Rows (N,) of all settings, from tries x (N, t, axes) and accuracies y (N, t)."""
        center, spread = y.mean(1, keepdims=True), y.std(1, keepdims=True)
        y = (y - center) / np.where(spread > 0.0, spread, 1.0)
        best: Array = np.full(len(y), -np.inf)
        chosen: Whole = np.zeros(len(y), np.int64)
        for length, noise in product(LENGTHS, NOISES):
            likelihood, mean, deviation = posterior(x, y, self._points, length, noise)
            improvement = expected_improvement(mean, deviation, y.max(1))
            better = likelihood > best
            best = np.where(better, likelihood, best)
            chosen = np.where(better, improvement.argmax(1), chosen)
        return chosen


def matern(first: Array, second: Array, length: float) -> Array:
    """Matern 5/2 kernel (..., n, m) of points (..., n, d) and (..., m, d), 1 at distance 0."""
    squares = (first**2).sum(-1)[..., :, None] + (second**2).sum(-1)[..., None, :]
    squares = squares - 2.0 * first @ np.swapaxes(second, -1, -2)
    scaled = np.sqrt(5.0 * np.maximum(squares, 0.0)) / length
    kernel: Array = (1.0 + scaled + scaled**2 / 3.0) * np.exp(-scaled)
    return kernel


def posterior(
    x: Array, y: Array, points: Array, length: float, noise: float
) -> tuple[Array, Array, Array]:
    """Log marginal likelihood (N,), and mean and deviation (N, m) at the points (m, d).

    Rasmussen and Williams 2006, algorithm 2.1, for N processes of unit variance at once.

    Args:
        x: (N, t, d) where values are known.
        y: (N, t) values, of mean 0.
        points: (m, d).
        length: length scale.
        noise: variance of the noise in y.
    """
    t = x.shape[1]
    covariance = matern(x, x, length) + noise * np.eye(t)
    lower = np.linalg.cholesky(covariance)
    cross = matern(x, points[None], length)
    half = np.linalg.solve(lower, np.concatenate([y[..., None], cross], axis=2))
    white, spread = half[..., 0], half[..., 1:]
    mean = np.einsum("nt,ntm->nm", white, spread)
    variance = np.maximum(1.0 - (spread**2).sum(1), 1e-12)
    logs = np.log(np.diagonal(lower, axis1=1, axis2=2)).sum(1)
    likelihood = -0.5 * (white**2).sum(1) - logs - 0.5 * t * np.log(2.0 * np.pi)
    return likelihood, mean, np.sqrt(variance)


def expected_improvement(mean: Array, deviation: Array, best: Array) -> Array:
    """E[max(f - best, 0)] (N, m) of normal f (Jones et al. 1998); best is (N,)."""
    gain = mean - best[:, None]
    z = gain / deviation
    density = np.exp(-0.5 * z**2) / np.sqrt(2.0 * np.pi)
    improvement: Array = gain * ndtr(z) + deviation * density
    return improvement
