"""The animation of a game, and the sheet of what the agent saw."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlds_bench.envs.atari.env import Breakout
from mlds_bench.envs.atari.pictures import SCALE, SHOWN_EVERY, animate, draw, show_view
from mlds_bench.envs.atari.playback import SCREEN, Game
from mlds_bench.envs.atari.specs import BREAKOUT, PONG
from mlds_bench.envs.atari.view import View
from tests.envs.atari.makers import view_of

DECISIONS = 21


@pytest.fixture
def game() -> Game:
    return Game(BREAKOUT, 3, tuple(np.random.default_rng(0).integers(4, size=DECISIONS).tolist()))


def frames_of(path: Path) -> list[Image.Image]:
    with Image.open(path) as image:
        return [_at(image, index) for index in range(getattr(image, "n_frames", 1))]


def _at(image: Image.Image, index: int) -> Image.Image:
    image.seek(index)
    return image.convert("RGB")


def test_the_animation_shows_the_screen_in_its_colors(game: Game, tmp_path: Path) -> None:
    """Every second decision, each pixel doubled, no color changed."""
    frames = frames_of(animate(game, tmp_path / "game.gif"))
    screens = list(game.screens())[::SHOWN_EVERY]
    assert 1 < len(frames) <= len(screens)  # equal ones in a row are one that stays longer
    for frame, screen in zip((frames[0], frames[-1]), (screens[0], screens[-1]), strict=True):
        assert frame.size == (SCREEN[1] * SCALE, SCREEN[0] * SCALE)
        assert np.array_equal(np.asarray(frame)[::SCALE, ::SCALE], screen)


def test_the_animation_runs_at_twice_the_speed_of_the_game(game: Game, tmp_path: Path) -> None:
    """21 decisions are 1.4 seconds; GIFs count in hundredths."""
    with Image.open(animate(game, tmp_path / "game.gif")) as image:
        length = 0
        for index in range(getattr(image, "n_frames", 1)):
            image.seek(index)
            length += image.info["duration"]
    assert length == pytest.approx(1000 * DECISIONS * 4 / 60 / 2, abs=80)


@pytest.mark.parametrize(
    ("view", "rows"),
    [
        (view_of(size=20, stack=1), 1),
        (view_of(size=20, stack=3, color=True), 3),
        (view_of(size=20, stack=2, difference=True), 2),
        (view_of(size=20, stack=9), 6),
    ],
)
def test_the_sheet_has_a_row_a_frame(game: Game, tmp_path: Path, view: View, rows: int) -> None:
    with Image.open(show_view(game, view, tmp_path / "view.png")) as image:
        width, height = image.size
    assert height == pytest.approx(110 * (1.5 * rows + 0.95), abs=2)
    assert width == pytest.approx(110 * (1.5 * 6 + 0.3), abs=2)


def test_the_sheet_of_differences_is_gray_where_nothing_moves(tmp_path: Path) -> None:
    """Black and white are what went and what came."""
    game = Game(PONG, 3, (0,) * 40)
    view = view_of(size=20, stack=1, difference=True)
    (picture,) = frames_of(show_view(game, view, tmp_path / "view.png"))
    middle = np.asarray(picture)[-60, 90]
    assert (abs(middle.astype(int) - 127) <= 2).all()


def test_draw_takes_the_view_of_the_environment(tmp_path: Path) -> None:
    """Options that are no part of the view, like clipped rewards, are passed over."""
    options: dict[str, Any] = {"size": 20, "stack": 2, "actions": "reduced", "life_ends": True}
    env = Breakout(split="test", num_envs=2, **options)
    env.reset(seed=0)
    for _ in range(5):
        env.step(np.array([1, 2]))
    written = draw(env.recording, tmp_path, env.settings)
    assert [path.name for path in written] == ["game.gif", "view.png"]
    assert all(path.stat().st_size for path in written)


def test_the_same_game_gives_the_same_files(game: Game, tmp_path: Path) -> None:
    first, second = (animate(game, tmp_path / name).read_bytes() for name in ("a.gif", "b.gif"))
    assert first == second
