"""Names of agents, in the five ways a user can give them.

``resolve`` runs in the command line's planner: it imports neither torch nor the agent's code. What
it returns is a recipe; ``AgentSpec.load`` follows it in the process where the agent lives.
"""

from __future__ import annotations

import ast
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, version
from pathlib import Path
from types import ModuleType
from typing import Any, Literal

from mlds_bench.agents.files import load_file
from mlds_bench.agents.frozen import frozen
from mlds_bench.agents.sources import (
    Scope,
    Source,
    UnknownAgent,
    agent_class,
    class_names,
    closure,
    declared_files,
    digest,
    file_digest,
    names_in,
    package_scope,
    read,
    relative_import,
    syntax_problem,
)
from mlds_bench.common.names import unknown_name
from mlds_bench.envs.registry import ROOMS

__all__ = [
    "PLUGIN_GROUP",
    "AgentSpec",
    "UnknownAgent",
    "agent_names",
    "builtin",
    "plugin_names",
    "plugin_notes",
    "resolve",
]

PLUGIN_GROUP = "mlds_bench.agents"
PRETRAINED = "pretrained:"
"""Before any other name: the agent plays with what lies beside its committed records."""
EVERYWHERE = "baselines"
"""The folder of agents that play in every room."""
SB3_VERSION = 1
"""Version of our adapter of Stable-Baselines3."""

_FILE = re.compile(r"(?P<path>.*\.py)(?::(?P<cls>[^:/\\]*))?")
_ALIAS = re.compile(r"(?P<name>[A-Za-z_][\w.+-]*)=(?P<of>.+)")
_SB3_MODULE = "mlds_bench.agents.sb3.agent"


@dataclass(frozen=True)
class AgentSpec:
    """Where an agent's class is found, and what of it stands in a record's key.

    Attributes:
        base: its own name: ``deep``, ``sb3:PPO``, ``pkg.mod:MyAgent``, ``my_agent.py:MyAgent``.
        kind: which of the five ways named it.
        target: ``module:class``, or ``/absolute/path.py:class`` of a file.
        version: of a built-in agent and of the adapter of Stable-Baselines3; None for others.
        is_pretrained: whether it plays with what it has learned before, instead of learning.
        problem: why its file cannot be loaded, in one line; "" if nothing is known to be wrong.
    """

    base: str
    kind: Literal["builtin", "sb3", "plugin", "dotted", "file"]
    target: str
    version: int | None = None
    is_pretrained: bool = False
    problem: str = ""

    @property
    def name(self) -> str:
        """As it stands in records: ``deep``, ``pretrained:ppo``."""
        return f"{PRETRAINED}{self.base}" if self.is_pretrained else self.base

    @property
    def class_name(self) -> str:
        """Name of the class in its module."""
        return self.target.rpartition(":")[2]

    @property
    def module(self) -> str:
        """Dotted module, or the path of a file."""
        return self.target.rpartition(":")[0]

    @cached_property
    def sources(self) -> dict[str, Source]:
        """The agent's own source files, read once: module name -> source; see `closure`."""
        if self.kind == "file":
            path = Path(self.module)
            siblings = closure(path.stem, Scope((path.parent,)))
            return {**siblings, path.stem: siblings.get(path.stem) or read(path)}
        ours = "mlds_bench.agents" if self.kind in ("builtin", "sb3") else None
        scope = package_scope(self.module, prefix=ours)
        return closure(self.module, scope) if scope else {}

    @cached_property
    def source_hash(self) -> str:
        """sha256 of the agent's own source; evidence, and the identity of what has no version.

        Files that an agent from a file declares as its own count as well.
        """
        files = [f"{path.name} {file_digest(path)}" for path in self._declared_files]
        return digest(self.sources, files)

    @property
    def _declared_files(self) -> list[Path]:
        if self.kind != "file":
            return []
        return declared_files(self.sources[Path(self.module).stem], self.class_name)

    @property
    def fingerprint(self) -> dict[str, Any]:
        """What a finished result depends on: versions, or the source of what has none."""
        if self.version is None:
            return {"name": self.base, "source": self.source_hash}
        fingerprint: dict[str, Any] = {"name": self.base, "version": self.version}
        if self.kind == "sb3":
            fingerprint["stable_baselines3"] = _sb3_version()
        return fingerprint

    def load(self) -> type:
        """Import the agent's code and return its class.

        Of an agent that is not built in, the very source is run that `sources` has read.

        Raises:
            UnknownAgent: if what is there is no class with ``act``. What the agent's own code
                raises when it is imported passes through.
        """
        if self.problem:
            raise UnknownAgent(self.problem)
        module = self._import()
        try:
            cls = getattr(module, self.class_name)
        except AttributeError:
            classes = [name for name, value in vars(module).items() if isinstance(value, type)]
            line = unknown_name("class", self.class_name, classes)
            raise UnknownAgent(f"{self.name}: {line}") from None
        if not isinstance(cls, type) or not callable(getattr(cls, "act", None)):
            raise UnknownAgent(f"{self.name} is no agent: it must be a class with an act method")
        return cls

    def _import(self) -> ModuleType:
        if self.kind in ("builtin", "sb3"):
            return import_module(self.module)
        if self.kind == "file":
            return load_file(Path(self.module), self.sources)
        with frozen(self.sources):
            return import_module(self.module)


@cache
def builtin(room: str) -> Mapping[str, AgentSpec]:
    """The reference agents of a room (or `EVERYWHERE`), by name."""
    package = import_module(f"mlds_bench.agents.{room}")
    versions: Mapping[str, int] = package.VERSIONS
    return {
        name: AgentSpec(name, "builtin", target, versions.get(name, 1))
        for name, target in package.AGENTS.items()
    }


def resolve(name: str, room: str | None = None) -> AgentSpec:
    """What a name stands for: built-in, ``sb3:NAME``, plug-in, file or dotted path, in this order.

    Any of them may stand behind ``pretrained:``. A file or a dotted path may be given a name of
    its own: ``mine=./my_agent.py``. A file that is no Python is an agent that cannot be loaded.

    Args:
        name: as the user gave it.
        room: where it is to play; built-in names are those of this room and the baselines. None
            looks in every room.

    Raises:
        UnknownAgent: one line, with the nearest right name, or the room in which the name plays.
    """
    if name.startswith(PRETRAINED):
        return replace(resolve(name.removeprefix(PRETRAINED), room), is_pretrained=True)
    for place in (EVERYWHERE, *([room] if room else ROOMS)):
        if name in builtin(place):
            return builtin(place)[name]
    if name.startswith("sb3:"):
        return _resolve_sb3(name)
    if name in _plugins():
        return _resolve_plugin(name)
    alias = _ALIAS.fullmatch(name)
    if alias and not _is_file(name):
        return _resolve_alias(alias["name"], alias["of"])
    file = _FILE.fullmatch(name)
    if file:
        return _resolve_file(file["path"], file["cls"])
    if ":" in name:
        return _resolve_dotted(name)
    raise UnknownAgent(_unknown(name, room))


def rooms_of(name: str) -> list[str]:
    """The rooms that have a built-in agent of this name, by its bare name."""
    bare = name.removeprefix(PRETRAINED)
    return [room for room in ROOMS if bare in builtin(room)]


def agent_names(room: str | None = None) -> list[str]:
    """Every agent that has a name of its own: built-in, Stable-Baselines3's, installed plug-ins.

    Args:
        room: those that play in it; None for all.
    """
    places = (EVERYWHERE, *([room] if room else ROOMS))
    ours = dict.fromkeys(name for place in places for name in builtin(place))
    sb3 = (f"sb3:{name}" for name in _sb3_algorithms())
    return list(dict.fromkeys([*ours, *sb3, *_plugins()]))


def _unknown(name: str, room: str | None) -> str:
    """One line for a name that is no agent here."""
    elsewhere = rooms_of(name) if room else []
    if elsewhere:
        return f"agent {name!r} plays in {', '.join(elsewhere)}, not in {room}"
    line = unknown_name("agent", name, agent_names(room))
    return line if "?" in line else f"{line}; or give ./my_agent.py or package.module:MyAgent"


def plugin_names() -> list[str]:
    """The names of installed plug-ins, whether they are used or not."""
    return list(_plugins())


def plugin_notes() -> dict[str, str]:
    """Installed plug-ins that are not used, or cannot be, and why, in one line each."""
    notes = {}
    for name, points in _plugins().items():
        values = ", ".join(point.value for point in points)
        if any(name in builtin(place) for place in (EVERYWHERE, *ROOMS)):
            notes[name] = f"not used: a built-in agent has this name; write {values} instead"
            continue
        try:
            _resolve_plugin(name)
        except UnknownAgent as error:
            notes[name] = str(error)
    return notes


def _plugins() -> dict[str, list[EntryPoint]]:
    """The entry points of our group by name: packages may have the same."""
    points: dict[str, list[EntryPoint]] = {}
    for point in entry_points(group=PLUGIN_GROUP):
        if point not in points.setdefault(point.name, []):
            points[point.name].append(point)
    return points


def _resolve_plugin(name: str) -> AgentSpec:
    point, *others = _plugins()[name]
    if others:
        values = " and ".join(one.value for one in (point, *others))
        raise UnknownAgent(f"several packages have a plug-in {name!r}: name one by {values}")
    try:
        return replace(_resolve_dotted(point.value.strip()), base=name, kind="plugin")
    except UnknownAgent as error:
        raise UnknownAgent(f"the plug-in {name!r} ({point.value}) is broken: {error}") from None


@cache
def _sb3_version() -> str:
    return version("stable_baselines3")


@cache
def _sb3_algorithms() -> tuple[str, ...]:
    """The algorithms that the installed Stable-Baselines3 exports, read from its source.

    An algorithm ``PPO`` is the one thing imported from ``stable_baselines3.ppo``; the package
    itself is not imported, for it loads torch.
    """
    scope = package_scope("stable_baselines3")
    path = scope.find("stable_baselines3") if scope else None
    if path is None:
        raise UnknownAgent("sb3 agents need stable-baselines3: pip install stable-baselines3")
    return tuple(
        alias.name
        for node in ast.parse(path.read_bytes()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if node.module == f"stable_baselines3.{alias.name.lower()}"
    )


def _resolve_sb3(name: str) -> AgentSpec:
    algorithm = name.removeprefix("sb3:")
    known = _sb3_algorithms()
    if algorithm not in known:
        raise UnknownAgent(unknown_name("agent", name, [f"sb3:{right}" for right in known]))
    return AgentSpec(name, "sb3", f"{_SB3_MODULE}:{algorithm}", SB3_VERSION)


def _resolve_alias(name: str, of: str) -> AgentSpec:
    """A file or a dotted path under a name that the user gives it."""
    if name in agent_names():
        raise UnknownAgent(f"{name}={of}: there is an agent {name!r}, so choose another name")
    spec = resolve(of)
    if spec.kind not in ("file", "dotted"):
        raise UnknownAgent(f"{name}={of}: only a file or package.module:MyAgent is given a name")
    return replace(spec, base=name)


def _resolve_file(name: str, class_name: str | None) -> AgentSpec:
    path = Path(os.path.realpath(_place(name)))
    if not _is_file(path):
        raise UnknownAgent(_no_file(name))
    problem = syntax_problem(read(path)) or relative_import(path)
    if problem:
        base = f"{path.name}:{class_name}" if class_name else path.name
        return AgentSpec(base, "file", f"{path}:{class_name or ''}", problem=problem)
    if class_name is None:
        class_name = agent_class(path)
    known = class_names(path)
    if class_name not in known:
        raise UnknownAgent(f"{name}: {unknown_name('class', class_name, known)}")
    return AgentSpec(f"{path.name}:{class_name}", "file", f"{path}:{class_name}")


def _no_file(name: str) -> str:
    """One line for a path that leads to no file."""
    path = _place(name)
    if os.path.isdir(path):  # noqa: PTH112 - as in `_is_file`
        return f"{name} is a folder: an agent is a file, {path / 'my_agent.py'} say"
    if os.path.islink(path):  # noqa: PTH114 - as in `_is_file`
        return f"{name} is a link that leads to no file"
    if os.path.lexists(path):
        return f"{name} is no regular file"
    beside = sorted(str(other) for other in path.parent.glob("*.py") if _is_file(other))
    if beside:
        return unknown_name("file", name, beside)
    return f"there is no file {name}, nor any .py beside it"


def _place(name: str) -> Path:
    """A path as the user wrote it; the home of nobody stays as it is."""
    return Path(os.path.expanduser(name))  # noqa: PTH111 - Path.expanduser raises


def _is_file(path: Path | str) -> bool:
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises where it may not look


def _resolve_dotted(name: str) -> AgentSpec:
    module, _, class_name = name.partition(":")
    if not (class_name.isidentifier() and all(part.isidentifier() for part in module.split("."))):
        raise UnknownAgent(f"{name!r} is no agent: a class is named as package.module:MyAgent")
    scope = package_scope(module)
    if scope is None:
        raise UnknownAgent(
            f"{name}: no package {module.partition('.')[0]!r} is installed; "
            "for a file write ./my_agent.py:MyAgent"
        )
    path = scope.find(module)
    if path is None:
        raise UnknownAgent(f"{name}: {unknown_name('module', module, _modules_beside(module))}")
    known = names_in(path)
    if known is not None and class_name not in known:
        raise UnknownAgent(f"{name}: {unknown_name('class', class_name, class_names(path))}")
    return AgentSpec(name, "dotted", name)


def _modules_beside(module: str) -> list[str]:
    package = module.rpartition(".")[0]
    scope = package_scope(module)
    path = scope.find(package) if scope and package else None
    if path is None:
        return []
    files, packages = path.parent.glob("[!_]*.py"), path.parent.glob("*/__init__.py")
    names = [other.stem for other in files] + [other.parent.name for other in packages]
    return [f"{package}.{name}" for name in sorted(names)]
