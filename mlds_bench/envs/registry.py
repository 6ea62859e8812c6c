"""Which rooms there are. Importing this loads no torch and no room.

A new homework adds one entry to `ROOMS`; ids, Gymnasium registration, the contract tests, the
listings and the documentation check all follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mlds_bench.envs.core import BatchedEnv

NAMESPACE = "mlds"

ROOMS: dict[str, dict[str, str]] = {
    "fitting": {"FunctionFitting": "fit a function from its values at points"},
    "landscape": {"LossLandscape": "query a loss surface at a point, and move there or not"},
    "atari": {
        "Pong": "see the screen, move the paddle: to 21 points",
        "Breakout": "see the screen, move the paddle: five lives",
        "Atari": "see the screen, use the joystick: any game",
    },
}
"""Room folder -> environment name -> what one decision is."""


@dataclass(frozen=True)
class Environment:
    """An environment of a room: names only, nothing is imported."""

    name: str
    room: str
    summary: str
    version: int = 0

    @property
    def id(self) -> str:
        """Gymnasium id."""
        return f"{NAMESPACE}/{self.name}-v{self.version}"

    def room_module(self, module: str) -> Any:
        """A module of the room (``env``, ``scoring``, ``data``, ``specs``), imported now."""
        return import_module(self.module_name(module))

    def module_name(self, module: str) -> str:
        """Full name of a module of the room."""
        return f"mlds_bench.envs.{self.room}.{module}"

    @property
    def batched_class(self) -> type[BatchedEnv]:
        """The batched class."""
        cls: type[BatchedEnv] = getattr(self.room_module("env"), self.name)
        return cls

    def make(self, **kwargs: Any) -> BatchedEnv:
        """A batch: ``num_envs``, ``split``, ``seed`` and the room's own keyword arguments."""
        make: Callable[..., BatchedEnv] = self.batched_class
        return make(**kwargs)

    def chosen(self, env_kwargs: Mapping[str, Any], env_options: Mapping[str, Any]) -> Any:
        """The keyword arguments that an agent with these choices of view plays under.

        Raises:
            ValueError: an option that an agent may not choose.
        """
        allowed = self.batched_class.view_options
        refused = sorted(set(env_options) - allowed)
        if refused:
            may = f"may choose {', '.join(sorted(allowed))}" if allowed else "has no choice of view"
            raise ValueError(
                f"env_options sets {', '.join(refused)}, but in {self.id} an agent {may}"
            )
        return {**env_options, **env_kwargs}

    @property
    def score(self) -> Callable[..., dict[str, float]]:
        """The room's scoring function: ``score(recording, **env_kwargs)``."""
        score: Callable[..., dict[str, float]] = self.room_module("scoring").score
        return score

    @property
    def has_pictures(self) -> bool:
        """Whether the room draws pictures of a test."""
        return find_spec(self.module_name("pictures")) is not None

    @property
    def draw(self) -> Callable[..., list[Path]]:
        """The room's drawing function, where it has one: ``draw(recording, folder, **env_kwargs)``.

        It writes pictures of a test into an existing folder and returns their paths.
        """
        draw: Callable[..., list[Path]] = self.room_module("pictures").draw
        return draw

    def data_checksum(self, **env_kwargs: Any) -> str:
        """sha256 of the data that an environment with these keyword arguments is made of."""
        return str(self.room_module("data").checksum(**env_kwargs))


ENVIRONMENTS: dict[str, Environment] = {
    environment.id: environment
    for room, entries in ROOMS.items()
    for environment in (Environment(name, room, text) for name, text in entries.items())
}


def register() -> None:
    """Register every environment with Gymnasium, single and batched; safe to call again."""
    import gymnasium

    for environment in ENVIRONMENTS.values():
        if environment.id not in gymnasium.registry:
            gymnasium.register(
                environment.id,
                entry_point=f"mlds_bench.envs.single:{environment.name}",
                vector_entry_point=f"mlds_bench.envs.{environment.room}.env:{environment.name}",
            )
