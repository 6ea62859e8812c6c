"""What an agent is made of, read from its files: the class, and the modules it imports.

Nothing is run. Each file is read once: what is hashed is what is run later, whatever becomes of the
file in the meantime.
"""

from __future__ import annotations

import ast
import hashlib
import sys
import tokenize
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path


class UnknownAgent(ValueError):
    """A name, a file or a class that is no agent; one line with the nearest right thing."""


@dataclass(frozen=True)
class Source:
    """A source file as it was when it was read."""

    path: Path
    content: bytes


@dataclass(frozen=True)
class Scope:
    """Where an agent's own modules are: what else it imports is somebody else's code.

    Attributes:
        folders: searched in order.
        stands_for: how many leading names of a module the folders already stand for: 1 for the
            folder of a package, 0 for a folder of siblings.
        prefix: modules outside this package are not the agent's own; "" takes every sibling.
    """

    folders: tuple[Path, ...]
    stands_for: int = 0
    prefix: str = ""

    def find(self, module: str) -> Path | None:
        """The file of a module, or None where it is not the agent's own.

        A sibling does not stand in for a module of the standard library.
        """
        if not self.prefix and module.partition(".")[0] in sys.stdlib_module_names:
            return None
        if self.prefix and not f"{module}.".startswith(f"{self.prefix}."):
            return None
        names = module.split(".")[self.stands_for :]
        for folder in self.folders:
            place = folder.joinpath(*names)
            for path in (place / "__init__.py", place.with_name(f"{place.name}.py")):
                if path.is_file():
                    return path
        return None


def package_scope(module: str, prefix: str | None = None) -> Scope | None:
    """The scope of the top-level package of a module, found without importing it."""
    package = module.partition(".")[0]
    try:
        spec = find_spec(package) if package else None
    except ValueError:  # a module that was made by hand, __main__ for one
        return None
    if spec is None:
        return None
    if spec.submodule_search_locations is not None:
        folders = tuple(Path(folder) for folder in spec.submodule_search_locations)
        return Scope(folders, stands_for=1, prefix=prefix or package)
    if spec.origin is None or not spec.origin.endswith(".py"):
        return None
    return Scope((Path(spec.origin).parent,), prefix=package)


def closure(module: str, scope: Scope) -> dict[str, Source]:
    """The files that importing a module runs, inside its scope: module name -> source.

    Imports are read from the source, so those that are computed (``import_module(name)``) are
    not seen.
    """
    found: dict[str, Source] = {}
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        path = scope.find(name)
        parent = name.rpartition(".")[0]
        waiting += [parent] if parent else []
        if path is not None:
            found[name] = source = read(path)
            package = name if path.name == "__init__.py" else parent
            with suppress(UnknownAgent):  # what cannot be parsed imports nothing: it fails when run
                waiting += _imports(_parse(source), package)
    return found


def digest(files: Mapping[str, Source], extra: Iterable[str] = ()) -> str:
    """sha256 over the names and the code of source files, and over words beside them.

    What does not run does not count: comments, docstrings and layout may change freely.
    """
    total = hashlib.sha256()
    for name in sorted(files):
        code = _code(files[name])
        total.update(f"{name} {len(code)}\n{code}".encode())
    for word in extra:
        total.update(f"{word}\n".encode())
    return total.hexdigest()


def _code(source: Source) -> str:
    """The tokens of a source file without comments, docstrings and white space.

    A file that is no Python counts byte by byte.
    """
    try:
        silent = _docstring_lines(_parse(source))
    except UnknownAgent:
        return source.content.hex()
    words = []
    for token in tokenize.tokenize(BytesIO(source.content).readline):
        if token.type in _BLOCKS:
            words.append(_BLOCKS[token.type])
        elif token.start[0] not in silent and token.type not in _SILENT:
            words.append("\n" if token.type == tokenize.NEWLINE else token.string)
    return " ".join(words)


_BLOCKS = {tokenize.INDENT: "\t", tokenize.DEDENT: "\b"}
_SILENT = frozenset({tokenize.COMMENT, tokenize.NL, tokenize.ENCODING})


def _docstring_lines(tree: ast.Module) -> set[int]:
    """The lines that docstrings, and other strings that stand alone, take."""
    return {
        line
        for node in ast.walk(tree)
        if isinstance(node, ast.Expr)
        and isinstance(node.value, ast.Constant)
        and isinstance(node.value.value, str)
        for line in range(node.lineno, (node.end_lineno or node.lineno) + 1)
    }


def declared_files(source: Source, class_name: str) -> list[Path]:
    """The files beside an agent's own that it says it reads: ``files = ["weights.npy"]``.

    Args:
        source: the agent's file; one that is no Python declares nothing.
        class_name: its class; the list may stand in it, or at the top of the file.

    Raises:
        UnknownAgent: one of the files is not there.
    """
    try:
        tree = _parse(source)
    except UnknownAgent:  # whoever loads it says so
        return []
    path = source.path
    blocks = [n.body for n in tree.body if isinstance(n, ast.ClassDef) and n.name == class_name]
    names = [name for body in [tree.body, *blocks] for name in _files_in(body)]
    files = [path.parent / name for name in dict.fromkeys(names)]
    for file in files:
        if not file.is_file():
            raise UnknownAgent(f"{path.name} says that it reads {file}, and there is no such file")
    return files


def _files_in(body: Iterable[ast.stmt]) -> list[str]:
    """The literal list of names that is assigned to ``files``, if there is one."""
    for node in body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        named = any(isinstance(target, ast.Name) and target.id == "files" for target in targets)
        value = getattr(node, "value", None)
        if named and isinstance(value, (ast.List, ast.Tuple)):
            parts = [part.value for part in value.elts if isinstance(part, ast.Constant)]
            return [part for part in parts if isinstance(part, str)]
    return []


def file_digest(path: Path) -> str:
    """sha256 of a file's content, whatever its size."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def agent_class(path: Path) -> str:
    """The name of the one agent class of a file.

    That is the class with ``act``, its own or inherited; without any, the only class. A class that
    another one of the file builds on is not meant.

    Raises:
        UnknownAgent: if there is none, or if there are several.
    """
    classes = [node for node in _parse(read(path)).body if isinstance(node, ast.ClassDef)]
    bases = {base for node in classes for base in _bases(node) if base != node.name}
    leaves = [node.name for node in classes if node.name not in bases]
    acting = [name for name in leaves if name in _acting(path)]
    names = list(dict.fromkeys(acting or leaves))
    if len(names) == 1:
        return names[0]
    if not names:
        raise UnknownAgent(f"{path} has no class: an agent is a class with act(self, obs)")
    kind = "several agent classes" if acting else "several classes, none with act"
    raise UnknownAgent(
        f"{path} has {kind} ({', '.join(names)}): name one, {path.name}:{names[0]} say"
    )


def syntax_problem(source: Source) -> str:
    """Why a source cannot be parsed, in one line; "" if it can."""
    try:
        _parse(source)
    except UnknownAgent as error:
        return str(error)
    return ""


def relative_import(path: Path) -> str:
    """One line about the first ``from .helper import X`` at the top of a file; "" if none is."""
    for node in _parse(read(path)).body:
        if isinstance(node, ast.ImportFrom) and node.level:
            names, module = ", ".join(alias.name for alias in node.names), node.module or ""
            right = f"from {module} import {names}" if module else f"import {names}"
            return (
                f"{path}, line {node.lineno}: a file is in no package, "
                f"so write {right} without the dot"
            )
    return ""


def class_names(path: Path) -> list[str]:
    """The top-level classes of a file."""
    return [node.name for node in _parse(read(path)).body if isinstance(node, ast.ClassDef)]


def names_in(path: Path) -> list[str] | None:
    """The names that a module's source binds, or None where the source cannot tell them all."""
    names: list[str] = []
    for node in ast.walk(_parse(read(path))):
        if isinstance(node, (ast.ClassDef, ast.FunctionDef)):
            names.append(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            names.append(node.id)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            names += [alias.asname or alias.name for alias in node.names]
    return None if {"*", "__getattr__"} & set(names) else names


def read(path: Path) -> Source:
    """A source file as it is now.

    Raises:
        UnknownAgent: it cannot be read.
    """
    try:
        return Source(path, path.read_bytes())
    except OSError as error:
        raise UnknownAgent(f"{path} cannot be read: {error.strerror or error}") from None


def _parse(source: Source) -> ast.Module:
    path = source.path
    try:
        return ast.parse(source.content, filename=str(path))
    except SyntaxError as error:
        raise UnknownAgent(f"{path}, line {error.lineno}: {error.msg}") from None
    except ValueError as error:  # null bytes
        raise UnknownAgent(f"{path} is no Python source: {error}") from None
    except (RecursionError, MemoryError):  # the parser's own stack is full
        raise UnknownAgent(f"{path} is nested too deeply for Python") from None


def _acting(path: Path, seen: frozenset[Path] = frozenset()) -> set[str]:
    """The names of a file that stand for classes with ``act``; siblings are looked up, too."""
    acting: set[str] = set()
    for node in _parse(read(path)).body:
        if isinstance(node, ast.ClassDef):
            if _defines_act(node) or acting & set(_bases(node)):
                acting.add(node.name)
        elif isinstance(node, ast.ImportFrom) and node.module:
            sibling = Scope((path.parent,)).find(node.module)
            if sibling and sibling not in seen:
                known = _acting(sibling, seen | {path})
                acting |= {a.asname or a.name for a in node.names if a.name in known}
    return acting


def _bases(node: ast.ClassDef) -> list[str]:
    """The names of base classes, ``Base`` and ``Base[int]``."""
    plain = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
    return [base.id for base in plain if isinstance(base, ast.Name)]


def _defines_act(node: ast.ClassDef) -> bool:
    functions = {part.name for part in node.body if isinstance(part, ast.FunctionDef)}
    targets = [t for part in node.body if isinstance(part, ast.Assign) for t in part.targets]
    return "act" in functions | {target.id for target in targets if isinstance(target, ast.Name)}


def _imports(tree: ast.Module, package: str) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = _absolute(node, package)
            yield base
            yield from (f"{base}.{alias.name}".lstrip(".") for alias in node.names)


def _absolute(node: ast.ImportFrom, package: str) -> str:
    if not node.level:
        return node.module or ""
    parts = package.split(".") if package else []
    parts = parts[: len(parts) - (node.level - 1)]
    return ".".join([*parts, *([node.module] if node.module else [])])
