"""The share of the budget that is left, and of the processors."""

from __future__ import annotations

import time
from contextlib import suppress

import pytest
import torch

from mlds_bench.agents.atari.pace import Progress, half_the_threads
from mlds_bench.agents.budget import Budget


def test_what_is_left_of_a_budget(monkeypatch: pytest.MonkeyPatch) -> None:
    """By steps or seconds, whichever is further; never below 0."""
    seconds = [100.0]
    monkeypatch.setattr(time, "perf_counter", lambda: seconds[0])
    progress = Progress(Budget(1000, seconds=50.0))
    assert progress.remaining == 1.0
    progress.env_steps = 250
    assert progress.remaining == 0.75
    seconds[0] = 140.0
    assert progress.remaining == pytest.approx(0.2)
    progress.env_steps = 1200
    assert progress.remaining == 0.0
    assert Progress(Budget(0, seconds=50.0)).remaining == 1.0


@pytest.mark.parametrize(("threads", "half"), [(4, 2), (3, 1), (1, 1)])
def test_half_the_threads_at_least_one_and_all_again(threads: int, half: int) -> None:
    """Also after an error."""
    before = torch.get_num_threads()
    torch.set_num_threads(threads)
    seen = []
    try:
        with suppress(KeyError), half_the_threads():
            seen.append(torch.get_num_threads())
            raise KeyError
        seen.append(torch.get_num_threads())
    finally:
        torch.set_num_threads(before)
    assert seen == [half, threads]
