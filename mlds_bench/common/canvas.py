"""How all pictures look, and how they are saved: colors, type, small deterministic files.

Figures are made with matplotlib's objects, on its Agg canvas and without pyplot: nothing global
changes, no window opens.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

import matplotlib
import matplotlib.style
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from PIL import Image

from mlds_bench.common.files import replacing

INK = "#22262B"
FAINT = "#8A9099"
ACCENT = "#D55E00"
"""Vermillion: what the eye should find first."""
POSITIVE, NEGATIVE = "#0072B2", ACCENT
SERIES = (
    "#0072B2",
    "#E69F00",
    "#009E73",
    "#CC79A7",
    "#56B4E9",
    "#D55E00",
    "#7F6A00",
    "#5B3A8C",
)
"""Eight colors that most color-blind people can tell apart (after Okabe and Ito 2008)."""
HEIGHTS = "YlGnBu_r"
"""Colors of heights, from dark to light, so that they tell the same to the color-blind."""
SHADES = "viridis"
"""Colors of marks on white."""
DOTS_PER_INCH = 110
PNG_COLORS = 255
FORMATS = ("png", "pdf", "svg")
"""What a figure can be saved as: the ending of its file."""

_LOOK: dict[str, object] = {
    "font.family": "DejaVu Sans",
    "font.size": 9.0,
    "text.color": INK,
    "axes.edgecolor": FAINT,
    "axes.labelcolor": INK,
    "axes.linewidth": 0.8,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlesize": 10.0,
    "axes.titlelocation": "left",
    "axes.titlepad": 8.0,
    "axes.grid": False,
    "grid.color": "#DDE0E4",
    "grid.linewidth": 0.6,
    "xtick.color": FAINT,
    "ytick.color": FAINT,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
    "xtick.labelsize": 8.0,
    "ytick.labelsize": 8.0,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "figure.facecolor": "white",
    "lines.solid_capstyle": "round",
    "lines.solid_joinstyle": "round",
}


@contextmanager
def styled() -> Iterator[None]:
    """Matplotlib as it comes, whatever the user's settings, with the look of this project."""
    with matplotlib.style.context(["default", _LOOK]):
        yield


def new_figure(width: float, height: float, title: str, note: str = "") -> Figure:
    """An empty figure of this size in inches, with a title and a fainter line below it."""
    figure = Figure((width, height), dpi=DOTS_PER_INCH)
    figure.text(0.16 / width, 1.0 - 0.14 / height, title, size=12, weight="bold", va="top")
    figure.text(0.16 / width, 1.0 - 0.40 / height, note, size=8.5, color=FAINT, va="top")
    return figure


def add_panels(
    figure: Figure, count: int, *, left: float = 0.7, right: float = 0.25, gap: float = 0.75
) -> list[Axes]:
    """Panels side by side below the title, with margins and gaps in inches."""
    width, height = figure.get_size_inches()
    panel = (width - left - right - gap * (count - 1)) / count
    bottom, top = 0.55, 1.0
    return [
        figure.add_axes(
            (
                (left + index * (panel + gap)) / width,
                bottom / height,
                panel / width,
                (height - bottom - top) / height,
            )
        )
        for index in range(count)
    ]


def save(figure: Figure, path: Path) -> Path:
    """Write a figure; the same figure gives the same bytes, and a full disk no half of a file.

    Args:
        figure: what to write.
        path: its ending says how: ``.png`` of at most 255 colors, ``.pdf`` or ``.svg``.

    Raises:
        OSError: the folder cannot be made or written.
    """
    with replacing(path) as file:
        if path.suffix == ".png":
            _save_pixels(figure, file)
        else:
            date = {"pdf": "CreationDate", "svg": "Date"}[path.suffix[1:]]
            with matplotlib.rc_context({"svg.hashsalt": path.stem, "pdf.fonttype": 42}):
                figure.savefig(file, format=path.suffix[1:], metadata={date: None})
    return path


def _save_pixels(figure: Figure, file: IO[bytes]) -> None:
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[:, :, :3]
    image = Image.fromarray(np.ascontiguousarray(pixels))
    flat = image.quantize(PNG_COLORS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)
    flat.save(file, format="PNG", optimize=True)
