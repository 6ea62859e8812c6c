"""Agents as a user names them: what stands between commas, in tables, in folders.

Every way to name an agent is also a way to give it hyper-parameters of its own and a name:
``deep@learning_rate=0.003`` is what tables print, ``small=./net.py@hidden=8`` names a file.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, partial
from glob import has_magic
from pathlib import Path
from typing import Any

from mlds_bench.agents.params import label, parse_label, split_labels
from mlds_bench.agents.registry import AgentSpec, UnknownAgent, resolve, rooms_of
from mlds_bench.benchmarks.plan.errors import UsageError

_ACT = re.compile(rb"^\s+def act\b", re.MULTILINE)


@dataclass(frozen=True)
class Player:
    """Who plays, with hyper-parameters of its own."""

    spec: AgentSpec
    params: Mapping[str, Any]

    @property
    def label(self) -> str:
        """As records name it."""
        return label(self.spec.name, self.params)


def split_agents(texts: Iterable[str]) -> list[str]:
    """The names in ``-a`` options, each of which may hold several between commas.

    >>> split_agents(["deep,shallow@width=8,hidden=[8,8]", "spline"])
    ['deep', 'shallow@width=8,hidden=[8,8]', 'spline']
    """
    names = [name for text in texts for name in split_labels(text)]
    if not names:
        raise UsageError("--agents names no agent (mlds-bench list agents)")
    return names


def find_player(name: str, room: str | None, params: Mapping[str, Any]) -> Player:
    """Who that is in a room; hyper-parameters in the name win over those of all."""
    name, own = parse_label(name)
    return Player(resolve(name, room), {**params, **own})


def expand_agents(names: Sequence[str]) -> list[str]:
    """Folders and wildcards as the agent files in them; other names as they are.

    Of a folder (``./agents/``) those files count that define ``act``. A wildcard over folders names
    each agent after its own: ``submissions/*/agent.py`` gives ``ann=submissions/ann/agent.py``.

    Raises:
        UsageError: a folder or a wildcard without any agent.
    """
    return [one for name in names for one in _expand(name)]


def _expand(name: str) -> list[str]:
    place = parse_label(name)[0]
    params = name[len(place) :]
    path, (pattern, class_name) = _at_home(place), _split_class(place)
    if _is_path(place) and path.is_dir():
        files = [file for file in sorted(path.glob("[!_]*.py")) if _defines_act(file)]
    elif has_magic(pattern) and not Path(pattern).exists():
        files = [file for file in sorted(_glob(pattern)) if file.is_file()]
    else:
        return [name]
    if not files:
        raise UsageError(f"{place}: no file of an agent there (a .py file with act(self, obs))")
    return [f"{_title(pattern, file)}{file}{class_name}{params}" for file in files]


def _glob(pattern: str) -> Iterator[Path]:
    path = _at_home(pattern)
    return Path(path.anchor).glob(str(path.relative_to(path.anchor)))


def _at_home(text: str) -> Path:
    """A path as a shell reads it: ``./~mine.py`` is no home, and a stranger's home is a name."""
    return Path(os.path.expanduser(text))  # noqa: PTH111 - Path drops the ./, and may raise


def _is_path(text: str) -> bool:
    """Whether a name is written as a path, so that a folder called deep does not hide ``deep``."""
    return os.sep in text or text in (".", "..")


def _split_class(place: str) -> tuple[str, str]:
    """``mine.py:Mine`` as the file and what follows it."""
    file, colon, name = place.rpartition(":")
    return (file, f":{name}") if colon and file.endswith(".py") else (place, "")


def _defines_act(path: Path) -> bool:
    try:
        return path.is_file() and bool(_ACT.search(path.read_bytes()))
    except OSError:
        return True  # whoever reads it for a run says why that cannot be


def _title(pattern: str, file: Path) -> str:
    """``ann=`` for a file whose folder a wildcard found; "" where no folder is a wildcard."""
    wild, found = _at_home(pattern).parts, file.parts
    if len(wild) != len(found):
        return ""
    folders = [
        part for part, sought in zip(found[:-1], wild[:-1], strict=True) if has_magic(sought)
    ]
    title = re.sub(r"[^A-Za-z0-9_.+-]", "-", "-".join(folders)).lstrip("-.+")
    return f"{'_' * title[:1].isdigit()}{title}=" if title else ""


def find_players(
    names: Sequence[str], rooms: Mapping[str, str], params: Mapping[str, Any]
) -> dict[str, list[Player]]:
    """The named agents in each variant; a name has to play in one of them at least.

    Args:
        names: in any of the ways.
        rooms: variant -> its room.
        params: hyper-parameters of all agents; an agent's own win.

    Returns:
        Variant -> its players, each once.

    Raises:
        UnknownAgent: a name that is no agent, or plays in none of the variants.
    """
    players: dict[str, list[Player]] = {variant: [] for variant in rooms}
    for name in expand_agents(names):
        bare = parse_label(name)[0]
        own = rooms_of(bare)
        read = cache(partial(find_player, name, params=params))  # files are read once per run
        fitting = [variant for variant, room in rooms.items() if not own or room in own]
        if not fitting:
            raise UnknownAgent(
                f"agent {bare!r} plays in {', '.join(own)}, not in {', '.join(rooms)}"
            )
        for variant in fitting:
            player = read(rooms[variant] if own else None)
            if player not in players[variant]:
                players[variant].append(player)
    return players
