"""Pictures of a test: how good the choices were; and of the zoo: what foretells test accuracy."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlds_bench.common.canvas import (
    ACCENT,
    FAINT,
    POSITIVE,
    SERIES,
    add_panels,
    new_figure,
    save,
    styled,
)
from mlds_bench.envs.core import Recorder
from mlds_bench.envs.generalization.data import (
    candidate_mask,
    dataset_rows,
    load_table,
    setting_column,
    shown_probes,
)
from mlds_bench.envs.generalization.expectations import hit_probability
from mlds_bench.envs.generalization.scoring import regret
from mlds_bench.envs.generalization.specs import (
    CANDIDATES,
    PROBES,
    HyperparameterSearchSettings,
    ModelSelectionSettings,
)

WATCHED = 200
"""Instances that have to play for a picture."""
SHOWN = ("flatness", "margin", "sensitivity", "parameter_count")
"""Probes in the picture of the zoo."""


def draw(
    recording: Recorder,
    folder: Path,
    settings: ModelSelectionSettings | HyperparameterSearchSettings,
) -> list[Path]:
    """Write ``choices.png`` and return its path.

    Args:
        recording: of the test split.
        folder: an existing folder.
        settings: of the environment.
    """
    is_selection = isinstance(settings, ModelSelectionSettings)
    with styled():
        ends = recording.arrays()
        figure = selection_figure(ends) if is_selection else search_figure(ends)
        return [save(figure, folder / "choices.png")]


def watched_instances(
    settings: ModelSelectionSettings | HyperparameterSearchSettings,  # noqa: ARG001
) -> int:
    """Instances that have to play for the picture."""
    return WATCHED


def selection_figure(ends: dict[str, Any]) -> Figure:
    """What was chosen against the best of the eight, and the true place of the choices."""
    lost, best = regret(ends["place"], ends["accuracy"]), ends["accuracy"].max(1)
    note = f"mean regret {lost.mean():.4f} in test accuracy, over {len(lost):,} episodes"
    figure = new_figure(9.6, 4.4, "The choices", note)
    left, right = add_panels(figure, 2)
    left.plot([best.min(), best.max()], [best.min(), best.max()], color=FAINT, linewidth=0.8)
    left.plot(best, best - lost, "o", color=ACCENT, markersize=3.0, alpha=0.5)
    left.set(xlabel="test accuracy of the best of the eight", title="test accuracy of the choice")
    place = (ends["accuracy"] > (best - lost)[:, None] + 1e-12).sum(1) + 1
    shares = np.bincount(place, minlength=CANDIDATES + 1)[1:] / len(place)
    right.bar(np.arange(1, CANDIDATES + 1), shares, color=POSITIVE)
    right.axhline(1.0 / CANDIDATES, color=FAINT, linestyle=(0, (4, 2)), linewidth=1.0)
    right.set(xlabel="true place of the choice (dashed: by chance)", title="share of episodes")
    return figure


def search_figure(ends: dict[str, Any]) -> Figure:
    """How far up the choices rank, beside random tries that could see the test, and regrets."""
    rank, total = np.sort(ends["rank"]), int(ends["settings"][0])
    tries = round(float(ends["tries"].mean()))
    note = f"mean regret {ends['regret'].mean():.4f}, {len(rank):,} episodes, {tries} tries each"
    figure = new_figure(9.6, 4.4, "The choices", note)
    left, right = add_panels(figure, 2)
    top = np.arange(1, total + 1)
    shares = np.searchsorted(rank, top, side="right") / len(rank)
    chance = [hit_probability(tries, int(k), total) for k in top]
    left.semilogx(top, chance, color=FAINT, linestyle=(0, (4, 2)), label=f"1 - (1 - K/N)^{tries}")
    left.semilogx(top, shares, color=ACCENT, label="the choices")
    left.legend(loc="lower right")
    left.set(xlabel=f"K, of N = {total} settings", title="share of choices in the top K")
    right.hist(ends["regret"], bins=30, color=POSITIVE)
    right.set(xlabel="regret in test accuracy", title="episodes")
    return figure


def zoo_figure(dataset: str) -> Figure:
    """Test accuracy of all candidates of a data set over some of their probes."""
    fits = candidate_mask(dataset)
    accuracy = load_table()["test_accuracy"][dataset_rows(dataset)][fits]
    noise = setting_column(dataset, "label_noise")[fits]
    shown = shown_probes(dataset)[fits]
    note = f"{fits.sum()} networks of {dataset} that fit at least 99 % of their training labels"
    figure = new_figure(12.6, 3.9, "Which of them generalize?", note)
    for name, axes in zip(SHOWN, add_panels(figure, len(SHOWN), gap=0.5), strict=True):
        _scatter(axes, shown[:, list(PROBES).index(name)], accuracy, noise)
        kind = "log10 of " if PROBES[name].logarithmic else ""
        axes.set(xlabel=f"{kind}{name.replace('_', ' ')}")
    figure.axes[0].set_title("test accuracy")
    figure.axes[0].legend(loc="lower right", handletextpad=0.1)
    return figure


def _scatter(axes: Axes, x: Any, y: Any, noise: Any) -> None:
    for share, color in zip(np.unique(noise), SERIES, strict=False):
        here = noise == share
        label = f"{share:.0%} wrong labels"
        axes.plot(x[here], y[here], "o", color=color, markersize=2.4, alpha=0.6, label=label)
