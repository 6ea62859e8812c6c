"""Scores of a player, from how its games ended; rewards are the game's own, never clipped.

- ``mean_return``: mean return of full games.
- ``mean_life_return``: mean return of single lives (the rule of homework 4-2), over all lives of
  the same games. A life ends when it is lost, or with its game; in a game that counts no lives it
  is the game. The lives of a game share out its return, so only their number has to be known.
- ``mean_length``: mean decisions per game, of four frames each.
- ``games``, ``lives``: how many.

The games are the first of every instance, as many of each as all have ended. No lives are cut off
at a number, which would favor short ones: twenty games of Breakout are a hundred lives, unless a
game is truncated before its last.
"""

from __future__ import annotations

from mlds_bench.envs.atari.specs import Settings
from mlds_bench.envs.core import Recorder


def score(recording: Recorder, settings: Settings) -> dict[str, float]:  # noqa: ARG001
    """Scores of the recorded games, whatever the settings.

    Args:
        recording: of the test split.
        settings: of the environment.
    """
    ends = recording.arrays()
    lives = int(ends["lives"].sum())
    return {
        "mean_return": float(ends["return"].mean()),
        "mean_life_return": float(ends["return"].sum() / lives),
        "mean_length": float(ends["length"].mean()),
        "games": float(len(ends["return"])),
        "lives": float(lives),
    }
