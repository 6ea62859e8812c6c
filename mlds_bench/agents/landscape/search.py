"""Optimizers that see losses only, and play with ``gradient=False`` too.

- ``random-search``: probes a normal step and makes it if the loss goes down; the scale of the steps
  grows after a success and shrinks after a failure so that it stands still at one success in five
  (Rechenberg 1973).
- ``es``: an evolution strategy with antithetic pairs (Salimans et al. 2017): the gradient of the
  smoothed loss is the mean over pairs of (L(theta + s e) - L(theta - s e)) e / 2s, and Adam steps
  along it. A move costs two queries a pair and one for itself.

The noise of instance i depends on the seed and on i alone, not on the size of the batch.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlds_bench.agents.landscape.first_order import AdamHyperparameters, Stepper, check_positive
from mlds_bench.agents.landscape.optimizer import Array, Flags, LandscapeAgent, Seen
from mlds_bench.envs.streams import Streams, derive

SUCCESSES = 0.2
"""Share of successes at which the scale of a random search stands still."""
SMALLEST_SCALE, LARGEST_SCALE = 1e-12, 1e3


@dataclass(frozen=True)
class RandomSearchHyperparameters:
    """Settings of the random search.

    Attributes:
        scale: standard deviation of the first steps, a coordinate.
        adaptation: logarithm by which the scale grows after a success, times 0.8, and shrinks after
            a failure, times 0.2; 0 keeps it.
    """

    scale: float = 0.3
    adaptation: float = 0.5

    def __post_init__(self) -> None:
        check_positive(scale=self.scale)
        if not 0.0 <= self.adaptation <= 10.0:
            raise ValueError(f"adaptation must be in 0..10, got {self.adaptation!r}")


@dataclass(frozen=True)
class EsHyperparameters:
    """Settings of the evolution strategy.

    Attributes:
        pairs: antithetic pairs of probes a move.
        scale: standard deviation s of the probes, a coordinate.
        learning_rate: Adam's.
    """

    pairs: int = 4
    scale: float = 0.02
    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        check_positive(scale=self.scale, learning_rate=self.learning_rate)
        if not 1 <= self.pairs <= 10_000:
            raise ValueError(f"pairs must be in 1..10000, got {self.pairs}")


class RandomSearchAgent(LandscapeAgent):
    """Makes random steps that go down."""

    name = "random-search"
    needs_gradient = False
    hyperparameters: ClassVar[type] = RandomSearchHyperparameters

    def allocate(self, count: int) -> None:
        """Make the streams of noise, the scales and the steps on trial."""
        self._streams = Streams(derive(self.seed, self.name), count)
        self._everyone = np.arange(count)
        self._scale = np.full(count, self.hyper.scale)
        self._best = np.zeros(count)
        self._trial = np.zeros((count, self.dimension))
        self._trying = np.zeros(count, np.bool_)

    def clear(self, rows: Flags) -> None:
        """Forget scales and trials where ``rows`` is True; the noise goes on."""
        self._scale[rows] = self.hyper.scale
        self._trying[rows] = False

    def ask(self, seen: Seen, vectors: Array) -> Flags:
        """Move to trials that went down, probe elsewhere."""
        better: Flags = self._trying & (seen.loss < self._best)
        growth = np.where(better, 1.0 - SUCCESSES, -SUCCESSES) * self.hyper.adaptation
        scale = self._scale * np.exp(np.where(self._trying, growth, 0.0))
        self._scale = np.clip(scale, SMALLEST_SCALE, LARGEST_SCALE)
        self._best = np.where(self._trying & ~better, self._best, seen.loss)
        probes = np.flatnonzero(~better)
        noise = self._streams.normal(probes, self.dimension)
        self._trial[probes] = self._scale[probes, None] * noise
        vectors[:] = self._trial
        self._trying = ~better
        return better


class EsAgent(LandscapeAgent):
    """Adam on a gradient that antithetic probes estimate."""

    name = "es"
    needs_gradient = False
    hyperparameters: ClassVar[type] = EsHyperparameters

    def prepare(self) -> None:
        """Count the queries of a move.

        Raises:
            Unsupported: the budget does not allow a single move.
        """
        super().prepare()
        self._probes = 2 * self.hyper.pairs
        self.require_queries(self._probes + 1)

    def allocate(self, count: int) -> None:
        """Make the streams of noise, the estimate and Adam's memory."""
        self._streams = Streams(derive(self.seed, self.name), count)
        self._stepper = Stepper(
            "adam", AdamHyperparameters(self.hyper.learning_rate), count, self.dimension
        )
        self._stage = np.zeros(count, np.int64)  # probes asked for since the last move
        self._noise = np.zeros((count, self.dimension))
        self._gradient = np.zeros((count, self.dimension))

    def clear(self, rows: Flags) -> None:
        """Forget estimates and Adam's memory where ``rows`` is True; the noise goes on."""
        self._stage[rows] = 0
        self._gradient[rows] = 0.0
        self._stepper.clear(rows)

    def ask(self, seen: Seen, vectors: Array) -> Flags:
        """Probe on, or move along the estimate."""
        self._learn(seen.loss)
        moves: Flags = self._stage == self._probes
        fresh = np.flatnonzero((self._stage % 2 == 0) & ~moves)
        if len(fresh):
            self._noise[fresh] = self._streams.normal(fresh, self.dimension)
        side = np.where(self._stage % 2 == 0, self.hyper.scale, -self.hyper.scale)
        np.multiply(self._noise, side[:, None], out=vectors)
        ready = np.flatnonzero(moves)
        if len(ready):
            vectors[ready] = self._stepper.step_rows(ready, self._gradient[ready])
            self._gradient[ready] = 0.0
        self._stage = np.where(moves, 0, self._stage + 1)
        return moves

    def _learn(self, loss: Array) -> None:
        """Add the loss that is seen to the estimate, with the sign of its probe."""
        sign = np.where(self._stage % 2 == 1, 1.0, -1.0) * (self._stage > 0)
        weight = sign * loss / (self._probes * self.hyper.scale)
        self._gradient += weight[:, None] * self._noise
