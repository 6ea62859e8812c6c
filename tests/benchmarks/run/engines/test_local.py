"""Worker processes: what they have around them, and what their caller keeps."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from mlds_bench.benchmarks.run.surroundings import SURROUNDINGS
from tests.benchmarks.short import run_quietly, short_cells

TELLING = """
import os
class Telling:
    def learn(self, env, budget):
        print({name: os.environ.get(name) for name in %r})
    def act(self, obs):
        return obs * 0
"""


def test_the_callers_environment_stays_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Cells have their surroundings; whoever runs them from Python keeps their own threads."""
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    before, handler = dict(os.environ), signal.getsignal(signal.SIGINT)
    (tmp_path / "telling.py").write_text(TELLING % sorted(SURROUNDINGS))
    cells = short_cells(tmp_path / "telling.py")
    assert [one.state for one in run_quietly(cells, tmp_path).records] == ["ok"]
    assert dict(os.environ) == before
    assert signal.getsignal(signal.SIGINT) is handler
    log = cells[0].path(tmp_path).with_suffix("") / "log.txt"
    assert "'MKL_NUM_THREADS': '1'" in log.read_text()
