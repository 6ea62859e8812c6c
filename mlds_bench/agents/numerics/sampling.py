"""Which rows of a replay are drawn: all alike, or in proportion to their priorities.

A replay of R rows tells its sampler which rows may be drawn (`admit`) and which no longer may
(`retire`); everything is done for whole batches of rows.
"""

from __future__ import annotations

from typing import Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Rows: TypeAlias = npt.NDArray[np.int64]
Floats: TypeAlias = npt.NDArray[np.float64]

SMALLEST_PRIORITY = 1e-6
"""Added to every error, so that no row is lost for good (epsilon of Schaul et al. 2016)."""


class Sampler(Protocol):
    """Draws rows of a replay."""

    def admit(self, rows: Rows) -> None:
        """Let these rows be drawn from now on."""

    def retire(self, rows: Rows) -> None:
        """Draw these rows no more."""

    def sample(self, size: int) -> tuple[Rows, Floats]:
        """``size`` rows, with replacement, and the weight of each in the loss, at most 1."""

    def update(self, rows: Rows, errors: Floats) -> None:
        """Tell how wrong the network was about these rows, errors >= 0."""


class UniformSampler:
    """All admitted rows alike: draws from the rows in use until enough of them are admitted.

    Args:
        rows: R, the rows of the replay.
        generator: of the draws.
    """

    def __init__(self, rows: int, generator: np.random.Generator) -> None:
        self._admitted = np.zeros(rows, dtype=np.bool_)
        self._generator = generator
        self._used = 0

    def admit(self, rows: Rows) -> None:
        """Let these rows be drawn from now on."""
        if rows.size:
            self._admitted[rows] = True
            self._used = max(self._used, int(rows.max()) + 1)

    def retire(self, rows: Rows) -> None:
        """Draw these rows no more."""
        self._admitted[rows] = False

    def sample(self, size: int) -> tuple[Rows, Floats]:
        """``size`` rows, with replacement; every weight is 1.

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
        """Nothing: errors do not matter here."""


class PrioritizedSampler:
    """Rows in proportion to ``(error + epsilon) ** exponent`` (Schaul et al. 2016, proportional).

    A row is admitted with the largest priority so far, so that each is drawn soon. The draws are
    stratified: one in each ``size``-th of the sum. The weights undo the bias in part:
    ``(probability ** -correction)``, divided by the largest of the batch.

    Args:
        rows: R, the rows of the replay.
        generator: of the draws.
        exponent: 0 draws uniformly, 1 in proportion to the error.
        correction: 0 leaves the bias of the draws, 1 undoes it.
    """

    def __init__(
        self, rows: int, generator: np.random.Generator, *, exponent: float, correction: float
    ) -> None:
        self._tree = SumTree(rows)
        self._generator = generator
        self._exponent, self._correction = exponent, correction
        self._largest = 1.0

    def admit(self, rows: Rows) -> None:
        """Let these rows be drawn from now on, first with the largest priority so far."""
        self._tree.set(rows, np.full(len(rows), self._largest))

    def retire(self, rows: Rows) -> None:
        """Draw these rows no more."""
        self._tree.set(rows, np.zeros(len(rows)))

    def sample(self, size: int) -> tuple[Rows, Floats]:
        """``size`` rows, with replacement, and their weights in (0, 1].

        Raises:
            ValueError: if no row may be drawn.
        """
        strata = (np.arange(size) + self._generator.random(size)) / size
        rows = self._tree.find(strata * self._tree.total)
        weights = self._tree[rows] ** -self._correction
        return rows, weights / weights.max()

    def update(self, rows: Rows, errors: Floats) -> None:
        """Set the priorities of rows that are still admitted."""
        priorities = (errors + SMALLEST_PRIORITY) ** self._exponent
        still = self._tree[rows] > 0.0
        self._tree.set(rows[still], priorities[still])
        self._largest = max(self._largest, float(priorities.max()))


class SumTree:
    """Sums of priorities, so that a draw and a change cost one step a level, whole batches at once.

    The nodes lie in one array, the root at 1, the children of k at 2k and 2k + 1, the leaves last.

    Args:
        size: leaves, all of priority 0 at first.
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
        """Change the priorities (k,) >= 0 of leaves (k,); of a leaf given twice the last counts."""
        nodes = self._first + leaves
        self._sums[nodes] = priorities
        for _ in range(self._levels):
            nodes >>= 1
            self._sums[nodes] = self._sums[2 * nodes] + self._sums[2 * nodes + 1]

    def find(self, sums: Floats) -> Rows:
        """The leaf in which the running sum of priorities passes each of ``sums`` (k,).

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
