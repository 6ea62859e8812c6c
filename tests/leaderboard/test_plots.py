"""Learning curves: what is read from records, and what is drawn of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlds_bench.leaderboard.plots import (
    LOOKS,
    episodes_of,
    learning_curves,
    read_curve,
    trailing_mean,
    write_curves,
)
from mlds_bench.leaderboard.record import NoRecords, Record
from tests.leaderboard.factory import content, store

GAME = {
    "variant": "hw4-1/pong",
    "scores": {"mean_return": 1.0},
    "primary": "mean_return",
    "higher_is_better": True,
    "normalized": 0.5,
    "anchors": {
        name: {"value": value, "source": "test"}
        for name, value in (("random", 0.0), ("trivial", -1.0), ("pass_mark", 2.0), ("best", 9.0))
    },
}


def record(
    returns: list[float | None], episodes: list[int] | None = None, **changes: Any
) -> Record:
    curve = [
        {"env_steps": 100 * i, "seconds": 60.0 * i, "reward": -0.5, "episode_return": value}
        for i, value in enumerate(returns, start=1)
    ]
    for point, count in zip(curve, episodes or (), strict=False):
        point["episodes"] = count
    return Record.model_validate(content(**{**GAME, "curve": curve, **changes}))


def lines(figure: Any, panel: int) -> list[Any]:
    return list(figure.axes[panel].get_lines())


def words(figure: Any) -> str:
    return " ".join(text.get_text() for text in figure.texts)


def test_a_trailing_mean_by_hand() -> None:
    """Of fewer values at the start."""
    values, ones = np.array([1.0, 3.0, 5.0, 1.0]), np.ones(4)
    assert trailing_mean(values, ones, 2).tolist() == [1.0, 2.0, 4.0, 3.0]
    assert trailing_mean(values, ones, 1).tolist() == values.tolist()


def test_a_trailing_mean_of_weighted_values_by_hand() -> None:
    """As few of the last as weigh enough; one alone, where it outweighs the window."""
    values, weights = np.array([1.0, 3.0, 5.0, 1.0]), np.array([1.0, 3.0, 1.0, 7.0])
    assert trailing_mean(values, weights, 4).tolist() == [1.0, 2.5, 3.5, 1.0]
    assert trailing_mean(values, weights, 8).tolist() == [1.0, 2.5, 3.0, 1.5]


def test_stretches_without_an_end_are_passed_over() -> None:
    """Steps and minutes are those of the stretches that know a return."""
    curve = read_curve(record([None, 2.0, None, 4.0]))
    assert curve is not None
    assert curve.steps.tolist() == [200.0, 400.0]
    assert curve.minutes.tolist() == [2.0, 4.0]
    assert curve.value.tolist() == [2.0, 3.0]


def test_returns_are_averaged_over_episodes_where_all_records_count_them() -> None:
    """Thirty or more, as in the course's plots; over a tenth where a record does not say."""
    counted = record([0.0, 4.0, 1.0], [10, 20, 15])
    curve = read_curve(counted, by_episodes=True)
    assert curve is not None
    assert curve.value.tolist() == [0.0, 80.0 / 30.0, 95.0 / 35.0]
    figure = learning_curves([counted])
    assert figure is not None
    assert "mean of the last 30 episodes or more" in words(figure)
    assert lines(figure, 0)[0].get_ydata()[-1] == pytest.approx(95.0 / 35.0)
    figure = learning_curves([counted, record([1.0, 2.0], seed=1)])
    assert figure is not None
    assert "mean of the last tenth" in words(figure)
    assert lines(figure, 0)[0].get_ydata()[0] == pytest.approx((0.0 + 1.0) / 2.0)


def test_episodes_follow_from_rewards_in_games_that_only_give_points() -> None:
    """What a record does not count; where a return may be zero or less, they stay unknown."""
    points = [
        {"env_steps": 100, "seconds": 1.0, "reward": 0.5, "episode_return": 2.5},
        {"env_steps": 150, "seconds": 2.0, "reward": 0.1, "episode_return": None},
        {"env_steps": 250, "seconds": 3.0, "reward": 1.0, "episode_return": 4.0},
    ]
    giving = Record.model_validate(content(**{**GAME, "curve": points}))
    assert episodes_of(giving) == pytest.approx([20.0, 25.0])
    figure = learning_curves([giving])
    assert figure is not None
    assert "mean of the last 30 episodes or more" in words(figure)
    assert lines(figure, 0)[0].get_ydata()[-1] == pytest.approx(150.0 / 45.0)
    assert episodes_of(record([2.0, 2.0])) is None
    assert episodes_of(record([2.0, 2.0], [3, 4])) == [3.0, 4.0]


def test_of_an_agent_without_a_single_end_the_reward_is_shown_beside_counted_episodes() -> None:
    figure = learning_curves(
        [record([4.0, 4.0], [30, 30]), record([None, None], [0, 0], agent="wide")]
    )
    assert figure is not None
    assert [line.get_ydata()[-1] for line in lines(figure, 0)] == [4.0, -0.5]


def test_without_any_end_the_reward_is_shown() -> None:
    curve = read_curve(record([None, None]))
    assert curve is not None
    assert curve.value.tolist() == [-0.5, -0.5]


def test_one_point_is_no_curve() -> None:
    assert read_curve(record([1.0])) is None
    assert learning_curves([record([1.0]), record([], seed=1)]) is None


def test_a_line_is_the_mean_of_the_seeds_over_what_they_share() -> None:
    """From the later start to the earlier end; the best agent first."""
    figure = learning_curves(
        [record([1.0] * 3), record([3.0] * 5, seed=1), record([5.0] * 4, agent="wide")]
    )
    assert figure is not None
    wide, deep = lines(figure, 0)
    assert (wide.get_label(), deep.get_label()) == ("wide (1)", "deep (2)")
    assert set(deep.get_ydata()) == {2.0}
    assert (deep.get_xdata()[0], deep.get_xdata()[-1]) == (100.0, 300.0)
    assert lines(figure, 1)[1].get_xdata()[-1] == pytest.approx(3.0)


def test_agents_have_looks_of_their_own_as_far_as_there_are_any() -> None:
    """Nine are drawn apart; of one more than there are looks, the figure says so."""
    agents = [record([float(i)] * 2, agent=f"agent-{i}") for i in range(len(LOOKS) + 1)]
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


def test_a_figure_a_variant_is_written(tmp_path: Path) -> None:
    store(tmp_path, record([1.0, 2.0]), record([], agent="random"))
    (path,) = write_curves(tmp_path)
    assert path == tmp_path / "curves/quick/hw4-1-pong.png"
    with Image.open(path) as picture:
        assert picture.size == (1166, 484)


def test_where_nobody_learnt_it_says_so(tmp_path: Path) -> None:
    store(tmp_path, record([]))
    with pytest.raises(NoRecords, match="no agent has learnt in its records"):
        write_curves(tmp_path)
