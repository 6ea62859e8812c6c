"""A traced game, played again: as it looks in color, and as the agent saw it.

An emulator repeats itself under the same seed and the same buttons, so that a test need not keep a
picture: what was pressed is enough.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from mlds_bench.envs.atari.emulator import Emulators
from mlds_bench.envs.atari.specs import Protocol
from mlds_bench.envs.atari.view import Frames, Picture, View
from mlds_bench.envs.core import Recorder

SCREEN = (210, 160)
"""Height and width of the screen, in pixels, which are nearly twice as wide as high."""


@dataclass(frozen=True)
class Screen(View):
    """All of the screen, in color, one frame at a time."""

    size: int = SCREEN[0]
    color: bool = True
    stack: int = 1
    difference: bool = False

    @property
    def shape(self) -> tuple[int, int]:
        """As the game draws it."""
        return SCREEN


@dataclass(frozen=True)
class Game:
    """The beginning of a game.

    Attributes:
        protocol: how it was played.
        seed: of the emulator.
        buttons: (T,) what was pressed, of the game's own actions.
    """

    protocol: Protocol
    seed: int
    buttons: tuple[int, ...]

    def screens(self) -> Iterator[Frames]:
        """The screen (210, 160, 3) at the start and after each of the T decisions."""
        for frames in self._frames(Screen()):
            yield frames[0, 0]

    def observations(self, view: View) -> Iterator[Picture]:
        """What an agent with this view saw (C, size, size), at the same times."""
        for age, frames in enumerate(self._frames(view)):
            yield view.show(frames, np.array([age]))[0]

    def _frames(self, view: View) -> Iterator[Frames]:
        emulators = Emulators(self.protocol, view, num_envs=1, threads=1)
        emulators.reset(np.ones(1, np.bool_), np.array([self.seed]))
        yield emulators.frames
        for button in self.buttons:
            emulators.step(np.array([button]))
            yield emulators.frames
        emulators.close()


def read_game(recording: Recorder) -> Game:
    """The game that a test of this room has traced."""
    first, *steps = recording.trace
    return Game(first["protocol"], first["seed"], tuple(step["button"] for step in steps))
