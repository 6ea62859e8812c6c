"""The emulators of a batch: ale-py's vector environment, reset by us, never by itself.

The vector environment runs in its NEXT_STEP mode, in which it would reset a finished game in the
step after; we reset finished games before that step, so that this never happens and no step is
lost. A reset with seeds loads the cartridge anew, 80 ms per game: only the first game after
``reset(seed=)`` does, later ones go on with the generator of their own emulator.
"""

from __future__ import annotations

import os
from functools import cache
from typing import NoReturn

import numpy as np
import numpy.typing as npt
from ale_py.vector_env import AtariVectorEnv

from mlds_bench.common.processors import available_cores
from mlds_bench.envs.atari.data import find_rom
from mlds_bench.envs.atari.specs import FIRE, FRAME_SKIP, MOST_FRAMES, Protocol
from mlds_bench.envs.atari.view import Frames, View
from mlds_bench.envs.core import Flags, Outcome

Integers = npt.NDArray[np.int64]
MOST_SEED = 2**31 - 1
EMULATOR_BYTES = 1_500_000
"""Memory of one emulator besides its observations, from below."""


class EmulatorFailure(RuntimeError):
    """The emulators cannot go on: closed, lost in a fork, or failed themselves."""


@cache
def game_actions(game: str) -> tuple[str, ...]:
    """Names of a game's actions, in order.

    Raises:
        ValueError: there is no such game; the line names the nearest right one.
    """
    find_rom(game)
    vector = AtariVectorEnv(game, 1, num_threads=1, img_height=16, img_width=16)
    return tuple(action.name for action in vector.ale.get_action_set())


class Emulators:
    """N emulators of one game on a pool of threads.

    Args:
        protocol: of the game.
        view: of the screen.
        num_envs: N.
        threads: of the pool; 0 for as many as there are instances or processors, the fewer.

    Attributes:
        frames: what is on the screens: (N, frames, height, width) uint8, in color with a last axis
            of 3; a new array after every step and every reset.
        lives: (N,) int32, left; 0 in games that count none.
        actions: names of the game's actions, in order.

    Raises:
        ValueError: there is no such game, or it has no FIRE to start with; one line.
    """

    def __init__(self, protocol: Protocol, view: View, *, num_envs: int, threads: int) -> None:
        self.actions = game_actions(protocol.game)
        if protocol.fire_reset and FIRE not in self.actions:
            raise ValueError(f"{protocol.game} has no FIRE action: leave out fire_reset=True")
        self._process = os.getpid()
        self._game = protocol.game
        self._vector: AtariVectorEnv | None = AtariVectorEnv(
            protocol.game,
            num_envs,
            num_threads=threads or min(num_envs, available_cores()),
            max_num_frames_per_episode=MOST_FRAMES,
            repeat_action_probability=protocol.sticky,
            img_height=view.shape[0],
            img_width=view.shape[1],
            grayscale=not view.color,
            stack_num=view.frames,
            frameskip=FRAME_SKIP,
            noop_max=protocol.noop_max,
            use_fire_reset=protocol.fire_reset,
            reward_clipping=False,
        )
        self.frames: Frames = np.empty(0, np.uint8)
        self.lives = np.zeros(num_envs, np.int32)

    def reset(self, mask: Flags, seeds: Integers | None) -> None:
        """Start a game where ``mask`` (N,) is True; the others stay as they are.

        Args:
            mask: which.
            seeds: of those, in order, each in 0..2^31 - 1; None goes on with their generators.
        """
        vector = self._running()
        chosen = np.full(np.count_nonzero(mask), -1) if seeds is None else seeds
        self.frames, infos = vector.reset(seed=chosen, options={"reset_mask": mask})
        self.lives = infos["lives"]

    def step(self, actions: Integers) -> Outcome:
        """Press a button in every game: reward (N,) float64, game over, out of time (N,) bool."""
        vector = self._running()
        try:
            self.frames, reward, over, out_of_time, infos = vector.step(actions)
        except RuntimeError as error:
            raise EmulatorFailure(
                f"the emulator of {self._game} failed ({error}): make the environment anew"
            ) from error
        self.lives = infos["lives"]
        return reward.astype(np.float64), over, out_of_time

    def __reduce__(self) -> NoReturn:
        raise TypeError(
            f"the emulators of {self._game} cannot be copied or pickled: make a second environment "
            "from the same arguments, or send a function that makes it"
        )

    def close(self) -> None:
        """End the threads; safe to call again."""
        self._vector = None

    def _running(self) -> AtariVectorEnv:
        if self._vector is None:
            raise EmulatorFailure(f"the emulators of {self._game} are closed: make the environment")
        if os.getpid() != self._process:
            raise EmulatorFailure(
                f"the emulators of {self._game} run on threads of process {self._process}, which a "
                f"fork leaves behind: make the environment in process {os.getpid()}"
            )
        return self._vector
