"""The page about records says what is in them."""

from __future__ import annotations

import re

import pytest
from pydantic import BaseModel

from mlds_bench.leaderboard.curves import EPISODES, WINDOW
from mlds_bench.leaderboard.record import Cost, CurvePoint, Provenance, Record, Task, Training
from mlds_bench.leaderboard.schema import NORMALIZED_BOUNDS
from tests.processes import ROOT

PAGE = (ROOT / "docs" / "records.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("model", [Task, Record, Training, Cost, CurvePoint, Provenance])
def test_every_field_is_on_the_page(model: type[BaseModel]) -> None:
    """A field that is added without a word about it is found here."""
    assert set(model.model_fields) - set(re.findall(r"`(\w+)`", PAGE)) == set()


def test_the_page_has_the_numbers_of_the_code() -> None:
    low, high = NORMALIZED_BOUNDS
    assert f"within [{low:g}, {high:g}]" in PAGE
    assert f"the last {EPISODES} training episodes" in PAGE
    assert f"of the last {WINDOW} points" in PAGE
