"""The direction of imports: every contract in pyproject.toml is shown broken once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.processes import ROOT, python

BROKEN = {
    "benchmarks -> agents -> envs -> measures -> common, never back": (
        "measures/points.py",
        "import mlds_bench.envs",
    ),
    "the leaderboard reads records alone": (
        "leaderboard/record.py",
        "import torch",
    ),
    "the ground floor imports nobody": (
        "common/processors.py",  # which the leaderboard does not import
        "import torch",
    ),
    "planning knows nothing of running": (
        "benchmarks/plan/presets.py",
        "from mlds_bench.benchmarks.run import events",
    ),
    "environments and agents do not know that results are kept": (
        "agents/base.py",
        "from mlds_bench.leaderboard import record",
    ),
    "of the leaderboard the harness knows records": (
        "benchmarks/run/runner.py",
        "from mlds_bench.leaderboard import tables",
    ),
    "agents know envs.core, never a room": (
        "agents/base.py",
        "from mlds_bench.envs.new_room import env",
    ),
    "measures are pure functions": (
        "measures/points.py",
        "import gymnasium",
    ),
    "rooms never import each other": (
        "envs/new_room/env.py",
        "from mlds_bench.envs.fitting import specs",
    ),
}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """A copy of the package with one more room, which no contract names."""
    shutil.copytree(ROOT / "mlds_bench", tmp_path / "mlds_bench")
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    room = tmp_path / "mlds_bench" / "envs" / "new_room"
    room.mkdir()
    for name in ("__init__.py", "env.py"):
        (room / name).write_text("from __future__ import annotations\n")
    return tmp_path


def lint(folder: Path) -> tuple[int, str]:
    """The exit code and the report of import-linter on the package in a folder."""
    outcome = python(
        "-c",
        "from importlinter.cli import lint_imports_command as lint; lint()",
        "--no-cache",
        cwd=folder,
        PYTHONPATH=str(folder),
    )
    return outcome.returncode, outcome.stdout + outcome.stderr


def test_the_contracts_hold(copy: Path) -> None:
    """The package as it is breaks none, a new room included."""
    code, report = lint(copy)
    assert code == 0, report
    assert report.count(" KEPT") == len(BROKEN)


@pytest.mark.parametrize("contract", BROKEN)
def test_a_broken_contract_is_named(contract: str, copy: Path) -> None:
    """One wrong import breaks one contract."""
    place, line = BROKEN[contract]
    with (copy / "mlds_bench" / place).open("a") as file:
        file.write(f"\n{line}\n")
    code, report = lint(copy)
    assert code == 1, report
    broken = [line for line in report.splitlines() if " BROKEN" in line]
    assert [line.startswith(contract) for line in broken] == [True]
