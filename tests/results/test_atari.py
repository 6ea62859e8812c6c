"""What the committed results of homework 4 show."""

from __future__ import annotations

from pathlib import Path
from statistics import median

import pytest

from mlds_bench.benchmarks.trained import Trained
from mlds_bench.leaderboard.record import Record, artifact_folder, read_records, record_path

RESULTS = Path(__file__).parents[2] / "results"
MOST_BYTES = 2_000_000
"""Of the weights of one agent."""


@pytest.fixture(scope="module")
def records() -> list[Record]:
    return [r for r in read_records(RESULTS) if r.variant.startswith("hw4-")]


def of(records: list[Record], variant: str, agent: str) -> list[Record]:
    return [r for r in records if (r.preset, r.variant, r.agent) == ("standard", variant, agent)]


def test_ppo_passes_pong_within_ten_minutes_on_two_cores(records: list[Record]) -> None:
    """In the median of five seeds: thirty games of the test, above 3."""
    ours = of(records, "hw4-1/pong", "ppo")
    assert {record.seed for record in ours} == {0, 1, 2, 3, 4}
    assert median(record.scores["mean_return"] for record in ours) > 3.0
    assert {record.scores["games"] for record in ours} == {30.0}
    assert max(record.train_seconds or 0.0 for record in ours) < 600.0
    assert {(record.hardware["cores"], record.threads) for record in ours} == {(2, 2)}


def test_ppo_is_far_above_it_within_half_an_hour(records: list[Record]) -> None:
    """Above 15, of the same test."""
    ours = of(records, "hw4-3/pong", "ppo")
    assert median(record.scores["mean_return"] for record in ours) > 15.0
    assert {record.scores["games"] for record in ours} == {30.0}
    assert {record.budget.seconds for record in ours} == {1800.0}
    assert {(record.hardware["cores"], record.threads) for record in ours} == {(2, 2)}


def test_ppo_passes_breakout_within_an_hour_on_two_cores(records: list[Record]) -> None:
    """A hundred lives of the test, above 40 a life."""
    ours = of(records, "hw4-2/breakout", "ppo")
    assert median(record.scores["mean_life_return"] for record in ours) > 40.0
    assert {record.scores["lives"] for record in ours} == {100.0}
    assert {record.budget.seconds for record in ours} == {3600.0}
    assert {(record.hardware["cores"], record.threads) for record in ours} == {(2, 2)}


def test_n_step_passes_breakout_within_three_hours(records: list[Record]) -> None:
    """One of the DQN family does: a hundred lives of the test, above 40 a life."""
    ours = of(records, "hw4-2/breakout", "n-step")
    assert median(record.scores["mean_life_return"] for record in ours) > 40.0
    assert {record.scores["lives"] for record in ours} == {100.0}
    assert {record.budget.seconds for record in ours} == {10_800.0}


def test_random_players_measure_their_anchors(records: list[Record]) -> None:
    """Within the noise of the games of a test."""
    players = [record for record in records if record.agent == "random"]
    assert len({record.variant for record in players}) == 4
    for record in players:
        assert record.normalized == pytest.approx(0.0, abs=0.03), record.variant


def test_weights_are_small_and_lie_beside_their_records(records: list[Record]) -> None:
    """At most 2 MB an agent; one set a variant and agent, of its best seed."""
    kept = {}
    for record in records:
        folder = artifact_folder(record_path(RESULTS, record))
        if folder.is_dir():
            one = Trained(record, folder)
            name = record.preset, record.variant, record.agent
            assert 0 < sum(path.stat().st_size for path in one.files) <= MOST_BYTES, one.origin
            assert name not in kept, one.origin
            kept[name] = record
    assert kept
    for record in kept.values():
        others = of(records, record.variant, record.agent)
        assert record.scores[record.primary] == max(r.scores[r.primary] for r in others)
