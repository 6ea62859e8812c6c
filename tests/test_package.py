"""The package as a whole: what is installed, linked, guarded and built."""

from __future__ import annotations

import tomllib
import zipfile
from importlib.metadata import version
from pathlib import Path

import pytest

import mlds_bench
from tests.processes import ROOT, python
from tools.wheel_check import build_wheel

PACKAGE = ROOT / "mlds_bench"
FOLDERS = ("envs", "agents", "benchmarks", "leaderboard")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def test_the_version_is_that_of_the_project() -> None:
    """One number: in pyproject.toml, in the installed metadata, in the module, in the CHANGELOG."""
    assert mlds_bench.__version__ == version("mlds-bench") == PROJECT["project"]["version"]
    assert mlds_bench.__version__ in (ROOT / "CHANGELOG.md").read_text()


def test_types_are_offered() -> None:
    """The package says that its annotations may be used."""
    assert (PACKAGE / "py.typed").read_text() == ""


@pytest.mark.parametrize("name", FOLDERS)
def test_top_level_names_are_links(name: str) -> None:
    """The promised top-level folders are relative links to the package's."""
    link = ROOT / name
    assert link.is_symlink()
    assert link.readlink() == Path("mlds_bench") / name


@pytest.mark.parametrize("name", FOLDERS)
@pytest.mark.parametrize("form", ["import {}", "from {} import core"])
def test_a_bare_import_is_refused(name: str, form: str) -> None:
    """Beside the links `import envs` would load the code twice; the line names the right import."""
    outcome = python("-c", form.format(name), cwd=ROOT)
    assert outcome.returncode == 1
    last = outcome.stderr.strip().splitlines()[-1]
    assert last.startswith("ImportError: ")
    assert f"import mlds_bench.{name}" in last


def test_importing_the_package_is_light() -> None:
    """`import mlds_bench` registers every id and loads no learning framework and no room."""
    heavy = ("torch", "stable_baselines3", "pandas", "scipy", "matplotlib")
    code = (
        "import sys, mlds_bench, gymnasium;"
        "from mlds_bench.envs.registry import ENVIRONMENTS;"
        "assert ENVIRONMENTS.keys() <= gymnasium.registry.keys();"
        f"print(*(name for name in {heavy} if name in sys.modules),"
        "*(name for name in sys.modules if name.startswith('mlds_bench.envs.')))"
    )
    outcome = python("-c", code)
    assert (outcome.stdout.split(), outcome.stderr) == (["mlds_bench.envs.registry"], "")


def test_the_leaderboard_loads_no_learning_framework() -> None:
    """Tables are made where no torch is installed."""
    code = (
        "import sys, mlds_bench.leaderboard.tables, mlds_bench.leaderboard.frame;"
        "print(*(name for name in ('torch', 'stable_baselines3') if name in sys.modules))"
    )
    outcome = python("-c", code)
    assert (outcome.stdout.strip(), outcome.returncode) == ("", 0), outcome.stderr


def test_every_dependency_is_pinned_exactly() -> None:
    """What results were made with is fixed: exact public versions, torch among them."""
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pins = dict(line.split(";")[0].split("==") for line in lines if not line.startswith("#"))
    assert pins["torch"] == "2.13.0"
    assert not [name for name, pin in pins.items() if "+" in pin]
    extras = PROJECT["project"]["optional-dependencies"].values()
    wanted = [*PROJECT["project"]["dependencies"], *(name for extra in extras for name in extra)]
    known = {name.lower().replace("_", "-") for name in pins}
    assert {name.split(">=")[0] for name in wanted} <= known


def test_the_wheel_holds_the_package_and_nothing_else(tmp_path: Path) -> None:
    """Every source and data file once, under the package's name; no tests, no linked folders."""
    with zipfile.ZipFile(build_wheel(tmp_path)) as wheel:
        packed = {name for name in wheel.namelist() if ".dist-info/" not in name}
        metadata = {Path(name).name for name in wheel.namelist() if ".dist-info/" in name}
    here = {
        path.relative_to(ROOT).as_posix()
        for path in PACKAGE.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    assert packed == here
    assert metadata == {"METADATA", "WHEEL", "RECORD", "entry_points.txt", "LICENSE"}
