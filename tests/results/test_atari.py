"""What the committed results of homework 4 show."""

from __future__ import annotations

import re
from pathlib import Path
from statistics import median

import pytest

from mlds_bench.benchmarks.plan.trained import Trained
from mlds_bench.leaderboard.record import Record, artifact_folder, read_records, record_path
from tools.weights import MOST_BYTES

RESULTS = Path(__file__).parents[2] / "results"


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


def test_ppo_passes_pong_in_a_fifth_of_the_time_of_stable_baselines3(
    records: list[Record],
) -> None:
    """Theirs, with the zoo's settings, has not passed when it has had five times our time."""
    ours = of(records, "hw4-1/pong", "ppo")
    (theirs,) = of(records, "hw4-1/pong", "sb3:PPO@zoo=true")
    assert theirs.scores["mean_return"] < 3.0
    assert theirs.seconds_to_pass is None
    assert theirs.hardware == ours[0].hardware
    assert (theirs.train_seconds or 0.0) > 5.0 * max(r.train_seconds or 0.0 for r in ours)


@pytest.mark.parametrize(
    ("variant", "agent", "score", "mark", "seconds", "cores"),
    [
        ("hw4-1/pong", "reinforce", "mean_return", 3.0, 10_800.0, {1, 2}),
        ("hw4-3/pong", "ppo", "mean_return", 15.0, 1_800.0, {2}),
        ("hw4-2/breakout", "ppo", "mean_life_return", 40.0, 3_600.0, {2}),
        ("hw4-2/breakout", "n-step", "mean_life_return", 40.0, 10_800.0, {1}),
    ],
)
def test_a_mark_is_passed_within_a_time(
    records: list[Record],
    variant: str,
    agent: str,
    score: str,
    mark: float,
    seconds: float,
    cores: set[int],
) -> None:
    """In the median of the seeds; a test has thirty games of Pong, a hundred lives of Breakout."""
    ours = of(records, variant, agent)
    assert median(record.scores[score] for record in ours) > mark
    assert {record.scores["lives"] for record in ours} == {30.0 if "pong" in variant else 100.0}
    assert {record.budget.seconds for record in ours} == {seconds}
    assert {record.hardware["cores"] for record in ours} == cores


def test_natural_gradients_of_all_layers_learn_more_from_a_decision(records: list[Record]) -> None:
    """ACKTR is above A2C at one and two million of them, in both games, over all seeds."""
    for variant in ("hw4-3/pong", "hw4-3/breakout"):
        a2c, acktr = (of(records, variant, agent) for agent in ("a2c", "acktr"))
        for decisions in (1_000_000, 2_000_000):
            assert return_before(acktr, decisions) > return_before(a2c, decisions)


def return_before(records: list[Record], decisions: int) -> float:
    """Mean of the episodes that ended in the last 200,000 decisions before, over all seeds."""
    points = [p for r in records for p in r.curve if 0 <= decisions - p.env_steps < 200_000]
    total = sum((p.episode_return or 0.0) * (p.episodes or 0) for p in points)
    return total / sum(p.episodes or 0 for p in points)


@pytest.mark.parametrize("variant", ["hw4-3/pong", "hw4-3/breakout"])
def test_ppo_is_above_the_published_a2c_at_its_scale(records: list[Record], variant: str) -> None:
    """At ten million decisions, as theirs: a normalized score of 1 is rl-zoo3's A2C."""
    ours = [r for r in records if (r.preset, r.variant) == ("course", variant)]
    assert {record.agent.partition("@")[0] for record in ours} == {"ppo"}
    for record in ours:
        assert record.env_steps == 10_000_000
        assert (record.normalized or 0.0) > 1.0


def test_random_players_measure_their_anchors(records: list[Record]) -> None:
    """Within the noise of the games of a test."""
    players = [record for record in records if record.agent == "random"]
    assert len({record.variant for record in players}) == 4
    for record in players:
        assert record.normalized == pytest.approx(0.0, abs=0.03), record.variant


def test_weights_are_small_and_lie_beside_their_records(records: list[Record]) -> None:
    """At most 2 MB; one set a variant and agent of ours, by its own settings, of its best seed."""
    kept = {}
    for record in records:
        folder = artifact_folder(record_path(RESULTS, record))
        if folder.is_dir():
            one = Trained(record, folder)
            name = record.preset, record.variant, record.agent
            assert 0 < sum(path.stat().st_size for path in one.files) <= MOST_BYTES, one.origin
            assert name not in kept, one.origin
            kept[name] = record
    learnt = {
        (r.preset, r.variant, r.agent)
        for r in records
        if r.preset == "standard" and r.curve and not re.search("^sb3:|@", r.agent)
    }
    assert {name for name in kept if name[0] == "standard"} == learnt
    for record in kept.values():
        others = of(records, record.variant, record.agent)
        assert record.scores[record.primary] == max(r.scores[r.primary] for r in others)
