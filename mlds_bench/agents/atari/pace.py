"""Learning while playing: the remaining share of the budget, and of the processors."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from mlds_bench.agents.budget import Budget


class Progress:
    """How much of the budget is left, by steps or by seconds, whichever is less."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._began = time.perf_counter()
        self.env_steps = 0

    @property
    def remaining(self) -> float:
        """The share that is left: 1 at the start, 0 at the end."""
        seconds = (time.perf_counter() - self._began) / self._budget.seconds
        return max(1.0 - max(self.env_steps / max(self._budget.env_steps, 1), seconds), 0.0)


@contextmanager
def half_the_threads() -> Iterator[None]:
    """Leave half of torch's threads to the emulators, which play in the meantime."""
    threads = torch.get_num_threads()
    torch.set_num_threads(max(threads // 2, 1))
    try:
        yield
    finally:
        torch.set_num_threads(threads)
