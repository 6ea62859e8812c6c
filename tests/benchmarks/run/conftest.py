"""An agent's file, and a folder for its records."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.benchmarks.run.files import CONSTANT


@pytest.fixture
def mine(tmp_path: Path) -> Path:
    path = tmp_path / "mine.py"
    path.write_text(CONSTANT.format(value=0.1))
    return path


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"
