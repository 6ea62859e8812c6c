"""Scores against a hyper-parameter: what counts as a sweep, and what is drawn of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlds_bench.leaderboard.plots import write_curves
from mlds_bench.leaderboard.results import Result
from mlds_bench.leaderboard.sweeps import Sweep, find_sweeps, is_logarithmic, sweep_figure
from tests.inside import cut_off, out_of_limits
from tests.leaderboard.factory import make_failure, make_result, store

TASK = {
    "scores": [
        {"name": "test_accuracy", "higher_is_better": True},
        {"name": "train_accuracy", "higher_is_better": True},
        {"name": "sensitivity", "higher_is_better": False},
    ],
    "anchors": {
        name: {"value": value, "source": "test"}
        for name, value in (("random", 0.1), ("trivial", 0.1), ("pass_mark", 0.9), ("best", 1.0))
    },
}
SIZES = (16, 64, 256, 1024)


def row(agent: str = "mlp", *, score: float = 0.9, seed: int = 0, **params: Any) -> Result:
    """A finished cell of an agent with these hyper-parameters, which its label tells, too."""
    words = ",".join(f"{name}={value}" for name, value in params.items())
    scores = {"test_accuracy": score, "train_accuracy": 1.0, "sensitivity": (1.0 - score) ** 4}
    label = f"{agent}@{words}" if words else agent
    known = {"learning_rate": 0.001, "batch_size": 64} | params
    return make_result(task=TASK, agent=label, params=known, scores=scores, seed=seed)


def sweep(values: Any = SIZES, name: str = "batch_size", **settings: Any) -> list[Result]:
    """A row per value."""
    return [row(**{name: value}, **settings) for value in values]


def only(results: list[Result]) -> Sweep:
    """The one sweep there is."""
    (found,) = find_sweeps(results)
    return found


def line(figure: Any, panel: int, index: int = 0) -> tuple[list[float], list[float]]:
    """Data of a line."""
    drawn = figure.axes[panel].get_lines()[index]
    return list(drawn.get_xdata()), list(drawn.get_ydata())


def test_four_values_of_one_number_are_a_sweep() -> None:
    """Whatever else stands in the table: other agents, agents that stay as they are."""
    others = [row("cnn"), row("constant"), row("random", batch_size=8)]
    found = only([*sweep(), *others])
    assert (found.agent, found.parameter, list(found.lines)) == ("mlp", "batch_size", [""])
    assert len(found.lines[""]) == 4
    assert find_sweeps([*sweep(SIZES[:3]), *others]) == []
    assert find_sweeps([]) == []


def test_seeds_are_no_values_and_failures_no_scores() -> None:
    """Three values stay three, however often they were run; a failed fourth shows nothing."""
    rows = [row(batch_size=size, seed=seed) for size in SIZES[:3] for seed in range(5)]
    failed = make_failure(task=TASK, agent="mlp@batch_size=1024", params={"batch_size": 1024})
    assert find_sweeps([*rows, failed]) == []


@pytest.mark.parametrize(
    "values", [("relu", "tanh", "sigmoid", "elu"), ([1], [2], [3], [4]), (True, False, 2, 3)]
)
def test_what_is_no_number_is_no_axis(values: tuple[Any, ...]) -> None:
    """Names, lists, switches."""
    assert find_sweeps(sweep(values, "activation")) == []


def test_what_follows_the_swept_number_is_no_difference() -> None:
    """Epochs that grow with the batch: one line against either of them."""
    rows = [row(batch_size=size, epochs=size // 16) for size in SIZES]
    found = find_sweeps(rows)
    assert [(one.parameter, list(one.lines)) for one in found] == [
        ("batch_size", [""]),
        ("epochs", [""]),
    ]


def test_a_grid_has_a_line_per_setting() -> None:
    """Those with too few values of their own are left out."""
    rows = [row(batch_size=size, learning_rate=rate) for size in SIZES for rate in (0.1, 0.01)]
    rows += [row(batch_size=16, learning_rate=1.0)]
    found = only(rows)
    assert list(found.lines) == ["learning_rate=0.1", "learning_rate=0.01"]
    figure = sweep_figure(found)
    assert [one.get_linestyle() for one in figure.axes[0].get_lines()] == ["-", "-", "--", "--"]
    legend = figure.axes[-1].get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == [
        "test_accuracy",
        "train_accuracy",
        "learning_rate=0.1",
        "learning_rate=0.01",
    ]


def test_accuracies_share_a_panel_and_others_do_not() -> None:
    """In the order of the task, with the scores that the records have."""
    figure = sweep_figure(only(sweep()))
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["accuracy", "sensitivity"]
    labels = [one.get_label() for one in figure.axes[0].get_lines()]
    assert labels == ["test_accuracy", "train_accuracy"]
    assert [axes.get_xlabel() for axes in figure.axes] == ["batch_size"] * 2


def test_a_line_is_the_mean_over_seeds_and_its_band_their_range() -> None:
    """Values in rising order, whatever the order of the rows."""
    rows = [
        row(batch_size=size, seed=seed, score=0.9 - 0.1 * seed - size / 10_000)
        for size in reversed(SIZES)
        for seed in range(3)
    ]
    figure = sweep_figure(only(rows))
    x, y = line(figure, 0)
    assert x == list(SIZES)
    assert y == pytest.approx([0.8 - size / 10_000 for size in SIZES])
    (band, *_) = figure.axes[0].collections
    corners = np.asarray(band.get_paths()[0].vertices)
    for size in SIZES:
        heights = corners[corners[:, 0] == size, 1]
        assert heights.min() == pytest.approx(0.7 - size / 10_000)
        assert heights.max() == pytest.approx(0.9 - size / 10_000)


def test_one_seed_has_no_band() -> None:
    """And the note says how many there were."""
    figure = sweep_figure(only(sweep()))
    assert not figure.axes[0].collections
    assert "one seed" in " ".join(text.get_text() for text in figure.texts)


def test_a_logarithmic_mean_is_that_of_logarithms() -> None:
    """0.1^4 and 0.9^4 have the geometric mean 0.09^2."""
    rows = [
        row(batch_size=size, seed=seed, score=score)
        for size in SIZES
        for seed, score in ((0, 0.9), (1, 0.1))
    ]
    figure = sweep_figure(only(rows))
    assert figure.axes[1].get_yscale() == "log"
    assert line(figure, 1)[1] == pytest.approx([0.3**4] * 4)


@pytest.mark.parametrize(
    ("values", "scale"),
    [
        ((16, 64, 256, 1024), "log"),
        ((1, 4, 7, 10), "linear"),
        ((0, 1, 10, 100), "linear"),
        ((-1e3, 1, 10, 100), "linear"),
    ],
)
def test_an_axis_over_more_than_a_decade_is_logarithmic(
    values: tuple[float, ...], scale: str
) -> None:
    """Where its values are positive."""
    assert is_logarithmic(values) == (scale == "log")
    assert sweep_figure(only(sweep(values))).axes[0].get_xscale() == scale


def test_values_have_ticks_of_their_own_where_there_is_room() -> None:
    """As they were set: 1,024 and not ten to some power."""
    figure = sweep_figure(only(sweep()))
    figure.canvas.draw()
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert ticks == ["16", "64", "256", "1,024"]
    crowded = sweep_figure(only(sweep((0, 1, 10, 100)))).axes[0]
    assert 1.0 not in crowded.get_xticks()


CASES = {
    "many values": sweep(range(1, 30)),
    "one score": [
        make_result(agent=f"deep@width={n}", params={"width": n}, scores={"log10_mse": -n})
        for n in range(1, 6)
    ],
    "a long grid": [
        row("./folder/of/mine/agent.py:Mine", batch_size=size, activation="$x^{ " + "a" * n)
        for size in SIZES
        for n in (1, 100, 2, 3, 4, 5)
    ],
    "seeds": [row(batch_size=size, seed=seed) for size in SIZES for seed in range(3)],
}


@pytest.mark.parametrize("case", CASES)
def test_no_label_is_cut_off_and_no_line_leaves_its_axes(case: str) -> None:
    """Names as long as they may be, many settings."""
    figure = sweep_figure(only(CASES[case]))
    assert cut_off(figure) == []
    assert [out_of_limits(axes) for axes in figure.axes] == [[]] * len(figure.axes)


def test_sweeps_are_written_beside_the_curves(tmp_path: Path) -> None:
    """A file per agent and hyper-parameter."""
    store(tmp_path, *sweep(), row("cnn"))
    folder = tmp_path / "curves/quick"
    assert write_curves(tmp_path) == [
        folder / "hw1-1-sinc.png",
        folder / "hw1-1-sinc-mlp-batch_size.png",
    ]
    assert (folder / "hw1-1-sinc-mlp-batch_size.png").stat().st_size > 5_000
