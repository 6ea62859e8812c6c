from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import scipy.stats

from mlds_bench.leaderboard.rows import ANCHORS as ROW_NAMES
from mlds_bench.leaderboard.rows import (
    agent_row,
    anchor_rows,
    disagreements,
    grouped,
    published_rows,
    reasons,
    state_summary,
)
from tests.leaderboard.factory import (
    ANCHORS,
    PUBLISHED,
    game_result,
    make_failure,
    make_result,
    make_stale,
    make_task,
)


def test_a_row_has_the_statistics_of_its_seeds() -> None:
    """Mean, half-width, interquartile mean, n, normalized score and costs by hand."""
    results = [
        make_result(-3.0, seed=0),
        make_result(-3.5, seed=1),
        make_result(-4.0, seed=2, wall_seconds=6.5, train_seconds=128.0),
    ]
    row = agent_row(results)
    assert row["mean"] == -3.5
    assert row["half_width"] == pytest.approx(scipy.stats.t.ppf(0.975, 2) * 0.5 / np.sqrt(3))
    assert row["iqm"] == -3.5
    assert row["n"] == 3
    assert row["normalized"] == pytest.approx(3.5 / 4)
    assert row["wall_seconds"] == pytest.approx((3.5 + 3.5 + 6.5) / 3)
    assert row["steps_per_second"] == pytest.approx((6400 + 6400 + 100) / 3)
    assert (row["passed"], row["counted"], row["seconds_to_pass"]) == (1, 3, None)
    assert row["state"] == "ok"
    assert (row["homework"], row["environment"]) == ("hw1-1", "mlds/FunctionFitting-v0")
    assert row["hardware"] == "cpu Test CPU, cores 2, threads 1"


def test_a_row_has_the_secondary_scores_of_its_seeds() -> None:
    """Over the seeds that ended well and have them; a score without direction has no column."""
    results = [
        make_result(seed=seed, scores={"log10_mse": -2.0, "sup_error": error, "pieces": 3.0})
        for seed, error in enumerate((0.25, 0.75))
    ]
    row = agent_row(
        [*results, make_failure(seed=2), make_result(seed=3, scores={"log10_mse": 0.0})]
    )
    assert row["score.sup_error"] == 0.5
    assert row["score.sup_error ±"] == pytest.approx(scipy.stats.t.ppf(0.975, 1) * 0.25)
    assert "score.pieces" not in row
    assert "score.sup_error" not in agent_row([make_failure()])


def test_seconds_to_pass_are_the_mean_of_the_seeds_that_passed() -> None:
    mark = {"pass_return": 1.0}
    results = [
        game_result([2.0] * 3, [30] * 3, score=5.0, task=mark),
        game_result([0.0, 0.0, 2.0], [30] * 3, score=5.0, task=mark, seed=1),
        game_result([2.0] * 3, [30] * 3, score=0.0, task=mark, seed=2),
    ]
    row = agent_row(results)
    assert (row["seconds_to_pass"], row["passed"]) == ((60.0 + 180.0) / 2, 2)


def test_states_are_summed_up_with_each_reason_once() -> None:
    """Equal reasons stand once, different ones side by side, in the order of the states."""
    results = [
        make_failure("timeout", "60 s", seed=0),
        make_failure("failed", "ValueError: a", seed=1),
        make_failure("failed", "ValueError: a", seed=2),
        make_failure("failed", "ValueError: b", seed=3),
        make_result(seed=4),
    ]
    assert (state_summary(results), reasons(results)) == (
        "1 ok, 3 failed, 1 timeout",
        "failed: ValueError: a / ValueError: b; timeout: 60 s",
    )
    assert state_summary([make_stale(), make_result(seed=1)]) == "1 ok, 1 stale"


def test_a_row_of_pretrained_cells_says_so() -> None:
    origin = "standard/hw1-1/sinc/deep/seed-0"
    assert state_summary([make_result(pretrained=origin)]) == "pretrained"
    assert state_summary([make_result(pretrained=origin), make_result(seed=1)]) == "ok"


def test_published_figures_are_rows_in_their_order() -> None:
    figures = [PUBLISHED, PUBLISHED | {"label": "shallow (course)", "value": -400.0}]
    rows = published_rows(make_task(published=figures))
    assert [row["agent"] for row in rows] == ["deep (course)", "shallow (course)"]
    assert [row["source"] for row in rows] == [PUBLISHED["source"]] * 2
    assert [row["normalized"] for row in rows] == [1.5, 2.0]


def test_all_four_anchors_are_rows() -> None:
    """The names on the page are those of the schema."""
    assert set(ANCHORS) == set(ROW_NAMES)
    assert [row["mean"] for row in anchor_rows(make_task())] == [0.0, -1.0, -4.0, -8.0]


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({"agent_version": 2}, "version"),
        ({"agent_version": None, "source_hash": "a1"}, "version"),
        ({"params": {}}, "hyper-parameters"),
        ({"env_options": {"view": "mean"}}, "env_options"),
        ({"budget": {"env_steps": 1, "seconds": None}}, "budget"),
    ],
)
def test_unlike_seeds_are_named(changes: dict[str, Any], name: str) -> None:
    """Seeds that differ in more than the seed are not averaged in silence."""
    lines = disagreements([make_result(seed=0), make_result(seed=1, **changes)])
    assert f"seeds of deep on hw1-1/sinc differ in {name}: run the cells again" in lines
    assert disagreements([make_result(seed=0), make_result(agent="wide", **changes)]) == []
    assert disagreements([make_result(seed=0), make_failure(seed=1, **changes)]) == []


def test_the_source_counts_where_there_is_no_version() -> None:
    """A comment in a built-in agent changes nothing; an edited file of the user's may."""
    built_in = [make_result(seed=seed, source_hash=f"a{seed}") for seed in range(2)]
    assert disagreements(built_in) == []
    own = [make_result(seed=seed, source_hash=f"a{seed}", agent_version=None) for seed in range(2)]
    assert disagreements(own) == [
        "seeds of deep on hw1-1/sinc differ in source: run the cells again"
    ]


def test_groups_keep_the_order_they_come_in() -> None:
    """Neither keys nor members are sorted behind the caller's back."""
    assert grouped([3, 1, 2, 5], lambda x: x % 2) == {1: [3, 1, 5], 0: [2]}
    assert list(grouped([3, 2], lambda x: x % 2)) == [1, 0]
