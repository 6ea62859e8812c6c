"""Where a number comes from: versions, machine, commit."""

from __future__ import annotations

import platform
import subprocess
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

import psutil

import mlds_bench
from mlds_bench.common.processors import available_cores

_ROOT = Path(mlds_bench.__file__).resolve().parents[1]
PACKAGES = ("gymnasium", "numpy", "scipy", "stable-baselines3", "torch")


@dataclass(frozen=True)
class Machine:
    """What a record says of where it was made; gathered once per run."""

    package_version: str
    git_commit: str | None
    python: str
    packages: dict[str, str]
    hardware: dict[str, Any]


@cache
def examine_machine(device: str = "cpu") -> Machine:
    """Of this process and machine.

    Args:
        device: torch device of the agents; unless it is the processor, the hardware names it.
    """
    accelerator = {} if device == "cpu" else {"accelerator": _accelerator(device)}
    return Machine(
        package_version=mlds_bench.__version__,
        git_commit=_git_commit(),
        python=platform.python_version(),
        packages={name: version(name) for name in PACKAGES},
        hardware={
            "cpu": _processor(),
            "cores": available_cores(),
            "memory_mb": psutil.virtual_memory().total // 2**20,
            "platform": f"{platform.system()} {platform.machine()}",
            **accelerator,
        },
    )


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text(errors="replace").splitlines():
            name, _, value = line.partition(":")
            if name.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _accelerator(device: str) -> str:
    import torch

    is_cuda = torch.device(device).type == "cuda"
    return torch.cuda.get_device_name(device) if is_cuda else device


def is_checkout() -> bool:
    """Whether the package runs from a checkout of its repository."""
    return (_ROOT / ".git").exists()


def _git_commit() -> str | None:
    """Commit of the checkout that the package runs from; None when it was installed.

    Git is told that the folder is safe: it need not belong to whoever runs the package.
    """
    if not is_checkout():
        return None
    command = ["git", "-c", f"safe.directory={_ROOT}", "-C", str(_ROOT), "rev-parse", "HEAD"]
    try:
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
    except OSError:
        return None
    return answer.stdout.strip() or None
