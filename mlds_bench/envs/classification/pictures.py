"""The picture of a test: which classes are taken for which, and the worst mistakes."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from mlds_bench.common.canvas import ACCENT, FAINT, INK, add_panels, new_figure, save, styled
from mlds_bench.envs.classification.data import HELD_OUT, Images, Labels, held_out_images
from mlds_bench.envs.classification.scoring import classes_said
from mlds_bench.envs.classification.shifts import shifted
from mlds_bench.envs.classification.specs import BRIGHTEST, CLASSES, Settings
from mlds_bench.envs.core import Recorder

ROWS, COLUMNS = 4, 8
"""Of the sheet of mistakes."""
DARK = 0.5
"""Share from which a cell of the table of mistakes is dark, and its number white."""


def draw(recording: Recorder, folder: Path, settings: Settings) -> list[Path]:
    """Write ``answers.png`` and return its path.

    Args:
        recording: of the test split.
        folder: an existing folder.
        settings: of the environment.
    """
    with styled():
        return [save(answers(recording, settings), folder / "answers.png")]


def watched_instances(settings: Settings) -> int:
    """Instances that have to play for the picture: the whole deck of the test."""
    held_out = settings.images.test
    return held_out + held_out // 2 + (held_out if settings.has_new_domain else 0)


def answers(recording: Recorder, settings: Settings) -> Figure:
    """The confusion matrix of the held-out images, and the mistakes said most confidently.

    Args:
        recording: of the test split.
        settings: of the environment.
    """
    arrays = recording.arrays()
    hidden: dict[str, Labels] = arrays["oracle"]
    asked = np.flatnonzero(hidden["part"] == HELD_OUT)
    action, truth = arrays["action"][asked], hidden["truth"][asked]
    said = classes_said(action)
    right = f"{np.count_nonzero(said == truth):,} of {len(truth):,} held-out images right"
    domain = f", {settings.shift}" if settings.has_new_domain else ""
    figure = new_figure(10.6, 5.2, f"{settings.dataset}{domain}: the answers", right)
    left, right_panel = add_panels(figure, 2, left=1.0, gap=0.4)
    _show_confusion(left, truth, said, settings.images.classes)
    worst = _worst(action, said, truth)
    if len(worst):
        images = shifted(held_out_images(settings)[0][hidden["row"][asked[worst]]], settings.shift)
        _show_mistakes(right_panel, images, truth[worst], said[worst], settings.images.classes)
    else:
        right_panel.set_axis_off()
    return figure


def confusion(truth: Labels, said: Labels) -> npt.NDArray[np.int64]:
    """How often a class (rows) is taken for a class (columns), (10, 10) int64."""
    counts = np.bincount(truth * CLASSES + said, minlength=CLASSES**2)
    return counts.reshape(CLASSES, CLASSES)


def _worst(action: npt.NDArray[Any], said: Labels, truth: Labels) -> npt.NDArray[np.intp]:
    """The mistakes that the sheet has room for, the most confident first."""
    wrong = np.flatnonzero(said != truth)
    if action.ndim == 2:
        wrong = wrong[np.argsort(-action[wrong].max(axis=1), kind="stable")]
    return wrong[: ROWS * COLUMNS]


def _show_confusion(axes: Axes, truth: Labels, said: Labels, classes: tuple[str, ...]) -> None:
    counts = confusion(truth, said)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    axes.imshow(share, cmap="Blues", vmin=0.0, vmax=1.0)
    for row, column in zip(*np.nonzero(counts), strict=True):
        color = "white" if share[row, column] > DARK else INK if row == column else ACCENT
        text = str(counts[row, column])
        axes.text(column, row, text, ha="center", va="center", size=7, color=color)
    angle = 45.0 if max(map(len, classes)) > 1 else 0.0
    axes.set_xticks(range(CLASSES), classes, rotation=angle, ha="right" if angle else "center")
    axes.set_yticks(range(CLASSES), classes)
    axes.tick_params(length=0)
    axes.set_title("true class (row), class said (column)")
    axes.spines[["left", "bottom"]].set_visible(False)


def _show_mistakes(
    axes: Axes, images: Images, truth: Labels, said: Labels, classes: tuple[str, ...]
) -> None:
    """A sheet of images, each with what was said and what it is."""
    axes.set_axis_off()
    axes.set_title("mistakes: said (true)", pad=12.0)
    for place, image in enumerate(images):
        row, column = divmod(place, COLUMNS)
        tile = axes.inset_axes(
            (column / COLUMNS, 1.0 - (row + 1) / ROWS, 0.88 / COLUMNS, 0.68 / ROWS)
        )
        pixels = image if image.shape[-1] == 3 else image[..., 0]
        tile.imshow(pixels, cmap="gray", vmin=0, vmax=BRIGHTEST)
        tile.set_title(
            f"{classes[said[place]]}\n({classes[truth[place]]})", size=6.5, pad=2, loc="center"
        )
        tile.set_xticks([])
        tile.set_yticks([])
        tile.spines[:].set(visible=True, color=FAINT, linewidth=0.5)
