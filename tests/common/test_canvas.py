"""How pictures look and are saved."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from matplotlib.colors import to_rgb
from PIL import Image

from mlds_bench.common.canvas import (
    DOTS_PER_INCH,
    FORMATS,
    PNG_COLORS,
    SERIES,
    add_panels,
    new_figure,
    save,
    styled,
)


def draw(path: Path) -> Path:
    """All colors of runs, over a background of many."""
    with styled():
        figure = new_figure(6.0, 4.0, "a title", "a note")
        (axes,) = add_panels(figure, 1)
        axes.imshow(np.arange(400.0).reshape(20, 20), cmap="viridis", extent=(0, 8, 0, 8))
        for index, color in enumerate(SERIES):
            axes.plot([index, index + 0.5], [1, 5], color=color, linewidth=4)
        return save(figure, path)


def test_a_picture_has_the_size_asked_for_and_few_colors(tmp_path: Path) -> None:
    with Image.open(draw(tmp_path / "a.png")) as image:
        assert image.size == (6 * DOTS_PER_INCH, 4 * DOTS_PER_INCH)
        assert image.mode == "P"
        assert len(image.getcolors() or ()) <= PNG_COLORS
        assert "Software" not in image.info


def test_few_colors_are_the_right_ones(tmp_path: Path) -> None:
    """The white stays white, and every run keeps its color to within what an eye can see."""
    with Image.open(draw(tmp_path / "a.png")) as image:
        pixels = np.asarray(image.convert("RGB")).reshape(-1, 3).astype(int)
    assert pixels[0].tolist() == [255, 255, 255]
    for color in SERIES:
        wanted = np.array(to_rgb(color)) * 255
        assert np.abs(pixels - wanted).max(1).min() <= 12, color


def test_the_same_figure_gives_the_same_bytes_whatever_the_user_s_settings(tmp_path: Path) -> None:
    first = draw(tmp_path / "a.png").read_bytes()
    with matplotlib.rc_context({"font.size": 30.0, "axes.facecolor": "red"}):
        assert draw(tmp_path / "b.png").read_bytes() == first


@pytest.mark.parametrize("form", FORMATS)
def test_every_format_gives_the_same_bytes_again(form: str, tmp_path: Path) -> None:
    first = draw(tmp_path / f"a.{form}").read_bytes()
    assert draw(tmp_path / f"a.{form}").read_bytes() == first
    assert [path.name for path in tmp_path.iterdir()] == [f"a.{form}"]


def test_a_full_disk_leaves_no_half_of_a_picture(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was there before stays."""
    draw(tmp_path / "a.png")
    before = (tmp_path / "a.png").read_bytes()

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Image.Image, "save", fail)
    with pytest.raises(OSError, match="No space left"):
        draw(tmp_path / "a.png")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a.png": before}


def test_nothing_global_changes() -> None:
    before = dict(matplotlib.rcParams)
    with styled():
        assert matplotlib.rcParams["font.size"] != before["font.size"]
    assert dict(matplotlib.rcParams) == before


@pytest.mark.parametrize("count", [1, 2, 3])
def test_panels_stand_side_by_side_within_the_figure(count: int) -> None:
    panels = add_panels(new_figure(10.0, 4.0, ""), count)
    boxes = [axes.get_position() for axes in panels]
    assert len(boxes) == count
    assert all(0.0 < box.x0 < box.x1 < 1.0 and 0.0 < box.y0 < box.y1 < 1.0 for box in boxes)
    for left, right in pairwise(boxes):
        assert left.x1 < right.x0
        assert left.width == pytest.approx(right.width)
