"""Scores of a player, from how its games ended; rewards are the game's own, never clipped.

- ``mean_return``: mean return of full games.
- ``mean_life_return``: mean return of single lives (the rule of homework 4-2), over all lives of
  the same games. A life ends when it is lost, or with its game; in a game that counts no lives it
  is the game.
- ``mean_length``: mean decisions a game, of four frames each.
- ``games``, ``lives``: how many.

The games are the first of every instance, as many of each as all have ended: taking the first to
end of the whole batch would favour the short ones. For the same reason no lives are cut off at a
number: twenty games of Breakout are a hundred lives, unless a game is truncated before its last.
"""

from __future__ import annotations

import numpy as np

from mlds_bench.envs.core import Recording


def score(recording: Recording, **_protocol_and_view: object) -> dict[str, float]:
    """Scores of the recorded games.

    Args:
        recording: of the test split.
    """
    ends = recording.arrays()
    games = np.bincount(ends["instance"]).min()
    if games == 0:
        behind = int(np.bincount(ends["instance"]).argmin())
        raise ValueError(f"instance {behind} has ended no game: play on until every instance has")
    counted = ends["episode"] < games
    life_returns = ends["life_returns"][np.repeat(counted, ends["lives"])]
    return {
        "mean_return": float(ends["return"][counted].mean()),
        "mean_life_return": float(life_returns.mean()),
        "mean_length": float(ends["length"][counted].mean()),
        "games": float(np.count_nonzero(counted)),
        "lives": float(len(life_returns)),
    }
