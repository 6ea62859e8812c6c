"""New interpreters for code of ours, in which no folder of a user shadows the standard library."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_BEGIN = """
import json, sys
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
start = json.loads(sys.argv.pop(1))
sys.path += [entry for entry in start["path"] if entry not in sys.path]
spec = spec_from_file_location(start["name"], start["package"] + "/__init__.py")
sys.modules[start["name"]] = package = module_from_spec(spec)
spec.loader.exec_module(package)
import_module(start["module"]).main(*sys.argv[1:])
"""
"""The package is loaded from its place, not by its name: the folder around it is a user's."""


def absolute_path() -> list[str]:
    """This process's module search path, without entries that depend on the current folder."""
    return [os.path.abspath(entry or ".") for entry in sys.path]  # noqa: PTH100 - may be an archive


def interpreter_command(module: str, *arguments: str) -> list[str]:
    """The command that calls ``main(*arguments)`` of a module of ours in a new interpreter.

    It can import what this process can, but looks in the standard library and in installed packages
    first. In particular the current folder does not come before all else.

    Args:
        module: full name.
        arguments: for its ``main``.
    """
    start = {
        "path": absolute_path(),
        "name": _PACKAGE.name,
        "package": str(_PACKAGE),
        "module": module,
    }
    return [sys.executable, "-P", "-c", _BEGIN, json.dumps(start), *arguments]
