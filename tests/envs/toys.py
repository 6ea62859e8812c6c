"""Small environments with what no room has: truncation, feedback, few rows, Dict spaces."""

from __future__ import annotations

from typing import Any

import numpy as np
from gymnasium import spaces

from mlds_bench.envs.core import BatchedEnv, Flags, Outcome
from mlds_bench.envs.recorders import EndRecorder


class Walk(BatchedEnv):
    """A walk from a random start; ends beyond 1, is cut after ``horizon`` steps."""

    def __init__(self, *, horizon: int = 4, **kwargs: Any) -> None:
        super().__init__(spaces.Box(-4.0, 4.0, (2,), np.float64), spaces.Discrete(3), **kwargs)
        self.horizon = horizon
        self.place = np.zeros(self.num_envs)
        self.age = np.zeros(self.num_envs, np.int64)

    def draw(self, mask: Flags) -> None:
        ids = np.flatnonzero(mask)
        self.place[ids] = self.streams.uniform(ids, 1)[:, 0]
        self.age[ids] = 0

    def observe(self) -> Any:
        return np.stack([self.place, self.age / self.horizon], axis=1)

    def advance(self, actions: Any) -> Outcome:
        ids = np.arange(len(self.place))
        self.place += 0.3 * (actions - 1) + 0.01 * self.streams.normal(ids, 1)[:, 0]
        self.age += 1
        terminated = self.place > 1.0
        return -np.abs(self.place), terminated, (self.age >= self.horizon) & ~terminated

    def oracle(self) -> Any:
        return (self.place < 0.5).astype(np.int64)


class LongWalk(Walk):
    """A walk of which the ends alone are recorded."""

    def make_recorder(self) -> EndRecorder:
        return EndRecorder()


class NarrowingWalk(LongWalk):
    """A walk that goes on without the instances that are done; it counts the rows it walks."""

    walked = 0

    def advance(self, actions: Any) -> Outcome:
        self.walked += len(self.place)
        return super().advance(actions)

    def narrow(self, mask: Flags) -> None:
        self.place, self.age = self.place[mask], self.age[mask]


class Coached(Walk):
    """A walk with feedback: how far the step just taken led away from 0."""

    def feedback(self) -> Any:
        return {"away": np.abs(self.place), "place": self.place[:, None].copy()}


class Telling(Walk):
    """A walk whose infos tell the age of the episode, and where the last step went."""

    moved = np.zeros(0, np.int64)

    def advance(self, actions: Any) -> Outcome:
        self.moved = actions - 1
        return super().advance(actions)

    def state_infos(self) -> dict[str, Any]:
        return {"age": self.age.copy()}

    def step_infos(self) -> dict[str, Any]:
        return {"moved": self.moved.copy()}


class Composite(BatchedEnv):
    """Dict observation, Dict action, Dict oracle; one step an episode for odd instances."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(
            spaces.Dict(
                {"x": spaces.Box(0, 1, (3,), np.float32), "k": spaces.MultiDiscrete([4, 5])}
            ),
            spaces.Dict({"go": spaces.Discrete(2, start=1), "v": spaces.Box(-1, 1, (2,))}),
            **kwargs,
        )
        self.x = np.zeros((self.num_envs, 3), np.float32)
        self.k = np.zeros((self.num_envs, 2), np.int64)

    def draw(self, mask: Flags) -> None:
        ids = np.flatnonzero(mask)
        self.x[ids] = self.streams.uniform(ids, 3)
        self.k[ids] = self.streams.integers(ids, 4, 2)

    def observe(self) -> Any:
        return {"x": self.x.copy(), "k": self.k.copy()}

    def advance(self, actions: Any) -> Outcome:
        reward = actions["go"] - np.abs(actions["v"]).sum(axis=1, dtype=np.float64)
        ended = self.x[:, 0] < 0.5
        self.x = np.clip(self.x - 0.1, 0, 1).astype(np.float32)
        return reward, ended, np.zeros(self.num_envs, np.bool_)

    def oracle(self) -> Any:
        return {"v": np.zeros((self.num_envs, 2), np.float32), "go": self.k[:, 0] % 2 + 1}
