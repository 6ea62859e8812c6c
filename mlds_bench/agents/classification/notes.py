"""What a trained network leaves beside its weights: the course's plot, and a few measures."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from mlds_bench.agents.classification.training import History

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLOT, MEASURES = "training.png", "measures.json"
MOST_POINTS = 200
"""Points of a curve; each is the mean over equally many steps."""


def write_notes(folder: Path, history: History, measures: dict[str, float]) -> None:
    """Write the plot of a training and its measures; nothing where nothing was learned.

    Args:
        folder: an existing folder.
        history: of the training.
        measures: name -> value; what is no finite number becomes null.
    """
    if not history.images:
        return
    from mlds_bench.common import canvas  # matplotlib takes a while, and most agents only play

    finite = {name: value if math.isfinite(value) else None for name, value in measures.items()}
    (folder / MEASURES).write_text(json.dumps(finite, indent=1) + "\n", encoding="utf-8")
    with canvas.styled():
        canvas.save(plot(history), folder / PLOT)


def plot(history: History) -> Figure:
    """Training loss and training accuracy against images seen."""
    from mlds_bench.common import canvas

    note = f"each image before it is learned from; {history.images_seen:,} images"
    figure = canvas.new_figure(8.4, 3.6, "Training", note)
    images, loss, accuracy = (
        thinned(values) for values in (history.images, history.loss, history.accuracy)
    )
    left, right = canvas.add_panels(figure, 2)
    _curve(left, images, loss, "training loss (cross-entropy)", canvas.POSITIVE)
    if min(loss) > 0.0:
        left.set_yscale("log")
    _curve(right, images, accuracy, "training accuracy", canvas.ACCENT)
    right.set_ylim(min(accuracy) - 0.02, 1.02)
    return figure


def thinned(values: list[float] | list[int]) -> list[float]:
    """At most `MOST_POINTS` means over neighbors, the same number of them but for rounding."""
    parts = np.array_split(np.asarray(values, np.float64), min(len(values), MOST_POINTS))
    return [float(part.mean()) for part in parts]


def _curve(axes: Axes, x: list[float], y: list[float], title: str, color: str) -> None:
    axes.plot(x, y, color=color, linewidth=1.4, marker="o" if len(x) == 1 else None)
    axes.set_title(title)
    axes.set_xlabel("images seen")
    axes.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}")
    axes.locator_params(axis="x", nbins=5)
    axes.grid(visible=True, axis="y")
