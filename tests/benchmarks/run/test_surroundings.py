"""The environment variables of a cell, and how a script enters them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlds_bench.benchmarks.run.surroundings import SURROUNDINGS

MODULE = """
import json, os, sys
from mlds_bench.benchmarks.run.surroundings import SURROUNDINGS, enter_surroundings
if __name__ == "__main__":
    enter_surroundings()
    print(json.dumps({name: os.environ[name] for name in SURROUNDINGS}), *sys.argv[1:])
"""


@pytest.mark.parametrize("threads", ["1", "7"])
def test_a_module_begins_anew_with_the_variables_of_a_cell(tmp_path: Path, threads: str) -> None:
    """Whatever they were before, and with the words of its command line."""
    (tmp_path / "measured.py").write_text(MODULE)
    ended = subprocess.run(
        [sys.executable, "-m", "measured", "word"],
        env={**os.environ, "OMP_NUM_THREADS": threads, "PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ended.stdout.count("word") == 1
    for name, value in SURROUNDINGS.items():
        assert f'"{name}": "{value}"' in ended.stdout
