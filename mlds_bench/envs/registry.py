"""Which rooms there are. Importing this loads no torch and no room.

A new homework adds one entry to `ROOMS`; ids, Gymnasium registration, the contract tests, the
listings and the documentation check all follow from it.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from mlds_bench.common.settings import BaseSettings, make_settings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from pathlib import Path

    from mlds_bench.envs.core import BatchedEnv, Recorder

NAMESPACE = "mlds"

ROOMS: dict[str, dict[str, str]] = {
    "fitting": {"FunctionFitting": "fit a function from its values at points"},
    "classification": {"Classification": "see an image, say its class"},
    "landscape": {"LossLandscape": "query a loss surface at a point, and move there or not"},
    "generalization": {
        "ModelSelection": "probe one of eight trained networks, or choose one",
        "HyperparameterSearch": "try a setting, for all or part of a training",
    },
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

    def settings(self, **env_kwargs: Any) -> BaseSettings:
        """The room's settings for an environment with these keyword arguments, checked.

        Where the environments of a room differ in theirs, they are called ``<Name>Settings``.

        Raises:
            ValueError: one line that names the argument, its value and what is right.
        """
        specs = self.room_module("specs")
        cls = getattr(specs, f"{self.name}Settings", None) or specs.Settings
        settings: BaseSettings = make_settings(cls, env_kwargs)
        return settings

    def chosen(
        self, env_kwargs: Mapping[str, Any], env_options: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Keyword arguments of a variant with an agent's choice of view, checked.

        The variant's own arguments win over the agent's options.

        Raises:
            ValueError: an option that is no choice of view, or a value that is wrong; one line.
        """
        allowed = self.settings(**env_kwargs).view_options
        refused = sorted(set(env_options) - allowed)
        if refused:
            may = f"may choose {', '.join(sorted(allowed))}" if allowed else "has no choice of view"
            raise ValueError(
                f"env_options sets {', '.join(refused)}, but in {self.id} an agent {may}"
            )
        chosen = {**env_options, **env_kwargs}
        self.settings(**chosen)
        return chosen

    def make(self, **kwargs: Any) -> BatchedEnv:
        """A batch: ``num_envs``, ``split``, ``seed``, ``render_mode`` and the room's own."""
        make: Callable[..., BatchedEnv] = self.batched_class
        return make(**kwargs)

    def score(self, recording: Recorder, **env_kwargs: Any) -> dict[str, float]:
        """Scores of what an environment with these keyword arguments recorded."""
        settings = self.settings(**env_kwargs)
        scores: dict[str, float] = self.room_module("scoring").score(recording, settings)
        return scores

    @property
    def has_pictures(self) -> bool:
        """Whether the room draws pictures of a test."""
        return find_spec(self.module_name("pictures")) is not None

    def draw(self, recording: Recorder, folder: Path, **env_kwargs: Any) -> list[Path]:
        """Write pictures of a test into an existing folder and return their paths."""
        settings = self.settings(**env_kwargs)
        paths: list[Path] = self.room_module("pictures").draw(recording, folder, settings)
        return paths

    def watched_instances(self, **env_kwargs: Any) -> int:
        """Instances that play when an agent is watched: one, where its room asks for no more."""
        of = getattr(self.room_module("pictures"), "watched_instances", None)
        return int(of(self.settings(**env_kwargs))) if of else 1

    def data_checksum(self, **env_kwargs: Any) -> str:
        """sha256 of the data that an environment with these keyword arguments is made of."""
        return str(self.room_module("data").checksum(self.settings(**env_kwargs)))

    def require_data(self, **env_kwargs: Any) -> None:
        """See that the files are here, in a room that reads any.

        Raises:
            MissingData: they are absent or damaged; the line names the command that fetches them.
        """
        require = getattr(self.room_module("data"), "require", None)
        if require is not None:
            require(self.settings(**env_kwargs))


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
