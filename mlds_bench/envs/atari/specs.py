"""The protocols, as data: which game, how it is played, and the bounds of what may be chosen.

The game and its protocol belong to the environment; how the screen is seen belongs to the agent.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import ClassVar, Literal, get_args

from mlds_bench.common.settings import BaseSettings, choice, flag, number, text, whole

Actions = Literal["full", "reduced"]

FRAME_SKIP = 4
"""Frames that an action lasts; what is seen is the maximum of the last two."""
FRAMES_PER_SECOND = 60
MOST_FRAMES = 108_000
"""Frames after which a game is truncated: 30 minutes of play, 27,000 decisions."""
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
"""Games in which FIRE serves the ball: reduced actions do it automatically on a new life."""


@dataclass(frozen=True, kw_only=True)
class Settings(BaseSettings):
    """Keyword arguments that all games share.

    Attributes:
        size: side of the square picture in pixels; the screen is 210 pixels high.
        color: three channels per frame instead of one gray.
        stack: frames (or differences) in an observation.
        difference: each frame minus the one before, instead of frames.
        actions: ``full``, or ``reduced`` where `REDUCED` has the game.
        clip_rewards: in ``train``, the sign of the reward.
        life_ends: in ``train``, a lost life ends the episode; the game goes on in the next.
        threads: of the emulators; 0 for as many as there are instances or processors, the fewer.
            Results do not depend on it.
    """

    view_options: ClassVar[frozenset[str]] = frozenset(
        {"size", "color", "stack", "difference", "actions", "clip_rewards", "life_ends"}
    )

    size: int = whole(84, 16, 210)
    color: bool = flag(False)
    stack: int = whole(4, 1, 16)
    difference: bool = flag(False)
    actions: Actions = choice("full", get_args(Actions))
    clip_rewards: bool = flag(False)
    life_ends: bool = flag(False)
    threads: int = whole(0, 0, 1024)

    @property
    def protocol(self) -> Protocol:
        """How the game is played."""
        raise NotImplementedError


@dataclass(frozen=True, kw_only=True)
class PongSettings(Settings):
    """Keyword arguments of `Pong`: those of `Settings`; the protocol is fixed."""

    @property
    def protocol(self) -> Protocol:
        """The course's."""
        return PONG


@dataclass(frozen=True, kw_only=True)
class BreakoutSettings(Settings):
    """Keyword arguments of `Breakout`: those of `Settings`; the protocol is fixed."""

    @property
    def protocol(self) -> Protocol:
        """The course's."""
        return BREAKOUT


@dataclass(frozen=True, kw_only=True)
class AtariSettings(Settings):
    """Keyword arguments of `Atari`: those of `Settings`, and a protocol.

    Attributes:
        game: as in ``ale_py.roms.get_all_rom_ids()``: ``space_invaders``.
        sticky: probability that a frame repeats the last frame's action.
        noop_max: a game starts with fewer than this many frames of no-ops.
        fire_reset: FIRE is pressed for one frame at the start of a game.
    """

    game: str = text("pong")
    sticky: float = number(0.25, 0.0, 1.0)
    noop_max: int = whole(0, 0, 100)
    fire_reset: bool = flag(False)

    @property
    def protocol(self) -> Protocol:
        """The caller's."""
        return Protocol(self.game, self.sticky, self.noop_max, self.fire_reset)
