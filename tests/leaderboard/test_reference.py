"""Published curves: found in the user's data, averaged, or refused in one line."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.leaderboard.plots import learning_curves
from mlds_bench.leaderboard.reference import AGENTS, TornCurves, reference_curves
from tests.leaderboard.factory import game_result
from tests.leaderboard.test_plots import lines

TWO_SEEDS = [
    {"Iteration": iteration, "Value": value + seed, "Agent": agent}
    for seed in (0.0, 2.0)
    for agent in (*AGENTS, "Another")
    for iteration, value in enumerate((-20.0, -10.0, 5.0))
]


@pytest.fixture
def pong(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("MLDS_BENCH_DATA", str(tmp_path))
    path = tmp_path / "atari_reference" / "dopamine" / "pong.json.gz"
    path.parent.mkdir(parents=True)
    return path


def write(path: Path, points: list[dict[str, Any]]) -> None:
    path.write_bytes(gzip.compress(json.dumps(points).encode()))


def test_a_curve_is_the_mean_of_the_seeds(pong: Path) -> None:
    """At the middle of each iteration of 250,000 decisions."""
    write(pong, TWO_SEEDS)
    curves = reference_curves("hw4-1/pong")
    assert [curve.label for curve in curves] == [f"{agent} (Dopamine)" for agent in AGENTS]
    assert curves[0].steps.tolist() == [125_000.0, 375_000.0, 625_000.0]
    assert curves[0].value.tolist() == [-19.0, -9.0, 6.0]


def test_nothing_is_held_against_other_games_or_without_the_data(
    pong: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert reference_curves("hw4-1/pong") == []
    write(pong, TWO_SEEDS)
    assert reference_curves("hw4-2/breakout") == []
    monkeypatch.delenv("MLDS_BENCH_DATA")
    assert reference_curves("hw4-1/pong") == []


@pytest.mark.parametrize(
    ("content", "line"),
    [
        (b"no gzip", "Not a gzipped file"),
        (gzip.compress(b"[{}]")[:-9], "ended before"),
        (gzip.compress(b"[{"), "Invalid JSON"),
        (gzip.compress(b'[{"Iteration": 1, "Value": "x", "Agent": "DQN"}]'), "0.Value Input"),
        (gzip.compress(b"[]"), "no curve of C51, DQN, IQN, Rainbow"),
    ],
    # gzip writes the time into its header, and workers that collect at other seconds must agree.
    ids=["no gzip", "cut", "no JSON", "wrong type", "no curve"],
)
def test_a_torn_file_is_named_in_one_line(pong: Path, content: bytes, line: str) -> None:
    pong.write_bytes(content)
    with pytest.raises(TornCurves, match=line) as raised:
        reference_curves("hw4-1/pong")
    assert str(raised.value).startswith(f"{pong}: ")
    assert "\n" not in str(raised.value)


def test_a_figure_shows_them_as_far_as_ours_come(pong: Path) -> None:
    """Grey behind the rest, against steps alone, and named beside the other panel."""
    write(pong, TWO_SEEDS)
    figure = learning_curves([game_result([float(i) for i in range(5000)])])  # 500,000 steps
    assert figure is not None
    ours, *others = lines(figure, 0)
    assert ours.get_label() == "deep (1)"
    assert [line.get_xdata().tolist() for line in others] == [[125_000.0, 375_000.0]] * 4
    assert figure.axes[0].get_xlim()[1] < 600_000
    assert [len(line.get_xdata()) for line in lines(figure, 1)[1:]] == [0] * 4
