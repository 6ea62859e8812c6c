"""What stands in a picture and should: labels within the figure, data within the axes."""

from __future__ import annotations

from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

SLACK = 1.0
"""Pixels that a letter may lean over the edge."""


def cut_off(figure: Figure) -> list[str]:
    """What of a figure does not stand within it as a whole: axes with their labels, words."""
    canvas: Any = FigureCanvasAgg(figure)
    canvas.draw()
    edge, found = figure.bbox, []
    for artist in (*figure.axes, *figure.texts, *figure.legends):
        box = artist.get_tightbbox(canvas.get_renderer())
        assert box is not None
        beyond = (edge.x0 - box.x0, edge.y0 - box.y0, box.x1 - edge.x1, box.y1 - edge.y1)
        if max(beyond) > SLACK:
            found.append(f"{artist}: {[round(pixels) for pixels in beyond]} pixels beyond")
    return found


def out_of_limits(axes: Axes) -> list[str]:
    """The lines of flat axes with points beyond their limits; lines over the whole width aside."""
    (left, right), (low, high) = sorted(axes.get_xlim()), sorted(axes.get_ylim())
    found = []
    for line in axes.get_lines():
        if line.get_transform() == axes.transData:
            x, y = np.asarray(line.get_xdata(), float), np.asarray(line.get_ydata(), float)
            inside = (x >= left) & (x <= right) & (y >= low) & (y <= high)
            found += [] if inside.all() else [str(line.get_label())]
    return found
