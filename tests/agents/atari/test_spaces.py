from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from mlds_bench.agents.atari.spaces import stacked_view
from mlds_bench.agents.base import Unsupported

PICTURE = Box(0, 255, (4, 42, 40), np.uint8)


def test_a_stack_of_pictures_and_a_choice() -> None:
    """The shape of the one, the number of the other."""
    assert stacked_view("dqn", PICTURE, Discrete(3), stack=4) == ((4, 42, 40), 3)


@pytest.mark.parametrize(
    ("space", "actions"),
    [
        (Box(-1, 1, (3,), np.float64), Discrete(3)),
        (PICTURE, Box(-1, 1, (1,), np.float64)),
    ],
)
def test_other_spaces_are_unsupported(space: Any, actions: Any) -> None:
    """One line that says what the agent plays from, what this is, and what to do."""
    with pytest.raises(Unsupported, match=r"^dqn plays from pictures .* choose a variant of hw4$"):
        stacked_view("dqn", space, actions, stack=4)


def test_frames_that_do_not_fit_the_stack_are_unsupported() -> None:
    """Four channels are no stack of three."""
    with pytest.raises(Unsupported, match="sees 3 frames at a time: 4 channels do not fit"):
        stacked_view("dqn", PICTURE, Discrete(3), stack=3)


def test_differences_and_shifted_actions_are_unsupported() -> None:
    """The replay keeps frames; actions are counted from 0."""
    differences = Box(-255, 255, (4, 42, 42), np.int16)
    with pytest.raises(Unsupported, match="stores uint8 frames, not int16: choose a view without"):
        stacked_view("dqn", differences, Discrete(3), stack=4)
    with pytest.raises(Unsupported, match="counts actions from 0"):
        stacked_view("dqn", PICTURE, Discrete(3, start=1), stack=4)
