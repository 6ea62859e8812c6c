"""Which points of a test are kept for pictures: the first runs, more densely at first."""

from __future__ import annotations

from dataclasses import dataclass

TRACED_RUNS = 8
"""So many instances are traced, the first ones, each in its first episode."""
MOST_QUERIES = 500
MOST_NUMBERS = 250_000
"""Most coordinates traced of one run: at d = 982, 254 points."""


@dataclass(frozen=True)
class Schedule:
    """After which queries the runs are traced: all of the first, then evenly spaced ones.

    Quick optimizers finish after ten queries, slow ones use thousands.

    Attributes:
        every: the number of first queries that are all traced.
        stride: from one traced query to the next after those.
    """

    every: int
    stride: int

    @classmethod
    def of(cls, query_budget: int, dimension: int) -> Schedule:
        """The schedule of episodes of this length, for points (d,)."""
        most = max(min(MOST_QUERIES, MOST_NUMBERS // dimension), 8)
        every = min(most // 4, query_budget)
        return cls(every, max(-(-(query_budget - every) // (most - every)), 1))

    def __contains__(self, query: int) -> bool:
        """Whether the point after this many queries is traced."""
        return query < self.every or query % self.stride == 0
