"""Which published curves belong to which variants."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlds_bench.benchmarks.plan import reference
from mlds_bench.benchmarks.plan.reference import GAMES, published_curves
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.common.data.dopamine import ReferenceCurve
from mlds_bench.common.data.store import MissingData, TornData


def test_the_table_names_variants_of_pong() -> None:
    assert set(GAMES) == {name for name in VARIANTS if name.endswith("/pong")}
    assert set(GAMES.values()) == {"pong"}


def test_every_variant_gets_the_curves_of_its_game(monkeypatch: pytest.MonkeyPatch) -> None:
    steps = np.array([1.0, 2.0])
    monkeypatch.setattr(reference, "load_curves", lambda g: [ReferenceCurve(g, steps, -steps)])
    labels = {name: [curve.label for curve in found] for name, found in published_curves().items()}
    assert labels == {"hw4-1/pong": ["pong"], "hw4-3/pong": ["pong"]}


def test_absent_data_are_no_curves_and_torn_data_are_said(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(error: Exception) -> Any:
        raise error

    monkeypatch.setattr(reference, "load_curves", lambda _: fail(MissingData("not here")))
    assert published_curves() == {}
    monkeypatch.setattr(reference, "load_curves", lambda _: fail(TornData("torn")))
    with pytest.raises(TornData, match="torn"):
        published_curves()
