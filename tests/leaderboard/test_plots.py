"""Learning curves: what is drawn."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlds_bench.leaderboard.curves import Array
from mlds_bench.leaderboard.plots import LOOKS, learning_curves, write_curves
from mlds_bench.leaderboard.record import NoRecords, Record
from tests.leaderboard.factory import content, game_record, store


def lines(figure: Any, panel: int) -> list[Any]:
    return list(figure.axes[panel].get_lines())


def words(figure: Any) -> str:
    return " ".join(text.get_text() for text in figure.texts)


def test_the_figure_says_over_what_it_averages() -> None:
    """Over episodes where all its records know them; over a tenth where one does not."""
    counted = game_record([0.0, 4.0, 1.0], [10, 20, 15])
    figure = learning_curves([counted])
    assert figure is not None
    assert "mean of the last 30 episodes or more" in words(figure)
    assert lines(figure, 0)[0].get_ydata()[-1] == pytest.approx(95.0 / 35.0)
    figure = learning_curves([counted, game_record([1.0, 2.0], seed=1)])
    assert figure is not None
    assert "mean of the last tenth" in words(figure)
    assert lines(figure, 0)[0].get_ydata()[0] == pytest.approx((0.0 + 1.0) / 2.0)


def test_of_an_agent_without_a_single_end_the_reward_is_shown_beside_counted_episodes() -> None:
    figure = learning_curves(
        [game_record([4.0, 4.0], [30, 30]), game_record([None, None], [0, 0], agent="wide")]
    )
    assert figure is not None
    assert [line.get_ydata()[-1] for line in lines(figure, 0)] == [4.0, -0.5]


def test_one_point_is_no_curve() -> None:
    assert learning_curves([game_record([1.0]), game_record([], seed=1)]) is None


def test_a_line_is_the_mean_of_the_seeds_over_what_they_share() -> None:
    """From the later start to the earlier end; the best agent first."""
    figure = learning_curves(
        [
            game_record([1.0] * 3),
            game_record([3.0] * 5, seed=1),
            game_record([5.0] * 4, agent="wide"),
        ]
    )
    assert figure is not None
    best, other = lines(figure, 0)
    assert (best.get_label(), other.get_label()) == ("wide (1)", "deep (2)")
    assert set(other.get_ydata()) == {2.0}
    assert (other.get_xdata()[0], other.get_xdata()[-1]) == (100.0, 300.0)
    assert lines(figure, 1)[1].get_xdata()[-1] == pytest.approx(3.0)


def test_agents_have_looks_of_their_own_as_far_as_there_are_any() -> None:
    """Nine are drawn apart; of one more than there are looks, the figure says so."""
    agents = [game_record([float(i)] * 2, agent=f"agent-{i}") for i in range(len(LOOKS) + 1)]
    figure = learning_curves(agents[:9])
    assert figure is not None
    looks = {(line.get_color(), line.get_linestyle()) for line in lines(figure, 0)}
    assert len(looks) == 9
    assert "agents" not in words(figure)
    figure = learning_curves(agents)
    assert figure is not None
    assert len(lines(figure, 0)) == len(LOOKS)
    assert f"the best {len(LOOKS)} of {len(agents)} agents" in words(figure)


def test_errors_are_shown_by_their_logarithm() -> None:
    """Minus the reward, unaveraged, on logarithmic axes."""
    points = [
        {"env_steps": i, "seconds": 1.0 * i, "reward": -(0.1**i), "episode_return": -(0.1**i)}
        for i in (1, 2, 3)
    ]
    figure = learning_curves([Record.model_validate(content(curve=points))])
    assert figure is not None
    assert figure.axes[0].get_yscale() == figure.axes[0].get_xscale() == "log"
    assert lines(figure, 0)[0].get_ydata()[[0, -1]] == pytest.approx([0.1, 0.001])


@dataclass(frozen=True)
class Published:
    """A curve of others."""

    label: str
    steps: Array
    value: Array


OTHERS = [
    Published(f"agent {i}", np.array([125_000.0, 375_000.0, 625_000.0]), np.array([-19.0, -9.0, i]))
    for i in range(4)
]


def test_published_curves_are_shown_as_far_as_ours_come() -> None:
    """Gray behind the rest, against steps alone, and named beside the other panel."""
    ours = [game_record([float(i) for i in range(5000)])]  # 500,000 steps
    figure = learning_curves(ours, OTHERS)
    assert figure is not None
    first, *others = lines(figure, 0)
    assert first.get_label() == "deep (1)"
    assert [line.get_xdata().tolist() for line in others] == [[125_000.0, 375_000.0]] * 4
    assert [line.get_label() for line in others] == [f"agent {i}" for i in range(4)]
    assert figure.axes[0].get_xlim()[1] < 600_000
    assert [len(line.get_xdata()) for line in lines(figure, 1)[1:]] == [0] * 4
    assert "published by others" in words(figure)
    alone = learning_curves(ours)
    assert alone is not None
    assert "published" not in words(alone)


def test_published_curves_are_drawn_for_their_variant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(tmp_path, game_record([1.0, 2.0]), game_record([1.0, 2.0], variant="hw4-3/pong"))
    drawn: list[tuple[str, int]] = []

    def count(records: Any, published: Any) -> Any:
        drawn.append((records[0].variant, len(published)))
        return learning_curves(records, published)

    monkeypatch.setattr("mlds_bench.leaderboard.plots.learning_curves", count)
    write_curves(tmp_path, {"hw4-1/pong": OTHERS})
    assert sorted(drawn) == [("hw4-1/pong", 4), ("hw4-3/pong", 0)]


def test_a_figure_a_variant_is_written(tmp_path: Path) -> None:
    store(tmp_path, game_record([1.0, 2.0]), game_record([], agent="random"))
    (path,) = write_curves(tmp_path)
    assert path == tmp_path / "curves/quick/hw4-1-pong.png"
    with Image.open(path) as picture:
        assert picture.size == (1166, 484)


def test_where_nobody_learnt_it_says_so(tmp_path: Path) -> None:
    store(tmp_path, game_record([]))
    with pytest.raises(NoRecords, match="no agent has learnt in its records"):
        write_curves(tmp_path)
