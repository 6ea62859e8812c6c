"""Published curves: averaged over seeds, found through the store, or refused in one line."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.common.data import store
from mlds_bench.common.data.catalogue import UnknownData
from mlds_bench.common.data.dopamine import AGENTS, GAMES, TornCurves, load_curves, read_curves

TWO_SEEDS = [
    {"Iteration": iteration, "Value": value + seed, "Agent": agent}
    for seed in (0.0, 2.0)
    for agent in (*AGENTS, "Another")
    for iteration, value in enumerate((-20.0, -10.0, 5.0))
]


def write(path: Path, points: list[dict[str, Any]]) -> Path:
    path.write_bytes(gzip.compress(json.dumps(points).encode()))
    return path


def test_a_curve_is_the_mean_of_the_seeds(tmp_path: Path) -> None:
    """At the middle of each iteration of 250,000 decisions."""
    curves = read_curves(write(tmp_path / "pong.json.gz", TWO_SEEDS))
    assert [curve.label for curve in curves] == [f"{agent} (Dopamine)" for agent in AGENTS]
    assert curves[0].steps.tolist() == [125_000.0, 375_000.0, 625_000.0]
    assert curves[0].value.tolist() == [-19.0, -9.0, 6.0]


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
def test_a_torn_file_is_named_in_one_line(tmp_path: Path, content: bytes, line: str) -> None:
    path = tmp_path / "pong.json.gz"
    path.write_bytes(content)
    with pytest.raises(TornCurves, match=line) as raised:
        read_curves(path)
    assert str(raised.value).startswith(f"{path}: ")
    assert "\n" not in str(raised.value)


def test_other_files_than_the_published_ones_are_refused(root: Path) -> None:
    """By their checksum, before they are read."""
    with pytest.raises(store.MissingData, match="atari_reference/dopamine is not here"):
        load_curves("pong")
    (root / "atari_reference" / "dopamine").mkdir(parents=True)
    write(root / "atari_reference" / "dopamine" / "pong.json.gz", TWO_SEEDS)
    with pytest.raises(store.TornData, match=r"pong\.json\.gz and 1 more: not the published file"):
        load_curves("pong")


def test_a_wrong_game_gets_the_nearest() -> None:
    with pytest.raises(UnknownData, match="did you mean 'pong'"):
        load_curves("Pong-v0")


LAST = {"pong": (15.621, 19.363, 20.148, 20.204), "breakout": (93.954, 204.928, 107.089, 80.68)}
"""Mean return of the last ten iterations, counted by another program."""


@pytest.mark.parametrize("game", GAMES)
def test_the_published_curves(game: str, real: Callable[[str], Path]) -> None:
    """Their length, and where the four agents end."""
    real("atari_reference/dopamine")
    curves = load_curves(game)
    assert [len(curve.steps) for curve in curves] == [199] * 4
    assert [curve.value[-10:].mean() for curve in curves] == pytest.approx(LAST[game], abs=6e-4)
