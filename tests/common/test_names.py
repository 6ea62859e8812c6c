"""A wrong name is answered with the nearest right one."""

from __future__ import annotations

import pytest

from mlds_bench.common.names import MOST, unknown_name


@pytest.mark.parametrize(
    ("name", "known", "line"),
    [
        ("depe", ["deep", "PPO"], "unknown agent 'depe': did you mean 'deep'?"),
        ("ppo", ["deep", "PPO"], "unknown agent 'ppo': did you mean 'PPO'?"),
        (
            "sinc",
            ["all", "hw1-1/sinc", "hw1-2/sinc", "hw1-1/sgn"],
            "unknown agent 'sinc': did you mean 'hw1-1/sinc' or 'hw1-2/sinc'?",
        ),
        ("TD3", ["a2c", "sb3:TD3"], "unknown agent 'TD3': did you mean 'sb3:TD3'?"),
        ("hw1-9", ["hw1-1", "hw1-2"], "unknown agent 'hw1-9': did you mean 'hw1-1' or 'hw1-2'?"),
        ("DEEP", ["Deep", "deep"], "unknown agent 'DEEP': did you mean 'Deep' or 'deep'?"),
        ("dee", ["deep", "deer", "dees", "deem"], "did you mean "),
        ("xyz", ["deep", "PPO"], "unknown agent 'xyz': there are deep, PPO"),
        ("xyz", [], "unknown agent 'xyz': there is no agent to set"),
    ],
)
def test_the_nearest_name_is_told(name: str, known: list[str], line: str) -> None:
    """In the right spelling; several that are equally near; all of them where none is near."""
    found = unknown_name("agent", name, known)
    assert found == line or (not line.startswith("unknown") and line in found)
    assert found.count(" or ") <= MOST - 1


def test_a_single_name_is_said_to_be_the_only_one() -> None:
    """In plain English."""
    assert unknown_name("option", "zzz", ["reset"]) == "unknown option 'zzz': there is only reset"


def test_all_that_are_equally_near_are_named() -> None:
    """What ends in the name comes first; of the others, all of the best."""
    there = ["hw1-1/sinc", "hw1-2/sinc", "hw1-1/sgn", "since"]
    assert unknown_name("variant", "sinc", there) == (
        "unknown variant 'sinc': did you mean 'hw1-1/sinc' or 'hw1-2/sinc'?"
    )

    assert unknown_name("agent", "adan", ["adam", "edan", "x"]).endswith("'adam' or 'edan'?")
