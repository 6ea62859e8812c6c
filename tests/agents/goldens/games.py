"""What the golden agents play: small games of their own, so that no room can change a golden."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.spaces import Box, Dict, Discrete, Space

from mlds_bench.agents.base import Agent
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome

Array = npt.NDArray[np.float64]
QUERIES = 30
"""The query budget of `descended`; an episode begins anew after two thirds of it."""
STARTS = np.array([[0.9, -0.4, 0.3], [-1.2, 0.8, 0.1], [0.2, 0.3, -0.7]])
"""Three instances in three dimensions."""


class Wave(BatchedEnv):
    """Given x in [0, 1], say sin(6 x), which the oracle tells."""

    def __init__(self, **batch: Any) -> None:
        spaces = Box(0.0, 1.0, (1,), np.float64), Box(-10.0, 10.0, (1,), np.float64)
        super().__init__(*spaces, **batch)
        self._x = np.zeros((self.num_envs, 1))

    def draw(self, mask: Flags) -> None:
        ids = np.flatnonzero(mask)
        self._x[ids] = self.streams.uniform(ids, 1)

    def observe(self) -> Any:
        return self._x.copy()

    def advance(self, actions: Any) -> Outcome:
        reward = -np.square(actions - self.sine())[:, 0]
        return reward, np.ones(self.num_envs, np.bool_), np.zeros(self.num_envs, np.bool_)

    def oracle(self) -> Any:
        return self.sine()

    def sine(self) -> Array:
        """The answers (N, 1)."""
        sine: Array = np.sin(6.0 * self._x)
        return sine


class Quiz(Wave):
    """The same x, and two questions about it: a fifth of the interval, and the sine."""

    def __init__(self, **batch: Any) -> None:
        super().__init__(**batch)
        self.single_action_space = Dict({"fifth": Discrete(5), "sine": Box(-np.inf, np.inf, (1,))})

    def advance(self, actions: Any) -> Outcome:
        return super().advance(actions["sine"])

    def oracle(self) -> Any:
        return {"fifth": np.sqrt(self._x[:, 0] * 24.9).astype(np.int64), "sine": self.sine()}


class Bars(BatchedEnv):
    """See a noisy picture of 8 x 8 pixels, say which of four bars is bright; half are untold."""

    def __init__(self, **batch: Any) -> None:
        super().__init__(Box(0, 255, (8, 8, 1), np.uint8), Box(0.0, 1.0, (4,), np.float32), **batch)
        self._bar = np.zeros(self.num_envs, np.int64)
        self._pixels = np.zeros((self.num_envs, 64), np.uint8)

    def draw(self, mask: Flags) -> None:
        ids = np.flatnonzero(mask)
        self._bar[ids] = self.streams.integers(ids, 8, 1)[:, 0]
        self._pixels[ids] = self.streams.integers(ids, 128, 64)

    def observe(self) -> Any:
        pictures = self._pixels.reshape(-1, 8, 8, 1).copy()
        for bar in range(4):
            pictures[self._bar % 4 == bar, 2 * bar : 2 * bar + 2] += 100
        return pictures

    def advance(self, actions: Any) -> Outcome:
        reward = (actions.argmax(1) == self._bar).astype(np.float64)
        return reward, np.ones(self.num_envs, np.bool_), np.zeros(self.num_envs, np.bool_)

    def oracle(self) -> Any:
        return np.where(self._bar < 4, self._bar, -1)


def hills(theta: Array) -> tuple[Array, Array]:
    """A loss (N,) with saddles and minima, and its gradient (N, 3), at points (N, 3)."""
    rates = np.array([1.0, 3.0, 0.3])
    slant = np.array([1.0, 2.0, -1.0])
    along = theta @ slant
    loss = (0.5 * rates * theta**2 + 0.4 * np.cos(2.0 * theta)).sum(1) + np.cos(along)
    return loss, rates * theta - 0.8 * np.sin(2.0 * theta) - np.outer(np.sin(along), slant)


def descended(cls: type[Agent], **hyper: Any) -> Iterator[Array]:
    """All actions (3, 4) of an optimizer on `hills`, step by step."""
    seen: dict[str, Space[Any]] = {
        "loss": Box(-np.inf, np.inf, (1,), np.float64),
        "gradient": Box(-np.inf, np.inf, (3,), np.float64),
        "queries_left": Box(0.0, QUERIES, (1,), np.float64),
    }
    spaces = Dict(seen), Box(-10.0, 10.0, (4,), np.float64)
    agent = cls(observation_space=spaces[0], action_space=spaces[1], **hyper)
    theta, asked, left = STARTS.copy(), STARTS.copy(), np.full((3, 1), float(QUERIES))
    for step in range(QUERIES):
        loss, gradient = hills(asked)
        actions = agent.act({"loss": loss[:, None], "gradient": gradient, "queries_left": left})
        yield actions
        asked = theta + actions[:, :-1]
        theta = np.where(actions[:, -1:] > 0.0, asked, theta)
        left = left - 1.0
        if step == 2 * QUERIES // 3:
            agent.reset(np.array([True, False, False]))
            theta[0], asked[0], left[0] = STARTS[0], STARTS[0], QUERIES
