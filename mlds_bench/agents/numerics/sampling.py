"""Which rows of a replay buffer are drawn: uniformly, or in proportion to their priorities.

A replay buffer of R rows tells its sampler which rows may be drawn (`admit`) and which no longer
may (`retire`). Everything is done for whole batches of rows.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

SMALLEST_PRIORITY = 1e-6
"""Added to every error, so that every row keeps a chance (epsilon of Schaul et al. 2016)."""


class Sampler(Protocol):
    """Draws rows of a replay buffer."""

    def admit(self, rows: Rows) -> None:
        """Allow these rows to be drawn from now on."""

    def retire(self, rows: Rows) -> None:
        """Stop drawing these rows."""

    def sample(self, size: int) -> tuple[Rows, Floats]:
        """Draw ``size`` rows with replacement; rows and their weights in the loss, at most 1."""

    def update(self, rows: Rows, errors: Floats) -> None:
        """Report how wrong the network was about these rows, as errors >= 0."""


class UniformSampler:
    """Draws all admitted rows with equal probability.

    It draws from all rows in use, and again until enough of the draws are admitted.

    Args:
        rows: R, the rows of the replay buffer.
        generator: source of the draws.
    """

    def __init__(self, rows: int, generator: np.random.Generator) -> None:
        self._admitted = np.zeros(rows, dtype=np.bool_)
        self._generator = generator
        self._used = 0

    def admit(self, rows: Rows) -> None:
        """Allow these rows to be drawn from now on."""
        if rows.size:
            self._admitted[rows] = True
            self._used = max(self._used, int(rows.max()) + 1)

    def retire(self, rows: Rows) -> None:
        """Stop drawing these rows."""
        self._admitted[rows] = False

    def sample(self, size: int) -> tuple[Rows, Floats]:
        """Draw ``size`` rows with replacement; rows and weights, all of them 1.

        Raises:
            ValueError: if no row may be drawn.
        """
        if not self._admitted[: self._used].any():
            raise ValueError("no row may be drawn yet: nothing was admitted")
        drawn = np.empty(0, dtype=np.int64)
        while len(drawn) < size:
            more = self._generator.integers(self._used, size=2 * size)
            drawn = np.concatenate([drawn, more[self._admitted[more]]])
        return drawn[:size], np.ones(size)

    def update(self, rows: Rows, errors: Floats) -> None:
        """Do nothing: errors do not matter here."""


class PrioritizedSampler:
    """Draws rows in proportion to ``(error + epsilon) ** alpha`` (Schaul et al. 2016).

    A row is admitted with the largest priority so far, so that it is drawn soon. The draws are
    stratified: one from each of ``size`` equal parts of the sum of priorities. The weights correct
    the bias in part: they are ``probability ** -beta``, divided by the largest of the batch.

    Args:
        rows: R, the rows of the replay buffer.
        generator: source of the draws.
        alpha: 0 draws uniformly, 1 in proportion to the error.
        beta: 0 leaves the bias of the draws, 1 corrects all of it.
    """

    def __init__(
        self, rows: int, generator: np.random.Generator, *, alpha: float, beta: float
    ) -> None:
        self._tree = SumTree(rows)
        self._generator = generator
        self._alpha, self._beta = alpha, beta
        self._largest = 1.0

    def admit(self, rows: Rows) -> None:
        """Allow these rows to be drawn, at first with the largest priority so far."""
        self._tree.set(rows, np.full(len(rows), self._largest))

    def retire(self, rows: Rows) -> None:
        """Stop drawing these rows."""
        self._tree.set(rows, np.zeros(len(rows)))

    def sample(self, size: int) -> tuple[Rows, Floats]:
        """Draw ``size`` rows with replacement; rows and their weights in (0, 1].

        Raises:
            ValueError: if no row may be drawn.
        """
        strata = (np.arange(size) + self._generator.random(size)) / size
        rows = self._tree.find(strata * self._tree.total)
        weights = self._tree[rows] ** -self._beta
        return rows, weights / weights.max()

    def update(self, rows: Rows, errors: Floats) -> None:
        """Set the priorities of those rows that are still admitted."""
        priorities = (errors + SMALLEST_PRIORITY) ** self._alpha
        still = self._tree[rows] > 0.0
        self._tree.set(rows[still], priorities[still])
        self._largest = max(self._largest, float(priorities.max()))


class SumTree:
    """A binary tree of sums of priorities, in which whole batches are drawn and changed at once.

    A draw or a change costs one array operation per level. The nodes lie in one array: the root at
    1, the children of k at 2k and 2k + 1, the leaves last.

    Args:
        size: number of leaves, all of priority 0 at first.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a sum tree has at least 1 leaf, got {size}")
        self._levels = (size - 1).bit_length()
        self._first = 1 << self._levels
        self._sums = np.zeros(2 * self._first)

    @property
    def total(self) -> float:
        """The sum of all priorities."""
        return float(self._sums[1])

    def __getitem__(self, leaves: Rows) -> Floats:
        return self._sums[self._first + leaves]

    def set(self, leaves: Rows, priorities: Floats) -> None:
        """Set priorities (k,) >= 0 of leaves (k,); if a leaf is given twice, the last counts."""
        nodes = self._first + leaves
        self._sums[nodes] = priorities
        for _ in range(self._levels):
            nodes >>= 1
            self._sums[nodes] = self._sums[2 * nodes] + self._sums[2 * nodes + 1]

    def find(self, sums: Floats) -> Rows:
        """The leaves (k,) in which the cumulative sum of priorities passes each of ``sums`` (k,).

        A leaf of priority 0 is never found, however the sums are rounded.

        Raises:
            ValueError: if every priority is 0.
        """
        if not self.total > 0.0:
            raise ValueError("no row may be drawn yet: nothing was admitted")
        nodes, left_over = np.ones(len(sums), dtype=np.int64), sums.copy()
        for _ in range(self._levels):
            nodes <<= 1
            left = self._sums[nodes]
            goes_right = (left_over >= left) & (self._sums[nodes + 1] > 0.0)
            left_over -= np.where(goes_right, left, 0.0)
            nodes += goes_right
        return nodes - self._first
