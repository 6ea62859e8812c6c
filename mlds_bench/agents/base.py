"""What an agent is, and the budget it learns under.

Of an agent only ``act`` is required; `Agent` is the base of the reference agents and a convenience,
not a duty. `BudgetedEnv` is the one place where budgets are enforced and learning curves recorded.
"""

from __future__ import annotations

import dataclasses
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv, VectorWrapper

from mlds_bench.common.names import unknown_name

CURVE_POINTS = 100


class Unsupported(ValueError):
    """An agent does not fit these spaces; its cell is skipped, with this line as the reason."""


class UnknownHyperparameter(ValueError):
    """A hyper-parameter that the agent does not have, or a value it cannot take."""


class BudgetExhausted(BaseException):
    """The budget is spent. Raised by ``env.step``: let it pass through ``learn``.

    Like `KeyboardInterrupt` it is no `Exception`: an agent's ``except Exception`` lets it pass.
    """


@dataclass(frozen=True)
class Budget:
    """What an agent may use to learn.

    Attributes:
        env_steps: environment steps, counted an instance (a batch of N costs N a step).
        seconds: wall time; a safety net, so that results depend on ``env_steps`` alone.
    """

    env_steps: int
    seconds: float = math.inf

    def __post_init__(self) -> None:
        if self.env_steps < 0 or not self.seconds > 0:
            raise ValueError(
                f"a budget has env_steps >= 0 and seconds > 0, got {self.env_steps}, {self.seconds}"
            )


@dataclass(frozen=True)
class CurvePoint:
    """A stretch of the learning curve that ends at ``env_steps``.

    Attributes:
        env_steps: environment steps so far.
        seconds: since learning began.
        reward: mean reward a step over the stretch.
        episode_return: mean return of the episodes that ended in it; None if none did.
    """

    env_steps: int
    seconds: float
    reward: float
    episode_return: float | None


@dataclass(frozen=True)
class NoHyperparameters:
    """An agent without settings."""


class Agent:
    """Base of the reference agents.

    A subclass names its settings in a frozen dataclass, ``hyperparameters``, finds their values in
    ``self.hyper``, and sets itself up in `prepare`.

    Args:
        observation_space: of one instance.
        action_space: of one instance.
        seed: of all the agent's randomness.
        device: torch device.
        **hyperparameters: by the names of the dataclass; others are refused by name.
    """

    num_envs: int = 1
    """Instances in the batch it learns in (a class or an instance attribute)."""
    env_options: ClassVar[Mapping[str, Any]] = {}
    """Choices of view that a room allows; a plug-in may have a function of its hyper-parameters."""
    hyperparameters: ClassVar[type] = NoHyperparameters
    version: ClassVar[int] = 1
    """Raised when the agent's behavior changes; it is part of the key of a record."""

    def __init__(
        self,
        *,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        seed: int = 0,
        device: str = "cpu",
        **hyperparameters: Any,
    ) -> None:
        self.observation_space = observation_space
        self.action_space = action_space
        self.seed = seed
        self.device = device
        self.hyper: Any = make_hyperparameters(self.hyperparameters, hyperparameters)
        self.prepare()

    def prepare(self) -> None:
        """Set up for these spaces and settings; the constructor calls it once, last.

        Raises:
            Unsupported: the agent does not fit these spaces.
        """

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Learn in a batch of ``num_envs`` instances until done or `BudgetExhausted`."""

    def act(self, obs: Any) -> Any:
        """Actions (N, ...) for a batch of observations (N, ...), any N: the policy to be tested."""
        raise NotImplementedError(f"{type(self).__name__} has no act(obs)")

    def reset(self, done: npt.NDArray[np.bool_]) -> None:
        """Forget the recurrent state of the instances where ``done`` (N,) is True."""

    def save(self, folder: Path) -> None:
        """Write what was learnt into an existing folder."""

    def load(self, folder: Path) -> None:
        """Read back what `save` wrote; the same observations then give the same actions."""


def make_hyperparameters(cls: type, values: Mapping[str, Any]) -> Any:
    """An instance of a hyper-parameter dataclass; unknown names and wrong kinds are refused."""
    names = [field.name for field in dataclasses.fields(cls)]
    hints = get_type_hints(cls)
    for name, value in values.items():
        if name not in names:
            raise UnknownHyperparameter(unknown_name("hyper-parameter", name, names))
        _check_kind(name, value, hints[name])
    converted = {n: float(v) if hints[n] is float else v for n, v in values.items()}
    converted = {n: tuple(v) if isinstance(v, list) else v for n, v in converted.items()}
    try:
        return cls(**converted)
    except ValueError as error:
        raise UnknownHyperparameter(str(error)) from None
    except TypeError as error:
        told = ", ".join(f"{name}={value!r}" for name, value in values.items())
        raise UnknownHyperparameter(f"{cls.__name__} cannot take {told}: {error}") from None


_KINDS: dict[Any, tuple[type, ...]] = {
    int: (int,),
    float: (int, float),
    str: (str,),
    bool: (bool,),
}


def _check_kind(name: str, value: Any, hint: Any) -> None:
    kinds = _KINDS.get(hint)
    wrong_bool = isinstance(value, bool) and hint is not bool
    if kinds and (not isinstance(value, kinds) or wrong_bool):
        raise UnknownHyperparameter(
            f"hyper-parameter {name} must be {hint.__name__}, got {value!r}"
        )


class BudgetedEnv(VectorWrapper[Any, Any, Any]):
    """Counts steps and seconds, ends learning when the budget is spent, records the curve.

    Attributes:
        env_steps: environment steps used.
        curve: the stretches so far, about `CURVE_POINTS` of them.
        stopped_by: ``env_steps`` or ``seconds`` once the budget has ended learning, else None.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        super().__init__(env)
        self.budget = budget
        self.env_steps = 0
        self.curve: list[CurvePoint] = []
        self.stopped_by: str | None = None
        self._began = time.perf_counter()
        self._stretch = max(budget.env_steps // CURVE_POINTS, 1)
        self._next_point = self._stretch
        self._running = np.zeros(self.num_envs)
        self._clear()

    @property
    def seconds(self) -> float:
        """Wall time since the budget began."""
        return time.perf_counter() - self._began

    @property
    def remaining_steps(self) -> int:
        """Environment steps left."""
        return self.budget.env_steps - self.env_steps

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step the batch, unless that would pass the budget.

        Raises:
            BudgetExhausted: when fewer steps than instances are left, or time is up.
        """
        if self.remaining_steps < self.num_envs:
            self._stop("env_steps")
        if self.seconds >= self.budget.seconds:
            self._stop("seconds")
        observation, reward, terminated, truncated, infos = self.env.step(actions)
        self.env_steps += self.num_envs
        self._count(reward, terminated | truncated)
        return observation, reward, terminated, truncated, infos

    def finish(self) -> list[CurvePoint]:
        """The whole curve, its last stretch included."""
        if self._steps:
            self._add_point()
        return self.curve

    def _stop(self, reason: str) -> None:
        self.stopped_by = reason
        raise BudgetExhausted(
            f"budget of {self.budget.env_steps} steps and {self.budget.seconds:g} s spent: {reason}"
        )

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
            )
        )
        self._next_point = (self.env_steps // self._stretch + 1) * self._stretch
        self._clear()

    def _clear(self) -> None:
        self._steps, self._reward_sum, self._ended, self._return_sum = 0, 0.0, 0, 0.0
