"""What the agents of the room ask of the spaces."""

from __future__ import annotations

import re

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Discrete

from mlds_bench.agents.base import Unsupported
from mlds_bench.agents.fitting.spaces import input_dimension

NUMBER = Box(-2.0, 2.0, (1,), np.float64)


def test_the_dimension_of_the_inputs() -> None:
    """A vector in, one number out."""
    assert input_dimension("deep", Box(0.0, 1.0, (3,), np.float64), NUMBER) == 3


@pytest.mark.parametrize(
    ("observations", "actions", "shapes"),
    [
        (Box(0.0, 1.0, (8, 8), np.float32), NUMBER, "Box (8, 8) to Box (1,)"),
        (Discrete(3), NUMBER, "Discrete () to Box (1,)"),
        (NUMBER, Discrete(3), "Box (1,) to Discrete ()"),
        (NUMBER, Box(0.0, 1.0, (2,), np.float32), "Box (1,) to Box (2,)"),
    ],
)
def test_other_spaces_are_unsupported(
    observations: gymnasium.Space[object], actions: gymnasium.Space[object], shapes: str
) -> None:
    """One line with both spaces in it."""
    with pytest.raises(Unsupported, match=re.escape(f"not {shapes}: choose a variant of hw1-1")):
        input_dimension("deep", observations, actions)
