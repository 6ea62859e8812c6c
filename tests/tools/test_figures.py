"""Figures in the prose of pages come from records."""

from __future__ import annotations

from statistics import median

import pytest

from tests.results.committed import of
from tools.figures import NoSuchFigure, figure, filled_in

PPO = "standard hw4-1/pong ppo"


def test_a_figure_is_what_the_records_say() -> None:
    """Against the same records, read another way."""
    returns = [r.record.test.scores["mean_return"] for r in of("standard", "hw4-1/pong", "ppo")]
    assert figure(f"{PPO} mean_return median") == f"{median(returns):.1f}"
    assert figure(f"{PPO} mean_return range") == f"{min(returns):.1f} to {max(returns):.1f}"
    assert figure(f"{PPO} mean_return seeds") == "five"
    assert figure(f"{PPO} mean_return points") == f"{100 * median(returns):.2f}"
    passed = sum(value >= 3.0 for value in returns)
    assert figure(f"{PPO} mean_return passed") == f"{passed} of 5"
    assert figure(f"{PPO} decisions most").endswith("million")


def test_one_after_the_other_is_by_seed() -> None:
    """The three seeds of ppo on Breakout."""
    found = sorted(of("standard", "hw4-2/breakout", "ppo"), key=lambda r: r.record.seed)
    first, second, third = (f"{r.record.test.scores['mean_life_return']:.1f}" for r in found)
    text = figure("standard hw4-2/breakout ppo mean_life_return each")
    assert text == f"{first}, {second} and {third}"


def test_a_page_is_filled_in_and_nothing_else_changes() -> None:
    """What stood there before does not matter; a filled page stays as it is."""
    page = f"of <!-- = {PPO} mean_return median -->999<!-- / --> points"
    filled = filled_in(page)
    assert "999" not in filled
    assert filled.startswith("of <!-- = ")
    assert filled.endswith("<!-- / --> points")
    assert filled_in(filled) == filled


@pytest.mark.parametrize(
    "words",
    [
        "standard hw4-1/pong nobody mean_return median",
        f"{PPO} no_score median",
        f"{PPO} mean_return middle",
    ],
)
def test_a_figure_without_a_record_is_refused(words: str) -> None:
    """One line says which."""
    with pytest.raises(NoSuchFigure):
        figure(words)
