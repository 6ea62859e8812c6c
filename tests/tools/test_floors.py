"""Declared floors: complete, and not above what results were made with."""

from __future__ import annotations

import re

import pytest
from packaging.version import Version

from tests.processes import ROOT
from tools.floors import floors

FLOORS = floors(("dev",))
PINS = dict(
    re.findall(r"^([\w.-]+)==([^\s;]+)", (ROOT / "constraints.txt").read_text("utf-8"), re.M)
)


def plain(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("name", FLOORS)
def test_a_floor_is_not_above_what_is_pinned(name: str) -> None:
    """constraints.txt satisfies pyproject.toml."""
    pinned = {plain(pin): number for pin, number in PINS.items()}
    assert Version(FLOORS[name]) <= Version(pinned[plain(name)])


def test_what_the_lowest_versions_were_found_to_need() -> None:
    """Tried in an environment of the lowest versions: below these, commands or pip fail.

    Before 1.4 Gymnasium's resets take no mask, and SyncVectorEnv writes into our metadata; before
    2.9 Stable-Baselines3 refuses such a Gymnasium; pandas 2.2.0 was built for numpy 1; typer 0.15
    breaks --help beside today's click.
    """
    needed = {"gymnasium": "1.4", "stable-baselines3": "2.9", "pandas": "2.2.2", "typer": "0.16"}
    for name, least in needed.items():
        assert Version(FLOORS[name]) >= Version(least)


def test_a_dependency_without_a_floor_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or pip could install any version of it."""
    monkeypatch.setattr("tools.floors.FLOOR", re.compile(r"(?P<name>gymnasium)>=(?P<version>.+)$"))
    with pytest.raises(ValueError, match=r"'ale-py>=[\d.]+' must be of the form name>=version"):
        floors()
