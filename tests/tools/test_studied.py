"""Tables of studies: their means, with published figures in brackets."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools import studied
from tools.studied import filled_in, table


def test_a_row_is_a_case(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What others published stands beside the own figure, where they did."""
    monkeypatch.setattr(studied, "STUDIES", tmp_path)
    content = {
        "mean": {"256": {"accuracy": 0.98, "sharpness": 81.9}, "6000": {"accuracy": 0.97}},
        "published": {"256": {"sharpness": 1.23}},
    }
    content["mean"]["6000"]["sharpness"] = 4407.24
    (tmp_path / "batches.json").write_text(json.dumps(content))
    expected = [
        "| case | accuracy | sharpness |",
        "| ---: | ---: | ---: |",
        "| 256 | 0.980 | 81.9 [1.23] |",
        "| 6000 | 0.970 | 4,410 |",
    ]
    assert table("batches").splitlines() == expected
    page = "x <!-- begin: study batches -->\nold\n<!-- end --> y"
    filled = filled_in(page)
    assert table("batches") in filled
    assert filled == filled_in(filled)


def test_every_study_on_a_page_is_there() -> None:
    """The committed ones."""
    for page in studied.STUDIES.parent.glob("*.md"):
        for match in studied.TABLE.finditer(page.read_text(encoding="utf-8")):
            assert table(match[2])
