"""Names of agents, in the five ways a user can give them.

``resolve`` runs in the command line's planner: it imports neither torch nor the agent's code. What
it returns is a recipe; ``AgentSpec.load`` follows it in the process where the agent lives.
"""

from __future__ import annotations

import ast
import hashlib
import re
import sys
from dataclasses import dataclass, replace
from functools import cached_property
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points, version
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Literal

from mlds_bench.agents import atari, baselines, fitting, landscape
from mlds_bench.agents.sources import (
    Scope,
    UnknownAgent,
    agent_class,
    class_names,
    closure,
    digest,
    names_in,
    package_scope,
)
from mlds_bench.common.names import unknown_name

__all__ = ["BUILTIN", "PLUGIN_GROUP", "AgentSpec", "UnknownAgent", "agent_names", "resolve"]

PLUGIN_GROUP = "mlds_bench.agents"
PRETRAINED = "pretrained:"
"""Before any other name: the agent plays with what lies beside its committed records."""

BUILTIN: dict[str, str] = {
    **baselines.AGENTS,
    **fitting.AGENTS,
    **landscape.AGENTS,
    **atari.AGENTS,
}
"""Name -> module:class of the reference agents."""

_FILE = re.compile(r"(?P<path>.*\.py)(?::(?P<cls>[^:/\\]*))?")
_SB3_MODULE = "mlds_bench.agents.sb3.agent"


@dataclass(frozen=True)
class AgentSpec:
    """Where an agent's class is found.

    Attributes:
        name: canonical, as it stands in records: ``deep``, ``sb3:PPO``, ``pkg.mod:MyAgent``,
            ``my_agent.py:MyAgent``, ``pretrained:ppo``.
        kind: which of the five ways named it.
        target: ``module:class``, or ``/absolute/path.py:class`` of a file.
    """

    name: str
    kind: Literal["builtin", "sb3", "plugin", "dotted", "file"]
    target: str

    @property
    def is_pretrained(self) -> bool:
        """Whether it plays with what it has learnt before, instead of learning."""
        return self.name.startswith(PRETRAINED)

    @property
    def class_name(self) -> str:
        """Name of the class in its module."""
        return self.target.rpartition(":")[2]

    @property
    def module(self) -> str:
        """Dotted module, or the path of a file."""
        return self.target.rpartition(":")[0]

    @cached_property
    def sources(self) -> dict[str, Path]:
        """The agent's own source files: module name -> file; see `closure`."""
        if self.kind == "file":
            path = Path(self.module)
            return closure(path.stem, Scope((path.parent,)))
        ours = "mlds_bench.agents" if self.kind in ("builtin", "sb3") else None
        scope = package_scope(self.module, prefix=ours)
        return closure(self.module, scope) if scope else {}

    def source_hash(self) -> str:
        """sha256 of the agent's own source (and of Stable-Baselines3's version, where it acts)."""
        extra = [f"stable_baselines3=={version('stable_baselines3')}"] if self.kind == "sb3" else []
        return digest(self.sources, extra)

    def load(self) -> type:
        """Import the agent's code and return its class.

        Raises:
            UnknownAgent: if what is there is no class with ``act``. What the agent's own code
                raises when it is imported passes through.
        """
        file = self.kind == "file"
        module = _load_file(Path(self.module)) if file else import_module(self.module)
        try:
            cls = getattr(module, self.class_name)
        except AttributeError:
            classes = [name for name, value in vars(module).items() if isinstance(value, type)]
            line = unknown_name("class", self.class_name, classes)
            raise UnknownAgent(f"{self.name}: {line}") from None
        if not isinstance(cls, type) or not callable(getattr(cls, "act", None)):
            raise UnknownAgent(f"{self.name} is no agent: it must be a class with an act method")
        return cls


def resolve(name: str) -> AgentSpec:
    """What a name stands for: built-in, ``sb3:NAME``, plug-in, file or dotted path, in this order.

    Any of them may stand behind ``pretrained:``.

    Raises:
        UnknownAgent: one line, with the nearest right name.
    """
    if name.startswith(PRETRAINED):
        return replace(resolve(name.removeprefix(PRETRAINED)), name=name)
    if name in BUILTIN:
        return AgentSpec(name, "builtin", BUILTIN[name])
    if name.startswith("sb3:"):
        return _resolve_sb3(name)
    plugins = _plugins()
    if name in plugins:
        return AgentSpec(name, "plugin", plugins[name].value)
    file = _FILE.fullmatch(name)
    if file:
        return _resolve_file(file["path"], file["cls"])
    if ":" in name:
        return _resolve_dotted(name)
    line = unknown_name("agent", name, agent_names())
    raise UnknownAgent(
        line if "?" in line else f"{line}; or give ./my_agent.py or package.module:MyAgent"
    )


def agent_names() -> list[str]:
    """Every agent that has a name of its own: built-in, Stable-Baselines3's, installed plug-ins."""
    return [*BUILTIN, *(f"sb3:{name}" for name in _sb3_algorithms()), *_plugins()]


def _plugins() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=PLUGIN_GROUP)}


def _sb3_algorithms() -> list[str]:
    """The algorithms that the installed Stable-Baselines3 exports, read from its source.

    An algorithm ``PPO`` is the one thing imported from ``stable_baselines3.ppo``; the package
    itself is not imported, for it loads torch.
    """
    scope = package_scope("stable_baselines3")
    path = scope.find("stable_baselines3") if scope else None
    if path is None:
        raise UnknownAgent("sb3 agents need stable-baselines3: pip install stable-baselines3")
    return [
        alias.name
        for node in ast.parse(path.read_bytes()).body
        if isinstance(node, ast.ImportFrom)
        for alias in node.names
        if node.module == f"stable_baselines3.{alias.name.lower()}"
    ]


def _resolve_sb3(name: str) -> AgentSpec:
    algorithm = name.removeprefix("sb3:")
    known = _sb3_algorithms()
    if algorithm not in known:
        raise UnknownAgent(unknown_name("agent", name, [f"sb3:{right}" for right in known]))
    return AgentSpec(name, "sb3", f"{_SB3_MODULE}:{algorithm}")


def _resolve_file(name: str, class_name: str | None) -> AgentSpec:
    path = Path(name).expanduser().resolve()
    if not path.is_file():
        beside = sorted(str(other) for other in Path(name).expanduser().parent.glob("*.py"))
        line = unknown_name("file", name, beside)
        raise UnknownAgent(line if beside else f"there is no file {name}, nor any .py beside it")
    if class_name is None:
        class_name = agent_class(path)
    known = class_names(path)
    if class_name not in known:
        raise UnknownAgent(f"{name}: {unknown_name('class', class_name, known)}")
    return AgentSpec(f"{path.name}:{class_name}", "file", f"{path}:{class_name}")


def _resolve_dotted(name: str) -> AgentSpec:
    module, _, class_name = name.partition(":")
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


def _load_file(path: Path) -> ModuleType:
    """Run a file as a module of its own, its siblings importable meanwhile.

    The name depends on the path alone, so that what an agent pickles can be read back by another
    process.
    """
    name = f"mlds_bench_agent_{hashlib.sha256(str(path).encode()).hexdigest()[:12]}_{path.stem}"
    spec = spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise UnknownAgent(f"{path} cannot be loaded as a Python module")
    module = module_from_spec(spec)
    sys.modules[name] = module
    sys.path.insert(0, str(path.parent))
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    finally:
        sys.path.remove(str(path.parent))
    return module
