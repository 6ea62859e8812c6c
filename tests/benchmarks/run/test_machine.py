"""Where a number comes from."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from mlds_bench.benchmarks.run import machine


def commit_of(root: Path, monkeypatch: pytest.MonkeyPatch) -> str | None:
    monkeypatch.setattr(machine, "_ROOT", root)
    return machine._git_commit()


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A repository with one commit."""
    author = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for command in (("init", "-q"), (*author, "commit", "-q", "--allow-empty", "-m", "first")):
        subprocess.run(["git", "-C", str(tmp_path), *command], check=True)
    return tmp_path


def test_a_checkout_of_another_owner_has_its_commit(
    checkout: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Git distrusts it, and is told that it may say what it is."""
    own = commit_of(checkout, monkeypatch)
    assert own is not None
    assert len(own) == 40
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")
    plain = ["git", "-C", str(checkout), "rev-parse", "HEAD"]
    assert subprocess.run(plain, capture_output=True, check=False, env=os.environ).returncode
    assert commit_of(checkout, monkeypatch) == own


def test_an_installed_package_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And is no checkout."""
    assert commit_of(tmp_path, monkeypatch) is None
    assert not machine.is_checkout()
