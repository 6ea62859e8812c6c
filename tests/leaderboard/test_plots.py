"""Learning curves: what is drawn."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlds_bench.leaderboard.curves import Array
from mlds_bench.leaderboard.lines import short_count
from mlds_bench.leaderboard.plots import LOOKS, WrongChoice, learning_curves, write_curves
from mlds_bench.leaderboard.record import NoRecords, record_path
from tests.inside import cut_off, out_of_limits
from tests.leaderboard.factory import game_result, make_record, make_result, store


def lines(figure: Any, panel: int) -> list[Any]:
    return list(figure.axes[panel].get_lines())


def words(figure: Any) -> str:
    return " ".join(text.get_text() for text in figure.texts)


def test_the_figure_says_over_what_it_averages() -> None:
    """Over episodes where they are known, over a tenth where they are not, and both if mixed."""
    counted, uncounted = game_result([0.0, 4.0, 1.0], [10, 20, 15]), game_result([1.0, 2.0], seed=1)
    figure = learning_curves([counted])
    assert figure is not None
    assert "mean of the last 30 episodes or more; band" in words(figure)
    assert lines(figure, 0)[0].get_ydata()[-1] == pytest.approx(95.0 / 35.0)
    figure = learning_curves([game_result([-1.0, 2.0])])
    assert figure is not None
    assert "mean of the last tenth; band" in words(figure)
    figure = learning_curves([counted, uncounted])
    assert figure is not None
    assert "30 episodes or more, or of the last tenth where they were not counted" in words(figure)


def test_of_an_agent_without_a_single_end_the_reward_is_shown_beside_counted_episodes() -> None:
    figure = learning_curves(
        [game_result([4.0, 4.0], [30, 30]), game_result([None, None], [0, 0], agent="wide")]
    )
    assert figure is not None
    assert [line.get_ydata()[-1] for line in lines(figure, 0)] == [4.0, -0.5]


def test_an_agent_with_one_point_is_a_dot() -> None:
    """It has a name in the legend, too; without any point there is no figure."""
    figure = learning_curves([game_result([1.0]), game_result([], seed=1)])
    assert figure is not None
    (dot,) = [line for line in lines(figure, 0) if len(line.get_xdata())]
    assert (dot.get_marker(), list(dot.get_xdata()), list(dot.get_ydata())) == ("o", [100.0], [1.0])
    assert legend(figure) == ["deep (1)"]
    assert learning_curves([game_result([])]) is None


def legend(figure: Any) -> list[str]:
    found = figure.axes[-1].get_legend()
    assert found is not None
    return [text.get_text() for text in found.get_texts()]


def drawn(figure: Any, panel: int) -> dict[str, Any]:
    """The lines with a name of their own, by it."""
    return {str(line.get_label()): line for line in lines(figure, panel) if named(line)}


def named(line: Any) -> bool:
    return not str(line.get_label()).startswith("_")


def test_a_line_is_the_mean_of_the_seeds_over_what_they_share() -> None:
    """From the later start to the earlier end; the best agent first."""
    figure = learning_curves(
        [
            game_result([1.0] * 3),
            game_result([3.0] * 5, seed=1),
            game_result([5.0] * 4, agent="wide"),
        ]
    )
    assert figure is not None
    best, other = drawn(figure, 0).values()
    assert (best.get_label(), other.get_label()) == ("wide (1)", "deep (2)")
    assert set(other.get_ydata()) == {2.0}
    assert (other.get_xdata()[0], other.get_xdata()[-1]) == (100.0, 300.0)
    assert drawn(figure, 1)["deep (2)"].get_xdata()[-1] == pytest.approx(3.0)


def test_what_seeds_do_not_share_is_drawn_alone() -> None:
    """A seed that learned for longer goes on as a thin line, from the edge of the mean."""
    figure = learning_curves([game_result([1.0] * 3), game_result([3.0] * 5, seed=1)])
    assert figure is not None
    (mean, rest) = lines(figure, 0)
    assert rest.get_xdata().tolist() == [300.0, 400.0, 500.0]
    assert set(rest.get_ydata()) == {3.0}
    assert rest.get_linewidth() < mean.get_linewidth()
    assert (rest.get_color(), named(rest)) == (mean.get_color(), False)


def test_curves_that_do_not_overlap_are_never_averaged() -> None:
    """One ended before the other began: two thin lines of true values under one name."""
    early = game_result([1.0, 1.0])
    late = game_result([None] * 4 + [7.0, 7.0], seed=1)
    figure = learning_curves([early, late])
    assert figure is not None
    *single, handle = lines(figure, 0)
    assert (handle.get_label(), len(handle.get_xdata())) == ("deep (2)", 0)
    assert [line.get_xdata().tolist() for line in single] == [[100.0, 200.0], [500.0, 600.0]]
    assert [set(line.get_ydata()) for line in single] == [{1.0}, {7.0}]
    assert not figure.axes[0].collections


def falling(*rewards: float) -> list[dict[str, float]]:
    """Points of a curve with a reward each."""
    points = reporting(*rewards)
    return [
        {key: value for key, value in point.items() if key != "score"}
        | {"reward": reward, "episode_return": reward}
        for point, reward in zip(points, rewards, strict=True)
    ]


def reporting(*scores: float, errors: bool = False) -> list[dict[str, float]]:
    """Points of a curve with a validation score each."""
    reward = -0.1 if errors else 1.0
    return [
        {
            "env_steps": i,
            "seconds": 60.0 * i,
            "reward": reward,
            "episode_return": reward,
            "score": s,
        }
        for i, s in enumerate(scores, start=1)
    ]


def test_a_reported_score_is_the_agents_own_claim() -> None:
    """A thin dotted line in the color of the agent, named as what it is."""
    figure = learning_curves([game_result([], curve=reporting(0.2, 0.6, 0.9))])
    assert figure is not None
    for panel in (0, 1):
        line, claim = lines(figure, panel)
        assert claim.get_label() == "deep (own claim)"
        assert (claim.get_linestyle(), claim.get_color()) == (":", line.get_color())
        assert claim.get_linewidth() < line.get_linewidth()
        assert claim.get_ydata()[[0, -1]] == pytest.approx([0.2, 0.9])
    assert "deep (own claim)" in legend(figure)


def test_a_reported_logarithm_is_drawn_among_errors() -> None:
    """log10_mse of -3 is an error of 1e-3 on a logarithmic axis."""
    figure = learning_curves([make_result(curve=reporting(-1.0, -3.0, errors=True))])
    assert figure is not None
    claim = drawn(figure, 0)["deep (own claim)"]
    assert claim.get_ydata()[[0, -1]] == pytest.approx([0.1, 0.001])


def test_agents_have_looks_of_their_own_as_far_as_there_are_any() -> None:
    """Nine are drawn apart; of one more than there are looks, the figure says so."""
    agents = [game_result([float(i)] * 2, agent=f"agent-{i}") for i in range(len(LOOKS) + 1)]
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
    """Minus the reward, unaveraged, on logarithmic axes that begin where the curves do."""
    points = [
        {"env_steps": 10**i, "seconds": 1.0 * i, "reward": -(0.1**i), "episode_return": -(0.1**i)}
        for i in (1, 2, 3)
    ]
    figure = learning_curves([make_result(curve=points)])
    assert figure is not None
    assert figure.axes[0].get_yscale() == figure.axes[0].get_xscale() == "log"
    assert lines(figure, 0)[0].get_ydata()[[0, -1]] == pytest.approx([0.1, 0.001])
    assert 5.0 < figure.axes[0].get_xlim()[0] <= 10.0


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
    ours = [game_result([float(i) for i in range(5000)])]  # 500,000 steps
    figure = learning_curves(ours, OTHERS)
    assert figure is not None
    first, *others = lines(figure, 0)
    assert first.get_label() == "deep (1)"
    assert [line.get_xdata().tolist() for line in others] == [[125_000.0, 375_000.0]] * 4
    assert [line.get_label() for line in others] == [f"agent {i}" for i in range(4)]
    assert figure.axes[0].get_xlim()[1] < 600_000
    assert len(lines(figure, 1)) == 1
    assert legend(figure)[1:] == [curve.label for curve in OTHERS]
    assert "published by others" in words(figure)
    alone = learning_curves(ours)
    assert alone is not None
    assert "published" not in words(alone)


def test_published_curves_are_drawn_for_their_variant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store(tmp_path, game_result([1.0, 2.0]), game_result([1.0, 2.0], variant="hw4-3/pong"))
    drawn: list[tuple[str, int]] = []

    def count(results: Any, published: Any, **settings: Any) -> Any:
        drawn.append((results[0].task.variant, len(published)))
        return learning_curves(results, published, **settings)

    monkeypatch.setattr("mlds_bench.leaderboard.plots.learning_curves", count)
    write_curves(tmp_path, {"hw4-1/pong": OTHERS})
    assert sorted(drawn) == [("hw4-1/pong", 4), ("hw4-3/pong", 0)]


def test_a_figure_per_variant_is_written(tmp_path: Path) -> None:
    store(tmp_path, game_result([1.0, 2.0]), game_result([], agent="random"))
    (path,) = write_curves(tmp_path)
    assert path == tmp_path / "curves/quick/hw4-1-pong.png"
    with Image.open(path) as picture:
        assert picture.size == (1166, 484)


def test_where_nobody_learned_it_says_so(tmp_path: Path) -> None:
    store(tmp_path, game_result([]))
    with pytest.raises(NoRecords, match="no agent has learned in its records"):
        write_curves(tmp_path)


def test_a_torn_record_is_warned_of_and_the_rest_drawn(tmp_path: Path) -> None:
    store(tmp_path, game_result([1.0, 2.0]))
    torn = record_path(tmp_path, make_record(variant="hw4-1/pong", seed=1))
    torn.write_text("{")
    with pytest.warns(UserWarning, match=r"skipped quick/hw4-1/pong/deep/seed-1\.json: not a JSON"):
        assert len(write_curves(tmp_path)) == 1


def points_of(count: int, **changes: Any) -> list[dict[str, float]]:
    """A curve whose errors fall by powers of ten, a hundredth of a second apart."""
    return [
        {"env_steps": 10**i, "seconds": 0.01 * i, "reward": -(0.1**i), "episode_return": -(0.1**i)}
        | changes
        for i in range(1, count + 1)
    ]


LONG = "./folder/of/mine/agent.py:Mine@learning_rate=0.001,num_envs=128,num_steps=32"
CASES = {
    "errors": [make_result(curve=points_of(4), seed=0), make_result(curve=points_of(6), seed=1)],
    "an error of zero": [make_result(curve=points_of(3, reward=0.0, episode_return=0.0))],
    "one point": [make_result(curve=points_of(1)), make_result(curve=points_of(3), agent="wide")],
    "a long name": [game_result([1.0, 2.0], agent=LONG)],
    "many names": [
        game_result([i, 2.0 * i], agent=f"{i} {LONG}", curve=reporting(0.1 * i, 0.2))
        for i in range(20)
    ],
    "games apart": [game_result([1.0, 1.0]), game_result([None] * 4 + [7.0, 7.0], seed=1)],
    "errors within a decade": [make_result(-5.0, curve=falling(-0.09, -0.05))],
    "seconds": [game_result([1.0, 2.0, 3.0], curve=reporting(0.5, 0.6))],
}


@pytest.mark.parametrize("against", [("steps", "time"), ("steps",), ("time",)])
@pytest.mark.parametrize("case", CASES)
def test_no_label_is_cut_off_and_no_line_leaves_its_axes(
    case: str, against: tuple[str, ...]
) -> None:
    figure = learning_curves(CASES[case], OTHERS if "game" in case else (), against=against)
    assert figure is not None
    assert len(figure.axes) == len(against)
    assert cut_off(figure) == []
    assert [out_of_limits(axes) for axes in figure.axes] == [[]] * len(against)


def test_any_name_stands_in_the_legend() -> None:
    """Dollars are no formula, an underscore hides nothing, a line feed makes no second line."""
    names = ["$x^{ $_y", "_mine", "a\nb\x1b[2J"]
    figure = learning_curves([game_result([1.0, 2.0], agent=name) for name in names])
    assert figure is not None
    assert cut_off(figure) == []
    assert sorted(map(str.strip, legend(figure))) == ["$x^{ $_y (1)", "_mine (1)", "a b [2J (1)"]


def test_a_mean_of_errors_fills_its_axis_evenly() -> None:
    """On logarithmic axes the mean is that of logarithms, at places even in the logarithm."""
    figure = learning_curves(CASES["errors"])
    assert figure is not None
    line = drawn(figure, 0)["deep (2)"]
    x, y = (np.log10(np.asarray(of(), float)) for of in (line.get_xdata, line.get_ydata))
    assert np.ptp(np.diff(x)) < 1e-9
    np.testing.assert_allclose(y, -x)


@pytest.mark.parametrize(
    ("seconds", "end", "unit"),
    [(0.5, 1.0, "seconds"), (600.0, 20.0, "minutes"), (7200.0, 4.0, "hours")],
)
def test_time_is_in_the_unit_that_fits_it(seconds: float, end: float, unit: str) -> None:
    """No tick says 5m and means thousandths of a minute."""
    points = [
        {"env_steps": i, "seconds": seconds * i, "reward": 1.0, "episode_return": 1.0}
        for i in (1, 2)
    ]
    figure = learning_curves([game_result([], curve=points)])
    assert figure is not None
    axes = figure.axes[1]
    assert axes.get_xlabel() == f"{unit} of training"
    assert lines(figure, 1)[0].get_xdata()[-1] == pytest.approx(end)
    figure.canvas.draw()
    assert not any("m" in label.get_text() for label in axes.get_xticklabels())


@pytest.mark.parametrize(
    ("value", "text"), [(0.0, "0"), (800.0, "800"), (1e4, "10k"), (2.5e6, "2.5M"), (2e9, "2G")]
)
def test_counts_on_an_axis(value: float, text: str) -> None:
    assert short_count(value) == text


def test_what_is_drawn_can_be_chosen(tmp_path: Path) -> None:
    """Agents by label or wildcard, variants by name, wildcard or homework; a format for papers."""
    agents = ("deep@learning_rate=0.1", "wide", "mine.py:Mine")
    store(tmp_path / "runs", *(game_result([1.0, 2.0], agent=agent) for agent in agents))
    store(tmp_path / "runs", game_result([1.0, 2.0], agent="wide", variant="hw4-3/pong"))
    out, figures = tmp_path / "runs", tmp_path / "figures"
    chosen: dict[str, Any] = {"agents": ["deep@*", "mine.py:Mine"], "folder": figures}
    assert write_curves(out, **chosen) == [figures / "quick/hw4-1-pong.png"]
    (path,) = write_curves(out, variants=["hw4-3"], folder=figures, against=("time",), form="svg")
    assert path == figures / "quick/hw4-3-pong.svg"
    assert path.read_bytes()[:5] == b"<?xml"
    (path,) = write_curves(out, variants=["hw4-3/*"], folder=figures, form="pdf")
    first = path.read_bytes()
    assert first[:5] == b"%PDF-"
    write_curves(out, variants=["hw4-3/*"], folder=figures, form="pdf")
    assert path.read_bytes() == first


@pytest.mark.parametrize(
    ("choice", "line"),
    [
        ({"agents": ["depp"]}, "unknown agent 'depp': did you mean 'deep'?"),
        ({"variants": ["hw4-1/pung"]}, "unknown variant 'hw4-1/pung': did you mean 'hw4-1/pong'?"),
        ({"against": ("step",)}, "unknown axis 'step': did you mean 'steps'?"),
        ({"form": "jpg"}, "unknown format 'jpg': "),
    ],
)
def test_a_wrong_choice_is_answered_with_the_nearest(
    choice: dict[str, Any], line: str, tmp_path: Path
) -> None:
    store(tmp_path, game_result([1.0, 2.0]))
    with pytest.raises(WrongChoice, match=re.escape(line)):
        write_curves(tmp_path, **choice)
