"""The one way the harness talks to an agent: of a plug-in only ``act`` is required."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral
from pathlib import Path
from typing import Any, Protocol

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.params import build
from mlds_bench.envs.core import BatchedEnv


class AgentAdapter:
    """An agent with everything that it lacks filled in: what is missing does nothing.

    Attributes:
        agent: the agent itself.
        num_envs: instances in the batch that it learns in, at least 1.

    Args:
        agent: an agent.
    """

    def __init__(self, agent: Any) -> None:
        self.agent = agent
        self.num_envs = _num_envs(agent)

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Learn; see `Agent.learn`. `BudgetExhausted` passes through."""
        self._call("learn", env, budget)

    def act(self, obs: Any) -> Any:
        """Actions (N, ...) for observations (N, ...)."""
        return self.agent.act(obs)

    def reset(self, done: npt.NDArray[np.bool_]) -> None:
        """Forget the recurrent state of the instances where ``done`` (N,) is True."""
        self._call("reset", done)

    def save(self, folder: Path) -> None:
        """Write what was learned into an existing folder."""
        self._call("save", folder)

    def load(self, folder: Path) -> None:
        """Read back what `save` wrote."""
        self._call("load", folder)

    def _call(self, method: str, *args: Any) -> None:
        function = getattr(self.agent, method, None)
        if function is not None:
            function(*args)


class Playground(Protocol):
    """Where an agent plays; every registered environment is one."""

    def make(self, **kwargs: Any) -> BatchedEnv:
        """A batch: ``num_envs``, ``split``, ``seed`` and the room's own keyword arguments."""

    def chosen(self, env_kwargs: Mapping[str, Any], env_options: Mapping[str, Any]) -> Any:
        """The keyword arguments of the environment that an agent with these options plays in."""


@dataclass(frozen=True)
class Player:
    """An agent, and the environment as it chose to see it.

    Attributes:
        agent: the agent.
        playground: where it plays.
        env_options: what its class chose.
        env_kwargs: keyword arguments of the environment, its choices included.
        observation_space: of one instance.
        action_space: of one instance.
    """

    agent: AgentAdapter
    playground: Playground
    env_options: dict[str, Any]
    env_kwargs: dict[str, Any]
    observation_space: gymnasium.Space[Any]
    action_space: gymnasium.Space[Any]

    def make_env(self, **batch: Any) -> BatchedEnv:
        """A batch of the environment that the agent was built for."""
        return self.playground.make(**batch, **self.env_kwargs)


def build_player(
    cls: type,
    playground: Playground,
    env_kwargs: Mapping[str, Any] | None = None,
    *,
    params: Mapping[str, Any] | None = None,
    seed: int,
    device: str = "cpu",
) -> Player:
    """Build an agent for an environment; whoever lets an agent play builds it here.

    Args:
        cls: any class with ``act``.
        playground: a registered environment, say.
        env_kwargs: what the variant sets; it wins over the agent's choices.
        params: hyper-parameters by name.
        seed: of all the agent's randomness.
        device: torch device.

    Raises:
        ValueError: the class chooses what an agent may not choose.
        UnknownHyperparameter: a hyper-parameter that it does not take.
        Unsupported: by the agent, if the spaces do not fit it.
    """
    options = env_options(cls, params)
    kwargs = dict(playground.chosen(env_kwargs or {}, options))
    first = playground.make(num_envs=1, **kwargs)
    spaces = {
        "observation_space": first.single_observation_space,
        "action_space": first.single_action_space,
    }
    first.close()
    agent = build(cls, **spaces, seed=seed, device=device, params=params)
    return Player(AgentAdapter(agent), playground, options, kwargs, **spaces)


def env_options(cls: type, params: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """The choices of view that an agent's class wants; the spaces it is built with follow them.

    Args:
        cls: whose attribute is a mapping, or a function of ``params`` that returns one.
        params: the hyper-parameters that were set by name.

    Raises:
        ValueError: if that is not a mapping from names.
    """
    options = getattr(cls, "env_options", {})
    if callable(options):
        options = options(params or {})
    if not isinstance(options, Mapping) or not all(isinstance(key, str) for key in options):
        raise ValueError(f"{cls.__name__}.env_options must map names to values, got {options!r}")
    return dict(options)


def keeps(cls: type) -> bool:
    """Whether an agent's class has a ``save`` of its own."""
    return getattr(cls, "save", Agent.save) is not Agent.save


def _num_envs(agent: Any) -> int:
    number = getattr(agent, "num_envs", 1)
    if isinstance(number, bool) or not isinstance(number, Integral) or number < 1:
        raise ValueError(
            f"{type(agent).__name__}.num_envs must be a whole number, at least 1, got {number!r}"
        )
    return int(number)
