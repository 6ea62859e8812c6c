"""Catch: a ball falls, a paddle moves under it. Learnt in seconds, drawn in 20x20 pixels."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from mlds_bench.envs.core import BatchedEnv, Flags, Outcome

CELLS = 5
"""Columns and rows of the field."""


class Catch(BatchedEnv):
    """Five columns, five rows; +1 for a ball caught on the last row, -1 for one missed.

    Observation: the last ``stack`` frames, (stack, size, size) uint8, oldest first, zero before the
    episode. Action: left, stay, right. The episode terminates with the last of ``balls`` balls, or
    is truncated after ``horizon`` steps.
    """

    view_options = frozenset({"size", "stack", "actions", "clip_rewards", "life_ends"})

    def __init__(
        self,
        *,
        size: int = 20,
        stack: int = 2,
        balls: int = 1,
        horizon: int = 1000,
        actions: str = "full",
        clip_rewards: bool = False,
        life_ends: bool = False,
        **batch: Any,
    ) -> None:
        shape = (stack, size, size)
        super().__init__(spaces.Box(0, 255, shape, np.uint8), spaces.Discrete(3), **batch)
        self.balls, self.horizon = balls, horizon
        self._frames = np.zeros((self.num_envs, *shape), np.uint8)
        self._cell = np.arange(size) * CELLS // size  # of a pixel
        self._ball = np.zeros((self.num_envs, 2), np.int64)  # row, column
        self._paddle = np.zeros(self.num_envs, np.int64)
        self._fallen = np.zeros(self.num_envs, np.int64)
        self._age = np.zeros(self.num_envs, np.int64)

    def draw(self, mask: Flags) -> None:
        ids = np.flatnonzero(mask)
        self._drop(ids)
        self._paddle[ids] = CELLS // 2
        self._fallen[ids] = self._age[ids] = 0
        self._frames[ids] = 0
        self._frames[ids, -1] = self._screen()[ids]

    def observe(self) -> Any:
        return self._frames.copy()

    def advance(self, actions: Any) -> Outcome:
        self._paddle = np.clip(self._paddle + actions - 1, 0, CELLS - 1)
        self._ball[:, 0] += 1
        self._age += 1
        down = self._ball[:, 0] == CELLS - 1
        caught = self._ball[:, 1] == self._paddle
        reward = np.where(down, np.where(caught, 1.0, -1.0), 0.0)
        self._frames[:, :-1] = self._frames[:, 1:].copy()
        self._frames[:, -1] = self._screen()
        self._fallen += down
        terminated = self._fallen >= self.balls
        self._drop(np.flatnonzero(down & ~terminated))
        return reward, terminated, (self._age >= self.horizon) & ~terminated

    def oracle(self) -> None:
        return None

    def _drop(self, ids: Any) -> None:
        self._ball[ids, 0] = 0
        self._ball[ids, 1] = self.streams.integers(ids, CELLS, 1)[:, 0]

    def _screen(self) -> Any:
        cells = np.zeros((self.num_envs, CELLS, CELLS), np.uint8)
        everyone = np.arange(self.num_envs)
        cells[everyone, -1, self._paddle] = 128
        cells[everyone, self._ball[:, 0], self._ball[:, 1]] = 255
        return cells[:, self._cell][:, :, self._cell]
