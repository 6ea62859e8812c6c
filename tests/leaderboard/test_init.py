from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest

import mlds_bench.leaderboard
from mlds_bench.leaderboard.record import NoRecords, record_path
from tests.leaderboard.factory import make_record, make_result, store

SOURCE = Path(mlds_bench.leaderboard.__file__)


def test_the_public_names_are_these() -> None:
    """The package itself offers one function; the rest is asked for by module."""
    assert mlds_bench.leaderboard.__all__ == ["load"]


def test_the_link_at_the_top_is_refused() -> None:
    """A second import of the same code under the name of the link stops with the right name."""
    spec = importlib.util.spec_from_file_location("leaderboard", SOURCE)
    assert spec is not None
    assert spec.loader is not None
    with pytest.raises(ImportError, match=r"import mlds_bench\.leaderboard instead"):
        spec.loader.exec_module(importlib.util.module_from_spec(spec))


def test_load_gives_a_row_per_record(tmp_path: Path) -> None:
    """All records below a folder as a pandas frame, in order of path."""
    store(tmp_path, make_result(-3.0, seed=1), make_result(seed=0), make_result(agent="wide"))
    frame = mlds_bench.leaderboard.load(tmp_path)
    assert isinstance(frame, pd.DataFrame)
    assert frame["agent"].tolist() == ["deep", "deep", "wide"]
    assert frame["score.log10_mse"].tolist() == [-2.0, -3.0, -2.0]


def test_load_names_a_torn_record(tmp_path: Path) -> None:
    """A torn file is listed and does not stop the loading; a missing folder does."""
    store(tmp_path, make_result())
    torn = record_path(tmp_path, make_record(seed=1))
    torn.write_text("{")
    frame = mlds_bench.leaderboard.load(tmp_path)
    assert frame["seed"].tolist() == [0]
    (problem,) = frame.attrs["problems"]
    assert "seed-1.json: not a JSON document" in problem
    with pytest.raises(NoRecords, match="no such folder"):
        mlds_bench.leaderboard.load(tmp_path / "elsewhere")


def test_the_leaderboard_asks_for_no_other_part() -> None:
    """All its modules load no learning framework and no room, agent or harness."""
    modules = sorted(path.stem for path in SOURCE.parent.glob("*.py") if path.stem != "__init__")
    code = (
        "import importlib, sys, mlds_bench\nbefore = set(sys.modules)\n"
        f"for name in {modules}: importlib.import_module(f'mlds_bench.leaderboard.{{name}}')\n"
        "new = set(sys.modules) - before\n"
        "parts = ('torch', 'gymnasium', 'stable_baselines3', 'mlds_bench.envs', "
        "'mlds_bench.agents', 'mlds_bench.benchmarks')\n"
        "print(*sorted(name for name in new if name.startswith(parts)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60
    )
    assert done.stdout.split() == []
