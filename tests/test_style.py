"""House rules that no linter knows: sizes, docstrings, and what the text may not mention."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeAlias

import pytest

from tests.processes import ROOT

Definition: TypeAlias = ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef

MOST_LINES_OF_A_FILE = 400
MOST_LINES_OF_A_FUNCTION = 60

SOURCES = sorted((ROOT / "mlds_bench").rglob("*.py"))
DOCUMENTED = [
    path for path in SOURCES if path.parts[len(ROOT.parts) + 1] in {"envs", "agents", "measures"}
]


def name_of(path: Path) -> str:
    """The path from the repository's root, as the test's id."""
    return str(path.relative_to(ROOT))


def definitions(tree: ast.AST) -> Iterator[Definition]:
    """All functions and classes, however deep."""
    for node in ast.walk(tree):
        if isinstance(node, Definition):
            yield node


def public(body: list[ast.stmt]) -> Iterator[Definition]:
    """Public names of a module and of its public classes, in order."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield node
            if isinstance(node, ast.ClassDef):
                yield from public(node.body)


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_files_and_functions_stay_short(path: Path) -> None:
    """No file over 400 lines, no function over 60."""
    text = path.read_text()
    assert len(text.splitlines()) <= MOST_LINES_OF_A_FILE
    for node in definitions(ast.parse(text)):
        length = (node.end_lineno or node.lineno) - node.lineno + 1
        assert isinstance(node, ast.ClassDef) or length <= MOST_LINES_OF_A_FUNCTION, node.name


@pytest.mark.parametrize("path", DOCUMENTED, ids=name_of)
def test_public_names_have_docstrings(path: Path) -> None:
    """A module of environments, agents or measures explains itself and every public name in it."""
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    missing = [node.name for node in public(tree.body) if not ast.get_docstring(node)]
    assert missing == []


@pytest.mark.parametrize("path", SOURCES, ids=name_of)
def test_no_forbidden_library_is_imported(path: Path) -> None:
    """Libraries that cannot be imported beside a CPU build of torch are used nowhere."""
    imported: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            imported |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            imported.add(node.module.split(".")[0])
    forbidden = {"torchvision", "torchmetrics", "torch_fidelity", "cleanfid", "backpack"}
    assert not imported & (forbidden | {"curvlinops"})
