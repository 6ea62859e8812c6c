"""How a study draws and stores what lies on the line between two networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from matplotlib.axes import Axes

from mlds_bench.common.canvas import FAINT, SERIES
from mlds_bench.measures.interpolation import Profile

POSITIONS = np.linspace(-1.0, 2.0, 31)
"""a in [-1, 2], as the course has it: the two networks are at 0 and 1."""


def stored(profiles: Mapping[str, Profile]) -> dict[str, Any]:
    """Profiles as a report has them."""
    return {
        "positions": POSITIONS.tolist(),
        **{
            name: {"loss": one.loss.tolist(), "accuracy": one.accuracy.tolist()}
            for name, one in profiles.items()
        },
    }


def restored(line: Mapping[str, Any]) -> dict[str, Profile]:
    """The same, back from a report."""
    return {
        name: Profile(np.array(one["loss"]), np.array(one["accuracy"]))
        for name, one in line.items()
        if name != "positions"
    }


def plot_profiles(panels: tuple[Axes, Axes], profiles: Mapping[str, Profile], label: str) -> None:
    """Loss, on a logarithmic axis, and accuracy: a line per split, a mark at either network."""
    for axes, kind in zip(panels, ("loss", "accuracy"), strict=True):
        for end in (0.0, 1.0):
            axes.axvline(end, color=FAINT, linewidth=0.8, linestyle=":")
        for color, style, (name, one) in zip(SERIES, ("-", "--"), profiles.items(), strict=False):
            values, ends = getattr(one, kind), np.searchsorted(POSITIONS, [-1e-9, 1.0 - 1e-9])
            look: dict[str, Any] = {"color": color, "linestyle": style, "linewidth": 1.8}
            axes.plot(POSITIONS, values, label=name, **look)
            axes.plot(POSITIONS[ends], values[ends], "o", color=color, markersize=5.0)
        axes.grid(visible=True, axis="y")
        axes.set(xlabel=label)
    panels[0].set(yscale="log", title="cross-entropy between the two")
    panels[1].set(ylim=(0.0, 1.02), title="accuracy between the two")
    panels[1].legend(loc="lower center")
