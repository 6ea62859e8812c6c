"""Stored numbers against today's: behavior that changes needs a new version, and new numbers."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np

from mlds_bench.agents.registry import resolve
from tests.agents.goldens.cases import CASES, Numbers

FILE = Path(__file__).with_name("goldens.json")
TOLERANCE = 1e-4
"""Of each number, as a share of the largest of its three. Processors of other instruction sets and
other numbers of threads have differed by less than 1e-5."""


@dataclass(frozen=True)
class Golden:
    """What an agent's numbers were under a version."""

    version: int
    numbers: Numbers


def stored() -> dict[str, Golden]:
    """The committed goldens, by the names of agents."""
    return {name: Golden(**golden) for name, golden in json.loads(FILE.read_text()).items()}


def today(name: str) -> Golden:
    """The golden of an agent as its code is now."""
    spec = resolve(name)
    assert spec.version is not None
    return Golden(spec.version, CASES[name](spec.load()))


def write(goldens: dict[str, Golden]) -> None:
    """Store goldens, one line per agent."""
    lines = [f"{json.dumps(name)}: {json.dumps(asdict(goldens[name]))}" for name in CASES]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def differs(old: Numbers, new: Numbers) -> bool:
    """Whether two sets of numbers are further apart than processors make them."""
    if len(old) != len(new):
        return True
    before, after = (np.reshape(numbers, (-1, 3)) for numbers in (old, new))
    bound = TOLERANCE * np.abs(before).max(axis=1, keepdims=True)
    return not bool((np.abs(after - before) <= bound).all())


def complaint(name: str, old: Golden | None, new: Golden) -> str | None:
    """One line if a golden is missing, outdated, or not reached; None if all is well."""
    refresh = "refresh with `python -m tools.goldens`"
    if old is None:
        return f"{name} has no golden: {refresh}"
    if old.version != new.version:
        return f"{name} has version {new.version}, its golden {old.version}: {refresh}"
    if differs(old.numbers, new.numbers):
        return (
            f"{name} behaves differently under version {new.version} (numbers {new.numbers}, "
            f"golden {old.numbers}): raise the version of {name} and {refresh}"
        )
    return None
