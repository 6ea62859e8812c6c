"""Which published learning curves can be held against which variants.

Dopamine counts as a return of Pong what this package does. Its Breakout is left out: agents here
learn from single lives, in clipped points.
"""

from __future__ import annotations

from mlds_bench.common.data.dopamine import ReferenceCurve, load_curves
from mlds_bench.common.data.store import MissingData, TornData

GAMES = {"hw4-1/pong": "pong", "hw4-3/pong": "pong"}
"""Variant -> name of its game at Dopamine."""


def published_curves() -> dict[str, list[ReferenceCurve]]:
    """Variant -> the curves that others published for it; empty where the data are not here.

    Raises:
        TornData: the data are here in part, or damaged.
    """
    try:
        return {variant: load_curves(game) for variant, game in GAMES.items()}
    except TornData:
        raise
    except MissingData:
        return {}
