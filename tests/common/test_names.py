"""A wrong name is answered with the nearest right one."""

from __future__ import annotations

import pytest

from mlds_bench.common.names import unknown_name


@pytest.mark.parametrize(
    ("name", "known", "line"),
    [
        ("depe", ["deep", "PPO"], "unknown agent 'depe': did you mean 'deep'?"),
        ("ppo", ["deep", "PPO"], "unknown agent 'ppo': did you mean 'PPO'?"),
        ("xyz", ["deep", "PPO"], "unknown agent 'xyz': there are deep, PPO"),
        ("xyz", [], "unknown agent 'xyz': there is no agent to set"),
    ],
)
def test_the_nearest_name_is_told(name: str, known: list[str], line: str) -> None:
    """In the right spelling; all of them where none is near, and that there are none."""
    assert unknown_name("agent", name, known) == line


def test_a_single_name_is_said_to_be_the_only_one() -> None:
    """In plain English."""
    assert unknown_name("option", "zzz", ["reset"]) == "unknown option 'zzz': there is only reset"
