"""What an agent is.

Of an agent only ``act`` is required; `Agent` is the base of the reference agents and a convenience,
not a duty.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, get_type_hints

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv

from mlds_bench.agents.budget import Budget
from mlds_bench.common.names import unknown_name


class Unsupported(ValueError):
    """An agent does not fit these spaces; its cell is skipped, with this line as the reason."""


class UnknownHyperparameter(ValueError):
    """A hyper-parameter that the agent does not have, or a value it cannot take."""


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
        """Write what was learned into an existing folder."""

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
