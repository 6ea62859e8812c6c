"""What a study leaves behind: its numbers beside the pages, and how they were got."""

from __future__ import annotations

import json
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from time import perf_counter, process_time
from typing import Any

import torch

from mlds_bench.leaderboard.record import replace_file

PAGES = Path(__file__).parents[2] / "docs" / "environments"
PACKAGES = ("torch", "numpy", "scipy", "scikit-learn")
SIGNIFICANT = 6


class Report:
    """The clock of a study, and its file.

    Args:
        name: of the study: of its module and of its file.
    """

    def __init__(self, name: str) -> None:
        torch.set_num_threads(1)
        self.name = name
        self._start = perf_counter()

    @property
    def path(self) -> Path:
        """Where the study's numbers go."""
        return PAGES / "studies" / f"{self.name}.json"

    @property
    def picture(self) -> Path:
        """Where the study's picture goes."""
        return PAGES / "pictures" / f"study-{self.name.replace('_', '-')}.png"

    def say(self, text: str) -> None:
        """One line of progress."""
        print(f"{perf_counter() - self._start:6.0f} s  {text}", flush=True)

    def read(self) -> dict[str, Any]:
        """The numbers as they were last written."""
        content: dict[str, Any] = json.loads(self.path.read_text())
        return content

    def write(self, content: Mapping[str, Any]) -> Path:
        """Write the numbers, rounded to six digits, and return the path."""
        whole = {
            "study": self.name,
            "command": f"python -m tools.studies.{self.name}",
            **content,
            "seconds": round(perf_counter() - self._start, 1),
            "processor_seconds": round(process_time(), 1),
            "threads": torch.get_num_threads(),
            "versions": {
                "python": platform.python_version(),
                **{package: version(package) for package in PACKAGES},
            },
        }
        replace_file(self.path, json.dumps(_rounded(whole), indent=1, allow_nan=False) + "\n")
        return self.path


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return float(f"{value:.{SIGNIFICANT}g}")
    if isinstance(value, Mapping):
        return {key: _rounded(entry) for key, entry in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(entry) for entry in value]
    return value
