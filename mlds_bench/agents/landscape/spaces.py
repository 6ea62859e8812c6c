"""What the optimizers require of the spaces: they see loss and gradient, and choose a vector."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import gymnasium
from gymnasium.spaces import Box, Dict

from mlds_bench.agents.base import Unsupported


@dataclass(frozen=True)
class Surface:
    """What the spaces tell an optimizer about the landscape.

    Attributes:
        dimension: d, the number of parameters.
        query_budget: queries per episode.
        bound: upper bound on the absolute value of each coordinate of a vector.
    """

    dimension: int
    query_budget: float
    bound: float


def find_surface(
    agent: str,
    space: gymnasium.Space[Any],
    actions: gymnasium.Space[Any],
    *,
    needs_gradient: bool = True,
) -> Surface:
    """Read a Dict of ``loss``, ``gradient`` and ``queries_left``, and a Box (d + 1,).

    Raises:
        Unsupported: if the spaces do not fit, or the gradient is needed and hidden; one line.
    """
    if not isinstance(space, Dict) or not isinstance(actions, Box) or len(actions.shape) != 1:
        raise _unfit(agent, space, actions)
    shapes = {key: inner.shape for key, inner in space.items()}
    d, budget = actions.shape[0] - 1, space.get("queries_left")
    known = {"loss": (1,), "gradient": (d,), "queries_left": (1,)}
    if d < 1 or {"gradient": (d,), **shapes} != known or not isinstance(budget, Box):
        raise _unfit(agent, space, actions)
    if needs_gradient and "gradient" not in shapes:
        raise Unsupported(
            f"{agent} needs the gradient, which gradient=False hides: choose es or random-search"
        )
    return Surface(d, float(budget.high[0]), float(actions.high[:-1].min()))


def _unfit(agent: str, space: gymnasium.Space[Any], actions: gymnasium.Space[Any]) -> Unsupported:
    return Unsupported(
        f"{agent} optimizes a loss landscape (Dict of loss, gradient, queries_left to "
        f"Box (d + 1,)), not {_shape(space)} to {_shape(actions)}: choose a variant of hw1-2"
    )


def _shape(space: gymnasium.Space[Any]) -> str:
    if isinstance(space, Dict):
        return f"Dict of {', '.join(f'{key} {inner.shape}' for key, inner in space.items())}"
    return f"{type(space).__name__} {space.shape}"
