"""The pictures of a test and of the zoo: what stands in them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlds_bench.common.canvas import styled
from mlds_bench.envs.generalization import data
from mlds_bench.envs.generalization.env import HyperparameterSearch, ModelSelection
from mlds_bench.envs.generalization.pictures import (
    SHOWN,
    draw,
    search_figure,
    selection_figure,
    watched_instances,
    zoo_figure,
)
from tests.inside import cut_off, out_of_limits


@pytest.fixture(autouse=True)
def look() -> Iterator[None]:
    with styled():
        yield


def played(cls: Any) -> Any:
    """Random actions of as many instances as a picture needs."""
    env = cls(split="test", seed=0, num_envs=60)
    env.record(1)
    env.reset(seed=0)
    env.action_space.seed(0)
    while not env.recording.is_complete:
        env.step(env.action_space.sample())
    return env


@pytest.mark.parametrize("cls", [ModelSelection, HyperparameterSearch])
def test_every_environment_has_its_picture(cls: Any, tmp_path: Path) -> None:
    """Written under its name, nothing cut off."""
    env = played(cls)
    (path,) = draw(env.recording, tmp_path, env.settings)
    assert path == tmp_path / "choices.png"
    assert path.stat().st_size > 1000
    assert watched_instances(env.settings) == 200
    make = selection_figure if cls is ModelSelection else search_figure
    figure = make(env.recording.arrays())
    assert cut_off(figure) == []
    assert [out_of_limits(axes) for axes in figure.axes] == [[]] * 2


def test_bars_are_shares_of_true_places() -> None:
    """Of four episodes two chose the best, one the second, one nothing: that is the last."""
    accuracy = np.tile(np.linspace(0.8, 0.9, 8), (4, 1))
    place = np.zeros((4, 8), np.int64)
    place[[0, 1], 7], place[2, 6] = 1, 1
    figure = selection_figure({"place": place, "accuracy": accuracy})
    heights = [bar.get_height() for bar in figure.axes[1].patches]  # type: ignore[attr-defined]
    assert heights == [0.5, 0.25, 0, 0, 0, 0, 0, 0.25]


def test_the_curve_of_choices_counts_ranks() -> None:
    """Of ranks 1, 1, 3 and 10 of 10 settings: half within one, three quarters within three."""
    ends = {
        "rank": np.array([3, 1, 10, 1]),
        "settings": np.full(4, 10),
        "regret": np.array([0.1, 0.0, 0.3, 0.0]),
        "tries": np.full(4, 2),
    }
    chance, choices = search_figure(ends).axes[0].lines
    shares: Any = choices.get_ydata()
    assert list(shares) == [0.5, 0.5, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 0.75, 1.0]
    expected: Any = chance.get_ydata()
    assert expected[0] == pytest.approx(1 - 0.9**2)


def test_the_zoo_shows_all_candidates_of_a_data_set() -> None:
    """One point per network in each panel."""
    figure = zoo_figure("fashion_mnist")
    assert cut_off(figure) == []
    assert len(figure.axes) == len(SHOWN)
    for axes in figure.axes:
        lines: list[Any] = [*axes.lines]
        points = sum(len(line.get_xdata()) for line in lines)
        assert points == data.candidate_mask("fashion_mnist").sum()
