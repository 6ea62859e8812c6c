"""The protocols, as data: which game, how it is played, and the bounds of what may be chosen.

The game and its protocol belong to the environment; how the screen is seen belongs to the agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

Actions = Literal["full", "reduced"]

FRAME_SKIP = 4
"""Frames an action lasts; what is seen is the maximum of the last two."""
MOST_FRAMES = 108_000
"""Frames after which a game is truncated: 30 minutes of play, 27,000 decisions."""
SIZES = (16, 210)
"""Smallest and largest side of the picture; the screen is 210 pixels high."""
STACKS = (1, 16)
"""Fewest and most frames (or differences) in an observation."""
MOST_NOOPS = 100
TRACED_DECISIONS = 1_200
"""Decisions of the first game of a test that pictures show at most: 80 seconds of play."""
NOOP = "NOOP"
FIRE = "FIRE"


@dataclass(frozen=True)
class Protocol:
    """How a game is played.

    Attributes:
        game: name of the ROM, as in ``ale_py.roms.get_all_rom_ids()``.
        sticky: probability that a frame repeats the last frame's action instead of the new one.
        noop_max: a game starts with fewer than this many frames of no-ops, at random.
        fire_reset: FIRE is pressed for one frame at the start of a game, which serves the ball.
        source: where the protocol comes from.
    """

    game: str
    sticky: float = 0.25
    noop_max: int = 0
    fire_reset: bool = False
    source: str = "Machado et al. 2018, 'Revisiting the Arcade Learning Environment'"


PONG = Protocol("pong", source="MLDS 2018, homework 4-1: the id Pong-v0 of its time, sticky 0.25")
BREAKOUT = Protocol(
    "breakout",
    sticky=0.0,
    noop_max=30,
    fire_reset=True,
    source="MLDS 2018, homework 4-2: BreakoutNoFrameskip-v4 in the wrappers of Mnih et al. 2015",
)

REDUCED: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"pong": (NOOP, "RIGHT", "LEFT"), "breakout": (NOOP, "RIGHT", "LEFT")}
)
"""Game -> its reduced actions; in Pong RIGHT is up."""
SERVED = frozenset({"breakout"})
"""Games in which FIRE serves the ball: under reduced actions it happens by itself on a new life."""


def check_protocol(protocol: Protocol) -> None:
    """Refuse a protocol that makes no sense.

    Raises:
        ValueError: one line that names the argument, its value and its bound.
    """
    if not 0.0 <= protocol.sticky <= 1.0:
        raise ValueError(f"sticky must be a probability in 0..1, got {protocol.sticky!r}")
    check_whole("noop_max", protocol.noop_max, 0, MOST_NOOPS)


def check_whole(name: str, value: int, low: int, high: int) -> None:
    """Refuse what is no whole number in low..high."""
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise ValueError(f"{name} must be a whole number in {low}..{high}, got {value!r}")
