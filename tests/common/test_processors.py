"""How many cores a process may use, also in a container."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mlds_bench.common import processors
from mlds_bench.common.processors import available_cores, cpu_quota


def groups(root: Path, membership: str, files: dict[str, str]) -> tuple[Path, Path]:
    """A tree of control groups, and the file that says where a process stands in it."""
    for name, content in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(content)
    (root / "membership").write_text(membership)
    return root, root / "membership"


@pytest.mark.parametrize(
    ("membership", "files", "cores"),
    [
        ("0::/\n", {"cpu.max": "50000 100000\n"}, 0.5),
        ("0::/\n", {"cpu.max": "max 100000\n"}, 1024.0),
        ("0::/a/b\n", {"a/cpu.max": "150000 100000", "a/b/cpu.max": "max 100000"}, 1.5),
        (
            "4:cpu,cpuacct:/box\n",
            {"cpu/box/cpu.cfs_quota_us": "200000", "cpu/box/cpu.cfs_period_us": "100000"},
            2.0,
        ),
        ("4:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1", "cpu/cpu.cfs_period_us": "100000"}, 1024.0),
        ("4:memory:/box\n", {"cpu.max": "nonsense"}, 1024.0),
        ("", {}, 1024.0),
    ],
)
def test_a_quota_is_read_from_either_version(
    tmp_path: Path, membership: str, files: dict[str, str], cores: float
) -> None:
    """The smallest of the groups around the process counts."""
    assert cpu_quota(*groups(tmp_path, membership, files)) == cores


@pytest.mark.parametrize(("quota", "cores"), [(0.5, 1), (1.5, 1), (2.0, 2), (1024.0, 4)])
def test_cores_fit_into_the_quota(
    monkeypatch: pytest.MonkeyPatch, quota: float, cores: int
) -> None:
    """Half a core is one; more than there are is all there are."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(4)), raising=False)
    monkeypatch.setattr(processors, "cpu_quota", lambda: quota)
    assert available_cores() == cores
