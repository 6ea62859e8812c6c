"""What an agent may use to learn, and the one place where that is enforced and recorded."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv, VectorWrapper

from mlds_bench.common.limits import LARGEST, is_bounded

CURVE_POINTS = 100
LATE_SECONDS = 1.0
"""So long after its seconds an agent that does not step is interrupted: one that steps has ended
by then, between two steps."""


class BudgetExhausted(BaseException):
    """The budget is spent. Raised by ``env.step`` and ``env.reset``: let it pass through ``learn``.

    When the seconds are over it is raised wherever ``learn`` is, a moment later. Like
    `KeyboardInterrupt` it is not an `Exception`: an agent's ``except Exception`` lets it pass.
    """


@dataclass(frozen=True)
class Budget:
    """What an agent may use to learn.

    Attributes:
        env_steps: environment steps, counted per instance (a step of a batch of N costs N). Every
            reset after the first costs as many as the instances it starts anew.
        seconds: wall time; a safety net, so that results depend on ``env_steps`` alone.
        listener: is told the scores that an agent reports.
    """

    env_steps: int
    seconds: float = math.inf
    listener: Callable[[float], None] | None = field(default=None, repr=False, compare=False)

    def __post_init__(self) -> None:
        if self.env_steps < 0 or not self.seconds > 0:
            raise ValueError(
                f"a budget has env_steps >= 0 and seconds > 0, got {self.env_steps}, {self.seconds}"
            )

    def report(self, score: float) -> None:
        """Report a validation score; it stands on the learning curve as the agent's own claim.

        Raises:
            ValueError: the score is not a finite number, or beyond `LARGEST`.
        """
        if not is_bounded(score):
            raise ValueError(
                f"a reported score must be a finite number within {LARGEST:g}, got {score!r}"
            )
        if self.listener is not None:
            self.listener(float(score))


@dataclass(frozen=True)
class CurvePoint:
    """A stretch of the learning curve that ends at ``env_steps``.

    Attributes:
        env_steps: environment steps so far.
        seconds: since learning began.
        reward: mean reward per step over the stretch.
        episode_return: mean return of the episodes that ended in it; None if none did.
        episodes: how many those were.
        score: the last validation score that the agent reported in it; None if it reported none.
    """

    env_steps: int
    seconds: float
    reward: float
    episode_return: float | None
    episodes: int
    score: float | None


class BudgetedEnv(VectorWrapper[Any, Any, Any]):
    """Counts steps and seconds, ends learning when the budget is spent, records the curve.

    Attributes:
        budget: what the agent is told; scores reported to it come here.
        env_steps: environment steps used.
        curve: the stretches so far, about `CURVE_POINTS` of them.
        stopped_by: ``env_steps`` or ``seconds`` once the budget has ended learning, else None.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        super().__init__(env)
        self.budget = replace(budget, listener=self._note_score)
        self.env_steps = 0
        self.curve: list[CurvePoint] = []
        self.stopped_by: str | None = None
        self._began = time.perf_counter()
        self._has_started = False
        self._stretch = max(budget.env_steps // CURVE_POINTS, 1)
        self._next_point = self._stretch
        self._running = np.zeros(self.num_envs)
        self._score: float | None = None
        self._clear()

    @property
    def seconds(self) -> float:
        """Wall time since the budget began."""
        return time.perf_counter() - self._began

    @property
    def remaining_steps(self) -> int:
        """Environment steps left."""
        return self.budget.env_steps - self.env_steps

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start instances anew; after the first time that costs a step for each of them.

        Raises:
            BudgetExhausted: when fewer steps than that are left, or time is up.
        """
        mask = (options or {}).get("reset_mask")
        if self._has_started:
            self._spend(self.num_envs if mask is None else int(np.count_nonzero(mask)))
        self._has_started = True
        result = self.env.reset(seed=seed, options=options)
        self._running[slice(None) if mask is None else mask] = 0.0
        return result

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step the batch, unless that would pass the budget.

        Raises:
            BudgetExhausted: when fewer steps than instances are left, or time is up.
        """
        self._check(self.num_envs)
        observation, reward, terminated, truncated, infos = self.env.step(actions)
        self.env_steps += self.num_envs
        self._count(reward, terminated | truncated)
        return observation, reward, terminated, truncated, infos

    def finish(self) -> list[CurvePoint]:
        """The whole curve, its last stretch included."""
        if self._steps:
            self._add_point()
        return self.curve

    def _spend(self, steps: int) -> None:
        self._check(steps)
        self.env_steps += steps

    def _check(self, steps: int) -> None:
        """Whether so many more steps are within the budget."""
        if self.remaining_steps < steps:
            self._stop("env_steps")
        if self.seconds >= self.budget.seconds:
            self._stop("seconds")

    def _stop(self, reason: str) -> None:
        self.stopped_by = reason
        raise BudgetExhausted(
            f"budget of {self.budget.env_steps} steps and {self.budget.seconds:g} s spent: {reason}"
        )

    def _note_score(self, score: float) -> None:
        self._score = score

    def _count(self, reward: npt.NDArray[np.float64], done: npt.NDArray[np.bool_]) -> None:
        self._steps += 1
        self._reward_sum += float(reward.sum())
        self._running += reward
        ended = int(np.count_nonzero(done))
        if ended:
            self._ended += ended
            self._return_sum += float(self._running.sum(where=done))
            np.copyto(self._running, 0.0, where=done)
        if self.env_steps >= self._next_point:
            self._add_point()

    def _add_point(self) -> None:
        self.curve.append(
            CurvePoint(
                env_steps=self.env_steps,
                seconds=self.seconds,
                reward=self._reward_sum / (self._steps * self.num_envs),
                episode_return=self._return_sum / self._ended if self._ended else None,
                episodes=self._ended,
                score=self._score,
            )
        )
        self._next_point = (self.env_steps // self._stretch + 1) * self._stretch
        self._clear()

    def _clear(self) -> None:
        self._steps, self._reward_sum, self._ended, self._return_sum = 0, 0.0, 0, 0.0
        self._score = None


@contextmanager
def interrupted_after(seconds: float) -> Iterator[None]:
    """Raise `BudgetExhausted` in the main thread, wherever it is, once the seconds are over.

    An agent that catches it is interrupted again, a second later each time, until the block ends.

    Args:
        seconds: wall time; infinite for no timer.
    """
    if not math.isfinite(seconds):
        yield
        return

    def stop(signum: int, frame: FrameType | None) -> None:  # noqa: ARG001
        raise BudgetExhausted(f"the budget of {seconds:g} s is spent")

    before = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, seconds + LATE_SECONDS, LATE_SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0.0)
        signal.signal(signal.SIGALRM, before)
