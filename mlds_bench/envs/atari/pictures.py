"""Pictures of a test: its first game as an animation, and what the agent saw of it."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import numpy as np
import numpy.typing as npt
from PIL import Image

from mlds_bench.common.canvas import FAINT, new_figure, save, styled
from mlds_bench.envs.atari.playback import Game, read_game
from mlds_bench.envs.atari.specs import FRAME_SKIP, FRAMES_PER_SECOND, Settings
from mlds_bench.envs.atari.view import Picture, View
from mlds_bench.envs.core import Recorder

Pixels = npt.NDArray[np.uint8]

SHOWN_EVERY = 2
"""Decisions from one picture of the animation to the next."""
SPEED = 2.0
"""Of the animation, in units of the game's own."""
SCALE = 2
"""Pixels of the animation per pixel of the screen."""
COLORS = 64
MOMENTS = 6
"""Columns of the sheet: at even distances over what was traced."""
MOST_FRAMES = 6
"""Rows of the sheet: the newest, of a longer stack."""
PANEL = 1.5
"""Inches of a picture on the sheet."""
PALETTE_FROM = 12
"""Pictures that the colors of an animation are taken from."""


def draw(recording: Recorder, folder: Path, settings: Settings) -> list[Path]:
    """Write ``game.gif`` and ``view.png``, and return their paths.

    Args:
        recording: of the test split, with its trace.
        folder: an existing folder.
        settings: of the environment, with the agent's view.
    """
    game, view = read_game(recording), View.of(settings)
    return [animate(game, folder / "game.gif"), show_view(game, view, folder / "view.png")]


def animate(game: Game, path: Path) -> Path:
    """Write the game as a GIF that repeats, at twice its speed."""
    pictures = [_enlarged(screen) for screen in islice(game.screens(), 0, None, SHOWN_EVERY)]
    palette = _common_palette(pictures)
    shown = [
        Image.fromarray(one).quantize(palette=palette, dither=Image.Dither.NONE) for one in pictures
    ]
    milliseconds = 1000.0 * SHOWN_EVERY * FRAME_SKIP / FRAMES_PER_SECOND / SPEED
    shown[0].save(
        path,
        save_all=True,
        append_images=shown[1:],
        duration=round(milliseconds, -1),
        loop=0,
        optimize=False,
    )
    return path


def show_view(game: Game, view: View, path: Path) -> Path:
    """Write what the agent saw at some moments: one column per moment, the newest frame lowest."""
    moments = sorted(set(np.linspace(0, len(game.buttons), MOMENTS + 1).astype(int)[1:].tolist()))
    seen = [one for age, one in enumerate(game.observations(view)) if age in moments]
    columns = [_frames(observation, view)[-MOST_FRAMES:] for observation in seen]
    rows, what = len(columns[0]), "differences of frames" if view.difference else "frames"
    width, height = PANEL * len(columns) + 0.3, PANEL * rows + 0.95
    note = f"{view.size} x {view.size} pixels, {view.stack} {what}, the newest at the bottom"
    with styled():
        figure = new_figure(width, height, "What the agent sees", note)
        edges = {"left": 0.15 / width, "right": 1.0 - 0.15 / width}
        grid = figure.add_gridspec(
            rows, len(columns), **edges, bottom=0.15 / height, top=1.0 - 0.8 / height, wspace=0.05
        )
        for column, (moment, frames) in enumerate(zip(moments, columns, strict=True)):
            for row, frame in enumerate(frames):
                axes = figure.add_subplot(grid[row, column])
                axes.imshow(frame, cmap="gray", vmin=0, vmax=255, interpolation="nearest")
                axes.set_axis_off()
                if not row:
                    axes.set_title(f"decision {moment}", color=FAINT, fontsize=7.5, pad=3.0)
        return save(figure, path)


def _frames(observation: Picture, view: View) -> list[Pixels]:
    """The frames of an observation as pictures; of differences, no change is middle gray."""
    shown = (observation + 255) // 2 if view.difference else observation
    frames = shown.astype(np.uint8).reshape(view.stack, -1, *view.shape)
    return [np.moveaxis(frame, 0, -1) if view.color else frame[0] for frame in frames]


def _enlarged(screen: Pixels) -> Pixels:
    return screen.repeat(SCALE, axis=0).repeat(SCALE, axis=1)


def _common_palette(pictures: list[Pixels]) -> Image.Image:
    """The colors of the game, from some of its pictures: all have the same, and none flickers."""
    some = pictures[:: max(len(pictures) // PALETTE_FROM, 1)]
    return Image.fromarray(np.concatenate(some)).quantize(COLORS)
