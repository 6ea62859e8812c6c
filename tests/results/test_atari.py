"""What the committed results of homework 4 show."""

from __future__ import annotations

import re
from statistics import median

import pytest

from mlds_bench.benchmarks.plan.trained import Trained
from mlds_bench.leaderboard.record import artifact_folder, record_path
from mlds_bench.leaderboard.results import Result
from tests.results import committed
from tests.results.committed import MIGRATED, RESULTS, scores
from tools.weights import MOST_BYTES

pytestmark = MIGRATED


@pytest.fixture(scope="module")
def results() -> list[Result]:
    return [result for result in committed.read() if result.task.room == "atari"]


def of(results: list[Result], variant: str, agent: str) -> list[Result]:
    return committed.of(results, "standard", variant, agent)


def seconds(results: list[Result]) -> list[float]:
    return [result.record.cost.train_seconds or 0.0 for result in results]


def cores(results: list[Result]) -> set[object]:
    return {result.record.provenance.hardware["cores"] for result in results}


def test_ppo_passes_pong_within_ten_minutes_on_two_cores(results: list[Result]) -> None:
    """In the median of five seeds: thirty games of the test, above 3."""
    ours = of(results, "hw4-1/pong", "ppo")
    assert {result.record.seed for result in ours} == {0, 1, 2, 3, 4}
    assert median(scores(ours, "mean_return")) > 3.0
    assert set(scores(ours, "games")) == {30.0}
    assert max(seconds(ours)) < 600.0
    assert cores(ours) == {2}
    assert {result.record.provenance.threads for result in ours} == {2}


def test_ppo_passes_pong_in_a_fifth_of_the_time_of_stable_baselines3(
    results: list[Result],
) -> None:
    """Theirs, with the zoo's settings, has not passed when it has had five times our time."""
    ours = of(results, "hw4-1/pong", "ppo")
    (theirs,) = of(results, "hw4-1/pong", "sb3:PPO@zoo=true")
    assert not theirs.passed
    assert theirs.seconds_to_pass is None
    assert theirs.record.provenance.hardware == ours[0].record.provenance.hardware
    assert seconds([theirs])[0] > 5.0 * max(seconds(ours))


@pytest.mark.parametrize(
    ("variant", "agent", "score", "mark", "most", "machine"),
    [
        ("hw4-1/pong", "reinforce", "mean_return", 3.0, 10_800.0, {1, 2}),
        ("hw4-3/pong", "ppo", "mean_return", 15.0, 1_800.0, {2}),
        ("hw4-2/breakout", "ppo", "mean_life_return", 40.0, 3_600.0, {2}),
        ("hw4-2/breakout", "n-step", "mean_life_return", 40.0, 10_800.0, {1}),
    ],
)
def test_a_mark_is_passed_within_a_time(
    results: list[Result],
    variant: str,
    agent: str,
    score: str,
    mark: float,
    most: float,
    machine: set[int],
) -> None:
    """In the median of the seeds; a test has thirty games of Pong, a hundred lives of Breakout."""
    ours = of(results, variant, agent)
    assert median(scores(ours, score)) > mark
    assert set(scores(ours, "lives")) == {30.0 if "pong" in variant else 100.0}
    assert {result.record.training.budget.seconds for result in ours} == {most}
    assert cores(ours) == machine


def test_natural_gradients_of_all_layers_learn_more_from_a_decision(results: list[Result]) -> None:
    """ACKTR is above A2C at one and two million of them, in both games, over all seeds."""
    for variant in ("hw4-3/pong", "hw4-3/breakout"):
        a2c, acktr = (of(results, variant, agent) for agent in ("a2c", "acktr"))
        for decisions in (1_000_000, 2_000_000):
            assert return_before(acktr, decisions) > return_before(a2c, decisions)


def return_before(results: list[Result], decisions: int) -> float:
    """Mean of the episodes that ended in the last 200,000 decisions before, over all seeds."""
    curves = [point for result in results for point in result.record.training.curve]
    points = [point for point in curves if 0 <= decisions - point.env_steps < 200_000]
    total = sum((p.episode_return or 0.0) * (p.episodes or 0) for p in points)
    return total / sum(p.episodes or 0 for p in points)


@pytest.mark.parametrize("variant", ["hw4-3/pong", "hw4-3/breakout"])
def test_ppo_is_above_the_published_a2c_at_its_scale(results: list[Result], variant: str) -> None:
    """At ten million decisions, as theirs: the pass mark is rl-zoo3's A2C."""
    ours = [r for r in results if (r.record.preset, r.record.variant) == ("course", variant)]
    assert {result.record.agent.partition("@")[0] for result in ours} == {"ppo"}
    for result in ours:
        assert result.record.training.env_steps == 10_000_000
        assert result.passed


def test_random_players_measure_their_anchors(results: list[Result]) -> None:
    """Within the noise of the games of a test."""
    players = [result for result in results if result.record.agent == "random"]
    assert len({result.record.variant for result in players}) == 4
    for result in players:
        assert result.normalized == pytest.approx(0.0, abs=0.03), result.record.variant


def test_weights_are_small_and_lie_beside_their_records(results: list[Result]) -> None:
    """One set per variant and agent of ours, by its own settings, of its best seed."""
    kept = {}
    for result in results:
        record = result.record
        folder = artifact_folder(record_path(RESULTS, record))
        if folder.is_dir():
            one = Trained(record, folder)
            name = record.preset, record.variant, record.agent
            assert 0 < sum(path.stat().st_size for path in one.files) <= MOST_BYTES, one.origin
            assert name not in kept, one.origin
            kept[name] = result
    learned = {
        (r.record.preset, r.record.variant, r.record.agent)
        for r in results
        if r.record.preset == "standard"
        and r.record.training.curve
        and not re.search("^sb3:|@", r.record.agent)
    }
    assert {name for name in kept if name[0] == "standard"} == learned
    for result in kept.values():
        others = committed.of(results, *result.record.identity[:3])
        assert result.primary_value == max(scores(others))
