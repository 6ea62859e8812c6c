"""No reference agent changes its behavior under the same version."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mlds_bench.agents import atari, registry
from mlds_bench.agents.atari import ppo
from mlds_bench.agents.registry import EVERYWHERE, builtin
from mlds_bench.envs.registry import ROOMS
from tests.agents.goldens.cases import CASES, SB3
from tests.agents.goldens.check import Golden, complaint, stored, today

RAISE = "raise the version of ppo and refresh with `python -m tools.goldens`"


def test_every_reference_agent_has_a_golden() -> None:
    """All names of the tables, two of Stable-Baselines3's, and no others."""
    ours = {name for room in (EVERYWHERE, *ROOMS) for name in builtin(room)}
    assert set(CASES) == ours | set(SB3) == set(stored())


@pytest.mark.parametrize("name", CASES)
def test_behavior_is_that_of_its_version(name: str) -> None:
    """Today's numbers are the stored ones, within the rounding of processors."""
    assert complaint(name, stored().get(name), today(name)) is None


def test_no_agent_behaves_like_another() -> None:
    """What an agent is named after acts: no two have the same numbers, parents and kin included."""
    numbers = {name: str(golden.numbers) for name, golden in stored().items()}
    assert len(set(numbers.values())) == len(numbers)


def test_a_wrong_clip_range_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    """PPO that clips one side only needs another version."""

    def wrong(now: Tensor, old: Tensor, advantages: Tensor, *, clip_range: float) -> Tensor:
        ratio = (now - old).exp()
        clipped = ratio.clamp(max=1.0 + clip_range)
        return -torch.minimum(ratio * advantages, clipped * advantages).mean()

    monkeypatch.setattr(ppo, "clipped_surrogate_loss", wrong)
    line = complaint("ppo", stored()["ppo"], today("ppo"))
    assert line is not None
    assert line.startswith("ppo behaves differently under version 1")
    assert line.endswith(RAISE)


def test_a_new_version_needs_a_new_golden(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also if the numbers are still the same."""
    monkeypatch.setitem(atari.VERSIONS, "ppo", 2)
    registry.builtin.cache_clear()
    try:
        line = complaint("ppo", stored()["ppo"], today("ppo"))
    finally:
        registry.builtin.cache_clear()
    assert line == "ppo has version 2, its golden 1: refresh with `python -m tools.goldens`"


@pytest.mark.parametrize(
    ("numbers", "expected"),
    [
        ([100.0, 50.0, 0.0], None),
        ([100.009, 50.009, -0.009], None),
        ([100.0, 50.0, 0.02], RAISE),
        ([100.02, 50.0, 0.0], RAISE),
        ([float("nan"), 50.0, 0.0], RAISE),
        ([100.0, 50.0], RAISE),
    ],
)
def test_a_ten_thousandth_of_the_largest_number_is_tolerated(
    numbers: list[float], expected: str | None
) -> None:
    """And no more; a number that is none is never tolerated."""
    line = complaint("ppo", Golden(1, [100.0, 50.0, 0.0]), Golden(1, numbers))
    assert line is None if expected is None else line is not None and line.endswith(expected)


def test_a_new_agent_needs_a_golden() -> None:
    """One line says how to make it."""
    line = complaint("mine", None, Golden(1, [0.0] * 3))
    assert line == "mine has no golden: refresh with `python -m tools.goldens`"
