"""What lies beside the weights: the plot of a training, and its measures."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from PIL import Image

from mlds_bench.agents.classification.notes import MOST_POINTS, plot, thinned, write_notes
from mlds_bench.agents.classification.training import History
from mlds_bench.common.canvas import styled


def history(steps: int) -> History:
    return History(
        images=[64 * (step + 1) for step in range(steps)],
        loss=[2.0 / (step + 1) for step in range(steps)],
        accuracy=[1.0 - 0.9 / (step + 1) for step in range(steps)],
    )


def test_the_plot_shows_loss_and_accuracy_by_images() -> None:
    """Two panels with the numbers of the history; the loss on a logarithmic axis."""
    with styled():
        figure = plot(history(30))
    left, right = figure.axes
    assert left.lines[0].get_ydata() == pytest.approx(history(30).loss)
    assert right.lines[0].get_ydata() == pytest.approx(history(30).accuracy)
    assert [*right.lines[0].get_xdata()] == history(30).images  # type: ignore[misc]
    assert (left.get_yscale(), right.get_yscale()) == ("log", "linear")
    assert "loss" in left.get_title("left")
    assert "accuracy" in right.get_title("left")


def test_long_trainings_are_thinned_by_means() -> None:
    """To as many points as can be seen."""
    assert thinned([1.0, 2.0, 4.0]) == [1.0, 2.0, 4.0]
    points = thinned([*range(10 * MOST_POINTS)])
    assert len(points) == MOST_POINTS
    assert points[:2] == [4.5, 14.5]


@pytest.mark.parametrize("steps", [1, 500])
def test_notes_are_written(steps: int, tmp_path: Path) -> None:
    """A small picture, the same each time, and JSON."""
    write_notes(tmp_path, history(steps), {"parameters": 7, "training_loss": 0.5})
    assert json.loads((tmp_path / "measures.json").read_text()) == {
        "parameters": 7,
        "training_loss": 0.5,
    }
    first = (tmp_path / "training.png").read_bytes()
    write_notes(tmp_path, history(steps), {})
    assert (tmp_path / "training.png").read_bytes() == first
    assert len(first) < 60_000
    with Image.open(tmp_path / "training.png") as picture:
        assert picture.size == (924, 396)
