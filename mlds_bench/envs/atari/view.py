"""What an agent sees of the screen: size, color, stack, or differences of frames."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box

from mlds_bench.envs.atari.specs import Settings

Frames: TypeAlias = npt.NDArray[np.uint8]
Picture: TypeAlias = npt.NDArray[Any]


@dataclass(frozen=True)
class View:
    """The agent's choice of picture.

    Attributes:
        size: side of the square picture, in pixels.
        color: three channels per frame instead of one gray.
        stack: frames (or differences) in an observation.
        difference: each frame minus the one before, instead of frames.
    """

    size: int
    color: bool
    stack: int
    difference: bool

    @classmethod
    def of(cls, settings: Settings) -> View:
        """The view that the settings ask for."""
        return cls(settings.size, settings.color, settings.stack, settings.difference)

    @property
    def shape(self) -> tuple[int, int]:
        """Height and width of the picture."""
        return self.size, self.size

    @property
    def frames(self) -> int:
        """Frames that an observation is made of."""
        return self.stack + int(self.difference)

    @property
    def space(self) -> Box:
        """Of one observation: (C, size, size), the oldest frame first."""
        shape = (self.stack * (3 if self.color else 1), self.size, self.size)
        if self.difference:
            return Box(-255, 255, shape, np.int16)
        return Box(0, 255, shape, np.uint8)

    def show(self, frames: Frames, age: npt.NDArray[np.int64]) -> Picture:
        """Observations (N, C, size, size); what lies before the start of an episode is zero.

        Args:
            frames: (N, frames, size, size), in color (N, frames, size, size, 3). Where nothing
                has to be computed they are used as they are, and not copied.
            age: (N,) decisions since the episode began.
        """
        seen: Picture = np.moveaxis(frames, -1, 2) if self.color else frames
        if self.difference:
            older, seen = seen[:, :-1], seen[:, 1:].astype(np.int16)
            seen -= older
        blank = self.frames - 1 - age
        for row in np.flatnonzero(blank > 0):
            seen[row, : blank[row]] = 0
        return seen.reshape(len(frames), -1, self.size, self.size)
