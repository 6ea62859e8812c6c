"""The processor cores that this process may use."""

from __future__ import annotations

import os
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")
MEMBERSHIP = Path("/proc/self/cgroup")


def available_cores() -> int:
    """Processor cores that this process may use: those it may run on, within a container's quota.

    A quota of half a core counts as one core, one and a half as one: what starts more than the
    quota holds is slowed down, all of it.
    """
    has_affinity = hasattr(os, "sched_getaffinity")
    cores = len(os.sched_getaffinity(0)) if has_affinity else os.cpu_count() or 1
    return max(1, min(cores, int(cpu_quota())))


def cpu_quota(root: Path = CGROUPS, membership: Path = MEMBERSHIP) -> float:
    """The processor time per second that control groups allow, in cores; 1024 without a limit.

    Args:
        root: where control groups are mounted.
        membership: the file that says to which groups this process belongs.
    """
    quotas = [quota for group in _groups(root, membership) for quota in [_quota(group)] if quota]
    return min(quotas, default=1024.0)


def _groups(root: Path, membership: Path) -> list[Path]:
    """The folders of this process's groups and of all groups around them, as far as they show."""
    groups = [root, root / "cpu"]
    for line in _read(membership).splitlines():
        number, _, rest = line.partition(":")
        controllers, _, place = rest.partition(":")
        if number != "0" and "cpu" not in controllers.split(","):
            continue
        mounted = root if number == "0" else root / "cpu"
        inner = mounted / place.strip("/")
        groups += [inner, *(parent for parent in inner.parents if parent.is_relative_to(mounted))]
    return groups


def _quota(group: Path) -> float | None:
    """Quota of one group, in cores, as either version of control groups writes it."""
    words = _read(group / "cpu.max").split() or [
        *_read(group / "cpu.cfs_quota_us").split(),
        *_read(group / "cpu.cfs_period_us").split(),
    ]
    try:
        quota, period = map(int, words)
    except ValueError:  # "max", or nothing there
        return None
    return quota / period if quota > 0 and period > 0 else None


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
