"""The one way the harness talks to an agent: of a plug-in only ``act`` is required."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from numbers import Integral
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from mlds_bench.agents.base import Budget


class AgentAdapter:
    """An agent with everything that it lacks filled in: what is missing does nothing.

    Attributes:
        agent: the agent itself.
        num_envs: instances in the batch that it learns in, at least 1.
        env_options: choices of view that its class wants; see `env_options`.

    Args:
        agent: an agent.
        params: the hyper-parameters that were set by name.
    """

    def __init__(self, agent: Any, params: Mapping[str, Any] | None = None) -> None:
        self.agent = agent
        self.num_envs = _num_envs(agent)
        self.env_options = env_options(type(agent), params)
        self._takes_deterministic = _takes(agent.act, "deterministic")

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Learn; see `Agent.learn`. `BudgetExhausted` passes through."""
        self._call("learn", env, budget)

    def act(self, obs: Any, *, deterministic: bool = True) -> Any:
        """Actions (N, ...) for observations (N, ...)."""
        if self._takes_deterministic:
            return self.agent.act(obs, deterministic=deterministic)
        return self.agent.act(obs)

    def reset(self, done: npt.NDArray[np.bool_]) -> None:
        """Forget the recurrent state of the instances where ``done`` (N,) is True."""
        self._call("reset", done)

    @property
    def can_shrink(self) -> bool:
        """Whether the agent has `keep`: its batch may become smaller in the middle of a test."""
        return callable(getattr(self.agent, "keep", None))

    def keep(self, mask: npt.NDArray[np.bool_]) -> None:
        """Forget the instances where ``mask`` (N,) is False; the batch is those that are left."""
        self._call("keep", mask)

    def save(self, folder: Path) -> None:
        """Write what was learnt into an existing folder."""
        self._call("save", folder)

    def load(self, folder: Path) -> None:
        """Read back what `save` wrote."""
        self._call("load", folder)

    def _call(self, method: str, *args: Any) -> None:
        function = getattr(self.agent, method, None)
        if function is not None:
            function(*args)


def env_options(cls: type, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The choices of view that an agent's class wants; the spaces it is built with follow them.

    Args:
        cls: whose attribute is a mapping, or a function of ``params`` that returns one.
        params: the hyper-parameters that were set by name.

    Raises:
        ValueError: if that is no mapping from names.
    """
    options = getattr(cls, "env_options", {})
    if callable(options):
        options = options(params or {})
    if not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
        raise ValueError(f"{cls.__name__}.env_options must map names to values, got {options!r}")
    return dict(options)


def _num_envs(agent: Any) -> int:
    number = getattr(agent, "num_envs", 1)
    if isinstance(number, bool) or not isinstance(number, Integral) or number < 1:
        raise ValueError(
            f"{type(agent).__name__}.num_envs must be a whole number, at least 1, got {number!r}"
        )
    return int(number)


def _takes(function: Any, keyword: str) -> bool:
    parameters = inspect.signature(function).parameters
    return keyword in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())
