"""What the optimizers ask of the spaces."""

from __future__ import annotations

import re

import gymnasium
import numpy as np
import pytest
from gymnasium.spaces import Box, Dict, Discrete

from mlds_bench.agents.base import Unsupported
from mlds_bench.agents.landscape.spaces import Surface, find_surface
from mlds_bench.envs.landscape.env import LossLandscape

NUMBER = Box(-2.0, 2.0, (1,), np.float64)
THREE = Box(-2.0, 2.0, (3,), np.float64)


def test_the_surface_of_the_room() -> None:
    """Dimension, budget and bound are read from the spaces."""
    env = LossLandscape(problem="xor", query_budget=77)
    found = find_surface("gd", env.single_observation_space, env.single_action_space)
    assert found == Surface(dimension=13, query_budget=77.0, bound=1e6)


def test_the_gradient_may_be_hidden_from_who_does_not_need_it() -> None:
    """And is missed, in one line, by who does."""
    env = LossLandscape(problem="quadratic", gradient=False)
    spaces = (env.single_observation_space, env.single_action_space)
    assert find_surface("es", *spaces, needs_gradient=False).dimension == 2
    with pytest.raises(Unsupported, match="gd needs the gradient, which gradient=False hides: "):
        find_surface("gd", *spaces)


@pytest.mark.parametrize(
    ("observations", "actions", "shapes"),
    [
        (NUMBER, NUMBER, "Box (1,) to Box (1,)"),
        (Dict(loss=NUMBER, queries_left=NUMBER), NUMBER, "to Box (1,)"),
        (Dict(loss=NUMBER, queries_left=NUMBER), Discrete(3), "to Discrete ()"),
        (Dict(loss=NUMBER, gradient=THREE, queries_left=NUMBER), THREE, "gradient (3,)"),
        (Dict(loss=NUMBER), THREE, "Dict of loss (1,) to Box (3,)"),
        (Dict(loss=NUMBER, queries_left=NUMBER, more=NUMBER), THREE, "more (1,)"),
    ],
)
def test_other_spaces_are_unsupported(
    observations: gymnasium.Space[object], actions: gymnasium.Space[object], shapes: str
) -> None:
    """One line with both spaces in it."""
    with pytest.raises(Unsupported, match=re.escape(shapes)) as caught:
        find_surface("gd", observations, actions, needs_gradient=False)
    assert "\n" not in str(caught.value)
