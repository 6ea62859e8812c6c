"""Goldens are refreshed where the version is another, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.agents.goldens import check
from tests.agents.goldens.cases import CASES
from tests.agents.goldens.check import Golden
from tools import goldens as tool
from tools.goldens import refreshed

OLD = Golden(1, [3.0, 2.0, 1.0])


@pytest.mark.parametrize(
    ("old", "new", "kept", "refused"),
    [
        (OLD, Golden(1, [3.0001, 2.0, 1.0]), "old", False),
        (OLD, Golden(1, [4.0, 2.0, 1.0]), "old", True),
        (OLD, Golden(2, [4.0, 2.0, 1.0]), "new", False),
        (OLD, Golden(2, [3.0, 2.0, 1.0]), "new", False),
        (None, Golden(1, [3.0, 2.0, 1.0]), "new", False),
    ],
)
def test_numbers_change_with_the_version_alone(
    old: Golden | None, new: Golden, kept: str, refused: bool
) -> None:
    """Rounding is no reason to write, and new behavior under the old version is refused."""
    goldens, complaints = refreshed({"ppo": old} if old else {}, {"ppo": new})
    assert goldens == {"ppo": old if kept == "old" else new}
    assert ["raise the version of ppo" in line for line in complaints] == [True] * refused


def test_what_is_written_is_read_back(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """To the last digit, one line per agent."""
    monkeypatch.setattr(check, "FILE", tmp_path / "goldens.json")
    goldens = {name: Golden(1, [k / 3.0, -1e-9, 0.0]) for k, name in enumerate(CASES)}
    check.write(goldens)
    assert check.stored() == goldens
    assert len((tmp_path / "goldens.json").read_text().splitlines()) == len(CASES) + 2


def test_the_exit_code_says_whether_all_is_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing to say is success; a refused agent is not."""
    monkeypatch.setattr(check, "FILE", tmp_path / "goldens.json")
    check.write(dict.fromkeys(CASES, OLD))
    monkeypatch.setattr(tool, "today", lambda name: OLD)
    assert tool.main() is None
    monkeypatch.setattr(tool, "today", lambda name: Golden(1, [4.0, 2.0, 1.0]))
    assert "raise the version of ppo" in (tool.main() or "")
    assert check.stored()["ppo"] == OLD
