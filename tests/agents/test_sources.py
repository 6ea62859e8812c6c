from __future__ import annotations

from pathlib import Path

import pytest

from mlds_bench.agents.sources import (
    Scope,
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
)


def write(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.fixture
def package(tmp_path: Path) -> Scope:
    """A package whose agent imports absolutely, relatively, lazily and from its parents."""
    write(
        tmp_path / "pkg",
        {
            "__init__.py": "from pkg.version import VERSION",
            "version.py": "VERSION = 1",
            "sub/__init__.py": "",
            "sub/agent.py": "import numpy\nfrom . import losses\nfrom ..nets.mlp import Net\n"
            "def late():\n    import pkg.late",
            "sub/losses.py": "from math import sqrt",
            "nets/__init__.py": "",
            "nets/mlp.py": "from pkg.sub import losses",
            "late.py": "",
            "unused.py": "",
        },
    )
    return Scope((tmp_path / "pkg",), stands_for=1, prefix="pkg")


def test_the_closure_is_what_importing_the_agent_runs(package: Scope) -> None:
    """Own modules and the packages around them, once each; neither strangers nor the unused."""
    assert sorted(closure("pkg.sub.agent", package)) == [
        "pkg",
        "pkg.late",
        "pkg.nets",
        "pkg.nets.mlp",
        "pkg.sub",
        "pkg.sub.agent",
        "pkg.sub.losses",
        "pkg.version",
    ]


def test_a_prefix_keeps_the_closure_inside_a_part_of_the_package(package: Scope) -> None:
    """With a narrower prefix the rest of the package is somebody else's code."""
    narrow = Scope(package.folders, stands_for=1, prefix="pkg.sub")
    assert sorted(closure("pkg.sub.agent", narrow)) == [
        "pkg.sub",
        "pkg.sub.agent",
        "pkg.sub.losses",
    ]


def test_the_closure_of_a_file_takes_its_siblings(tmp_path: Path) -> None:
    """Siblings are modules and packages in the same folder, and theirs."""
    write(
        tmp_path,
        {
            "agent.py": "import numpy, helper\nfrom parts import wheel",
            "helper.py": "import json",
            "parts/__init__.py": "",
            "parts/wheel.py": "import helper",
            "other.py": "",
        },
    )
    found = closure("agent", Scope((tmp_path,)))
    assert sorted(found) == ["agent", "helper", "parts", "parts.wheel"]


def test_the_digest_knows_every_byte_name_and_word(tmp_path: Path) -> None:
    """Another content, another name or another word beside the files is another digest."""
    one = write(tmp_path, {"a.py": "x = 1", "b.py": "x = 1", "c.py": "x = 2"})
    base = digest({"a": read(one / "a.py")})
    assert base == digest({"a": read(one / "b.py")})
    others = {
        digest({"a": read(one / "c.py")}),
        digest({"b": read(one / "a.py")}),
        digest({"a": read(one / "a.py")}, ["sb3==2.0"]),
        digest({"a": read(one / "a.py"), "b": read(one / "b.py")}),
    }
    assert len(others | {base}) == 5


def test_the_agent_class_is_the_one_with_act(tmp_path: Path) -> None:
    """Helper classes do not count where one class acts; a lone class does without act."""
    text = "class Net: pass\nclass Mine:\n    def act(self, obs): return obs\n"
    write(tmp_path, {"a.py": text, "b.py": "from base import Base\nclass Mine(Base): pass"})
    assert agent_class(tmp_path / "a.py") == "Mine"
    assert agent_class(tmp_path / "b.py") == "Mine"
    assert class_names(tmp_path / "a.py") == ["Net", "Mine"]


ACTS = "    def act(self, o): return o\n"


@pytest.mark.parametrize(
    "text",
    [
        f"class Base:\n{ACTS}class Mine(Base): ...",
        f"class Base:\n{ACTS}class Mine(Base):\n{ACTS}",
        f"class Base:\n{ACTS}class Between(Base): ...\nclass Mine(Between): ...\nclass Net: ...",
        f"class Base(Generic[T]):\n{ACTS}class Mine(Base[int]): ...",
        "from base import Base, Net\nclass Mine(Base): ...\nclass Body(Net):\n    x = 1\n",
        "class Net: ...\nclass Mine:\n    act = other\n",
    ],
)
def test_the_leaf_is_meant(tmp_path: Path, text: str) -> None:
    """A class that another one builds on is not run, wherever it got its act."""
    write(tmp_path, {"a.py": text, "base.py": f"import a\nclass Base:\n{ACTS}class Net: ..."})
    assert agent_class(tmp_path / "a.py") == "Mine"


def test_two_leaves_are_asked_about(tmp_path: Path) -> None:
    """The base that they share is not offered."""
    text = f"class Base:\n{ACTS}class A(Base): ...\nclass B(Base): ...\n"
    with pytest.raises(UnknownAgent, match=r"several agent classes \(A, B\): name one, a.py:A say"):
        agent_class(write(tmp_path, {"a.py": text}) / "a.py")


def test_a_sibling_that_is_no_python_does_not_hide_the_others(tmp_path: Path) -> None:
    """It stands in the closure with its bytes, and its digest follows them."""
    write(tmp_path, {"agent.py": "import torn, whole", "torn.py": "def f(:", "whole.py": ""})
    found = closure("agent", Scope((tmp_path,)))
    assert sorted(found) == ["agent", "torn", "whole"]
    before = digest(found)
    (tmp_path / "torn.py").write_text("def f(::")
    assert digest(closure("agent", Scope((tmp_path,)))) != before


def test_a_file_that_cannot_be_read_is_one_line(tmp_path: Path) -> None:
    """With the reason."""
    with pytest.raises(UnknownAgent, match=r"gone.py cannot be read: No such file"):
        read(tmp_path / "gone.py")


@pytest.mark.parametrize(
    ("text", "right"),
    [
        ("from .helper import X, Y", "write from helper import X, Y without the dot"),
        (
            "import os\nfrom . import helper",
            "line 2: a file is in no package, so write import helper",
        ),
        ("from helper import X", ""),
    ],
)
def test_relative_imports_get_a_hint(tmp_path: Path, text: str, right: str) -> None:
    """What to write instead."""
    line = relative_import(write(tmp_path, {"a.py": text}) / "a.py")
    assert right in line if right else not line


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("x = " + "-" * 20_000 + "1", "a.py is nested too deeply for Python"),
        ("x = 1", "a.py has no class: an agent is a class with act("),
        (
            "class A:\n    def act(self, o): ...\nclass B:\n    def act(self, o): ...",
            "a.py has several agent classes (A, B): name one, a.py:A say",
        ),
        ("class A: ...\nclass B: ...", "a.py has several classes, none with act (A, B)"),
        ("def f(:\n", "a.py, line 1: invalid syntax"),
        ("x = 1\0", "a.py"),
    ],
)
def test_a_file_without_one_agent_class_gets_one_line(tmp_path: Path, text: str, line: str) -> None:
    """None, several and a syntax error are told with the file and what to do."""
    with pytest.raises(UnknownAgent) as error:
        agent_class(write(tmp_path, {"a.py": text}) / "a.py")
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_names_are_known_unless_the_source_cannot_tell(tmp_path: Path) -> None:
    """Classes, assignments and imports count; a star or a module __getattr__ hides names."""
    write(
        tmp_path,
        {
            "a.py": "from x import Y as Z\nB = Z\nclass C: ...",
            "star.py": "from x import *",
            "lazy.py": "def __getattr__(name): ...",
        },
    )
    assert {"Z", "B", "C"} <= set(names_in(tmp_path / "a.py") or [])
    assert names_in(tmp_path / "star.py") is None
    assert names_in(tmp_path / "lazy.py") is None


def test_packages_are_found_without_importing_them() -> None:
    """A package, a single module, a built-in module, a hand-made one and nothing at all."""
    scope = package_scope("mlds_bench.agents.base")
    assert scope is not None
    path = scope.find("mlds_bench.agents.base")
    assert path is not None
    assert path.name == "base.py"
    single = package_scope("argparse")
    assert single is not None
    assert list(closure("argparse", single)) == ["argparse"]
    assert [package_scope(name) for name in ("sys", "no_such_package", "")] == [None] * 3


@pytest.mark.parametrize(
    ("change", "counts"),
    [
        ("def f(x):\n    # another comment\n    return x + 1\n", False),
        ('def f(x):\n    """Another docstring,\n    of two lines."""\n    return x + 1\n', False),
        ("def f(x):\n    return (\n        x + 1\n    )\n", True),
        ("def f(x):\n    return x  +  1\n\n\n", False),
        ("def f(x):\n    return x + 2\n", True),
        ("def f(x):\n    return x\n    +1\n", True),
        ('def f(x):\n    return x + "1"\n', True),
    ],
)
def test_the_digest_is_of_what_runs(tmp_path: Path, change: str, counts: bool) -> None:
    """Comments, docstrings and layout do not make results stale; code does."""
    first, second = tmp_path / "first.py", tmp_path / "second.py"
    first.write_text('def f(x):\n    """A docstring."""\n    return x + 1  # a comment\n')
    second.write_text(change)
    assert (digest({"f": read(first)}) != digest({"f": read(second)})) is counts


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("files = ['a.npy']\nclass A: ...", ["a.npy"]),
        ("class A:\n    files = ('a.npy', 'b.npy')", ["a.npy", "b.npy"]),
        (
            "files: list[str] = ['b.npy']\nclass A:\n    files = ['a.npy', 'b.npy']",
            ["b.npy", "a.npy"],
        ),
        ("class B:\n    files = ['a.npy']\nclass A: ...", []),
        ("files = make()\nclass A:\n    files = 3", []),
        ("class A: ...", []),
        ("files = ['a.npy']\nclass A(:", []),
    ],
)
def test_files_that_an_agent_declares_are_found(
    tmp_path: Path, source: str, names: list[str]
) -> None:
    """In its class, or at the top of its file; what is no list of names declares nothing."""
    write(tmp_path, {"mine.py": source, "a.npy": "1", "b.npy": "2"})
    assert declared_files(read(tmp_path / "mine.py"), "A") == [tmp_path / name for name in names]


def test_a_declared_file_that_is_missing_is_named(tmp_path: Path) -> None:
    """Before anything runs, in one line."""
    write(tmp_path, {"mine.py": "files = ['weights.npy']\nclass A: ..."})
    with pytest.raises(UnknownAgent, match=r"mine\.py says that it reads .*/weights\.npy, and"):
        declared_files(read(tmp_path / "mine.py"), "A")


def test_the_digest_of_a_file_is_that_of_its_content(tmp_path: Path) -> None:
    """The first lines of every table of sha256."""
    (tmp_path / "empty").touch()
    assert file_digest(tmp_path / "empty").startswith("e3b0c44298fc1c149afbf4c8996fb924")


def test_a_sibling_is_no_part_of_the_standard_library(tmp_path: Path) -> None:
    """What is called random, json or string beside an agent is not what it imports."""
    write(tmp_path, {"mine.py": "import json, helper", "json.py": "", "helper.py": ""})
    assert sorted(closure("mine", Scope((tmp_path,)))) == ["helper", "mine"]
