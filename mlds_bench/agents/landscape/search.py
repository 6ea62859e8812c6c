"""Optimizers that use only losses, so that they also play with ``gradient=False``.

- ``random-search``: probes a normal step and makes it if the loss decreases. The standard deviation
  of the steps grows after a success and shrinks after a failure, in balance at one success in five
  (Rechenberg 1973).
- ``es``: an evolution strategy with antithetic pairs (Salimans et al. 2017). The gradient of the
  smoothed loss is estimated by the mean over pairs of (L(theta + s e) - L(theta - s e)) e / 2s, and
  Adam steps along it. A move costs two queries per pair and one for itself.

The noise of instance i depends only on the seed and on i, not on the size of the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlds_bench.agents.landscape.first_order import AdamHyperparameters, Stepper
from mlds_bench.agents.landscape.optimizer import Array, Flags, LandscapeAgent, Seen
from mlds_bench.common.bounds import above, between
from mlds_bench.envs.streams import Streams, derive

SUCCESSES = 0.2
"""Share of successes at which sigma of a random search is in balance."""
SMALLEST_SIGMA, LARGEST_SIGMA = 1e-12, 1e3


@dataclass(frozen=True)
class RandomSearchHyperparameters:
    """Hyper-parameters of the random search.

    Attributes:
        sigma: initial standard deviation of the steps, per coordinate.
        adaptation: log sigma grows by 0.8 of it after a success and shrinks by 0.2 of it after a
            failure; 0 keeps sigma constant.
    """

    sigma: float = 0.3
    adaptation: float = 0.5

    def __post_init__(self) -> None:
        above(0.0, sigma=self.sigma)
        between(0.0, 10.0, adaptation=self.adaptation)


@dataclass(frozen=True)
class EsHyperparameters:
    """Hyper-parameters of the evolution strategy.

    Attributes:
        pairs: antithetic pairs of probes per move.
        sigma: standard deviation s of the probes, per coordinate.
        learning_rate: of Adam.
    """

    pairs: int = 4
    sigma: float = 0.02
    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        above(0.0, sigma=self.sigma, learning_rate=self.learning_rate)
        if not 1 <= self.pairs <= 10_000:
            raise ValueError(f"pairs must be in 1..10000, got {self.pairs}")


class RandomSearchAgent(LandscapeAgent):
    """Makes random steps that lower the loss."""

    name = "random-search"
    needs_gradient = False
    hyperparameters: ClassVar[type] = RandomSearchHyperparameters

    def allocate(self, count: int) -> None:
        """Allocate the noise streams, sigmas and trial steps."""
        self._streams = Streams(derive(self.seed, self.name), count)
        self._everyone = np.arange(count)
        self._sigma = np.full(count, self.hyper.sigma)
        self._best = np.zeros(count)
        self._trial = np.zeros((count, self.dimension))
        self._trying = np.zeros(count, np.bool_)

    def clear(self, rows: Flags) -> None:
        """Reset sigmas and trials where ``rows`` (N,) is True; the noise streams continue."""
        self._sigma[rows] = self.hyper.sigma
        self._trying[rows] = False

    def ask(self, seen: Seen, vectors: Array) -> Flags:
        """Move to trials that lowered the loss, probe elsewhere."""
        better: Flags = self._trying & (seen.loss < self._best)
        growth = np.where(better, 1.0 - SUCCESSES, -SUCCESSES) * self.hyper.adaptation
        sigma = self._sigma * np.exp(np.where(self._trying, growth, 0.0))
        self._sigma = np.clip(sigma, SMALLEST_SIGMA, LARGEST_SIGMA)
        self._best = np.where(self._trying & ~better, self._best, seen.loss)
        probes = np.flatnonzero(~better)
        noise = self._streams.normal(probes, self.dimension)
        self._trial[probes] = self._sigma[probes, None] * noise
        vectors[:] = self._trial
        self._trying = ~better
        return better


class EsAgent(LandscapeAgent):
    """Adam on a gradient that is estimated by antithetic probes."""

    name = "es"
    needs_gradient = False
    hyperparameters: ClassVar[type] = EsHyperparameters

    def prepare(self) -> None:
        """Count the probes that a move needs.

        Raises:
            Unsupported: if the query budget does not allow a single move.
        """
        super().prepare()
        self._probes = 2 * self.hyper.pairs
        self.require_queries(self._probes + 1)

    def allocate(self, count: int) -> None:
        """Allocate the noise streams, the estimates and Adam's memory."""
        self._streams = Streams(derive(self.seed, self.name), count)
        self._stepper = Stepper(
            "adam", AdamHyperparameters(self.hyper.learning_rate), count, self.dimension
        )
        self._stage = np.zeros(count, np.int64)  # probes since the last move
        self._noise = np.zeros((count, self.dimension))
        self._gradient = np.zeros((count, self.dimension))

    def clear(self, rows: Flags) -> None:
        """Reset estimates and Adam where ``rows`` (N,) is True; the noise streams continue."""
        self._stage[rows] = 0
        self._gradient[rows] = 0.0
        self._stepper.clear(rows)

    def ask(self, seen: Seen, vectors: Array) -> Flags:
        """Make the next probe, or move along the estimate."""
        self._learn(seen.loss)
        moves: Flags = self._stage == self._probes
        fresh = np.flatnonzero((self._stage % 2 == 0) & ~moves)
        if len(fresh):
            self._noise[fresh] = self._streams.normal(fresh, self.dimension)
        side = np.where(self._stage % 2 == 0, self.hyper.sigma, -self.hyper.sigma)
        np.multiply(self._noise, side[:, None], out=vectors)
        ready = np.flatnonzero(moves)
        if len(ready):
            vectors[ready] = self._stepper.step_rows(ready, self._gradient[ready])
            self._gradient[ready] = 0.0
        self._stage = np.where(moves, 0, self._stage + 1)
        return moves

    def _learn(self, loss: Array) -> None:
        """Add the observed loss to the estimate, with the sign of its probe."""
        sign = np.where(self._stage % 2 == 1, 1.0, -1.0) * (self._stage > 0)
        weight = sign * loss / (self._probes * self.hyper.sigma)
        self._gradient += weight[:, None] * self._noise
