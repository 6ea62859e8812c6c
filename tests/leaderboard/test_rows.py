from __future__ import annotations

import numpy as np
import pytest
import scipy.stats

from mlds_bench.leaderboard.rows import ANCHORS as ROW_NAMES
from mlds_bench.leaderboard.rows import (
    agent_row,
    anchor_rows,
    grouped,
    published_rows,
    reasons,
    state_summary,
)
from tests.leaderboard.factory import ANCHORS, PUBLISHED, make_failure, make_record


def test_a_row_has_the_statistics_of_its_seeds() -> None:
    """Mean, half-width, interquartile mean, n, normalized score and costs by hand."""
    records = [
        make_record(-5.0, seed=0),
        make_record(-5.5, seed=1),
        make_record(-6.0, seed=2, wall_seconds=6.5, steps_per_second=100.0, seconds_to_pass=2.0),
    ]
    row = agent_row(records)
    assert row["mean"] == -5.5
    assert row["half_width"] == pytest.approx(scipy.stats.t.ppf(0.975, 2) * 0.5 / np.sqrt(3))
    assert row["iqm"] == -5.5
    assert row["n"] == 3
    assert row["normalized"] == pytest.approx(5.5 / 4)
    assert row["wall_seconds"] == pytest.approx((3.5 + 3.5 + 6.5) / 3)
    assert row["steps_per_second"] == pytest.approx((6400 + 6400 + 100) / 3)
    assert (row["seconds_to_pass"], row["passed"]) == (2.0, 1)
    assert row["state"] == "ok"
    assert row["env_version"] == "mlds/FunctionFitting-v0"
    assert row["hardware"] == "cpu Test CPU, cores 2, threads 1"


def test_states_are_summed_up_with_each_reason_once() -> None:
    """Equal reasons stand once, different ones side by side, in the order of the states."""
    records = [
        make_failure("timeout", "60 s", seed=0),
        make_failure("failed", "ValueError: a", seed=1),
        make_failure("failed", "ValueError: a", seed=2),
        make_failure("failed", "ValueError: b", seed=3),
        make_record(seed=4),
    ]
    assert (state_summary(records), reasons(records)) == (
        "1 ok, 3 failed, 1 timeout",
        "failed: ValueError: a / ValueError: b; timeout: 60 s",
    )


def test_figures_named_by_every_record_stand_once() -> None:
    """Five seeds carry the same published figures; they make one row each, in their order."""
    figures = [PUBLISHED, PUBLISHED | {"label": "shallow (course)", "value": -4.5}]
    rows = published_rows([make_record(seed=seed, published=figures) for seed in range(5)])
    assert [row["agent"] for row in rows] == ["deep (course)", "shallow (course)"]
    assert [row["source"] for row in rows] == [PUBLISHED["source"]] * 2


def test_all_four_anchors_are_rows() -> None:
    """The names on the page are those of the schema."""
    assert set(ANCHORS) == set(ROW_NAMES)
    assert [row["mean"] for row in anchor_rows([make_record()])] == [0.0, -1.0, -4.0, -8.0]


def test_groups_keep_the_order_they_come_in() -> None:
    """Neither keys nor members are sorted behind the caller's back."""
    assert grouped([3, 1, 2, 5], lambda x: x % 2) == {1: [3, 1, 5], 0: [2]}
    assert list(grouped([3, 2], lambda x: x % 2)) == [1, 0]
