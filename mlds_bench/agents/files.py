"""Agents that are files: a package in which each is a module, wherever the file lies.

The module of ``./my_agent.py`` is ``mlds_bench.agents.files.my_agent``. So what an agent pickles
can be read back after its folder has moved, and processes that it starts find it, and what lies
beside it: they inherit two environment variables.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from sysconfig import get_paths
from types import ModuleType

from mlds_bench.agents.frozen import frozen
from mlds_bench.agents.sources import Source

FOLDER = "MLDS_BENCH_AGENT_FOLDER"
"""Environment variable: the folder of the file, for the processes that the agent starts."""

__path__: list[str] = [os.environ[FOLDER]] if FOLDER in os.environ else []


def load_file(path: Path, sources: Mapping[str, Source]) -> ModuleType:
    """Run a file as a module; its siblings can be imported then and later, in children as well.

    Args:
        path: of the file.
        sources: it and its siblings as they were read: module name -> source.
    """
    name = f"{__name__}.{path.stem.replace('.', '_')}"
    sys.modules.pop(name, None)
    folder = str(path.parent)
    is_new = folder not in sys.path
    if is_new:
        sys.path.insert(_after_the_library(), folder)
    try:
        with frozen({**sources, name: sources[path.stem]}):
            module = import_module(name)
    except BaseException:
        if is_new:
            sys.path.remove(folder)
        raise
    _tell_children(path.parent)
    return module


def _after_the_library() -> int:
    """The place in the search path behind Python's own modules, which no sibling then hides."""
    library = {get_paths()["stdlib"], get_paths()["platstdlib"]}
    library |= {str(Path(folder, "lib-dynload")) for folder in library}
    return max((sys.path.index(folder) for folder in library & set(sys.path)), default=-1) + 1


def _tell_children(folder: Path) -> None:
    """Processes that the agent starts find its module, and its siblings.

    PYTHONPATH comes before Python's own modules, so a folder that has a ``random.py`` is not put
    there.
    """
    os.environ[FOLDER] = str(folder)
    if any(path.stem in sys.stdlib_module_names for path in folder.glob("*.py")):
        return
    known = os.environ.get("PYTHONPATH", "")
    entries = known.split(os.pathsep) if known else []
    if str(folder) not in entries:
        os.environ["PYTHONPATH"] = os.pathsep.join([*entries, str(folder)])
