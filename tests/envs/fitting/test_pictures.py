"""The picture of a test: what stands in it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from mlds_bench.common.canvas import ACCENT, INK, styled
from mlds_bench.envs.fitting.env import FunctionFitting
from mlds_bench.envs.fitting.pictures import SMALLEST, draw, fit, watched_instances
from mlds_bench.envs.fitting.specs import NAMES, Array, Settings
from tests.inside import cut_off, out_of_limits

EXTRA: dict[str, dict[str, Any]] = {
    "power": {"degree": 3},
    "polynomial": {"coefficients": (0.5, -1.0)},
}
POINTS = 33**2


@pytest.fixture(autouse=True)
def look() -> Iterator[None]:
    with styled():
        yield


def played(predict: Callable[[Array], Array], **arguments: Any) -> FunctionFitting:
    """The whole grid of the test, once."""
    size = arguments.setdefault("test_points", POINTS)
    env = FunctionFitting(**arguments, num_envs=size, split="test", seed=0)
    x, _ = env.reset()
    env.step(predict(x)[:, None])
    return env


def noise(x: Array) -> Array:
    return np.random.default_rng(0).uniform(-2.0, 2.0, len(x))


@pytest.mark.parametrize("target", NAMES)
def test_every_target_has_its_picture(target: str, tmp_path: Path) -> None:
    """Labels within the figure, lines within their axes, and not blank."""
    arguments = {"target": target, **EXTRA.get(target, {})}
    env = played(noise, **arguments)
    figure = fit(env.recording, env.settings)
    assert cut_off(figure) == []
    assert [out_of_limits(axes) for axes in figure.axes] == [[]] * len(figure.axes)
    (path,) = draw(env.recording, tmp_path, env.settings)
    assert path.name == "fit.png"
    with Image.open(path) as image:
        shares = np.array([count for count, _ in image.getcolors() or ()], float)
    assert shares.max() < 0.97 * shares.sum()


def test_the_fit_lies_over_its_target() -> None:
    """In order of x, both of them; the note has the errors by hand."""
    env = played(lambda x: x[:, 0] ** 2 + 0.1, target="square")
    figure = fit(env.recording, env.settings)
    lines = {line.get_color(): line for line in figure.axes[0].get_lines()}
    x = np.asarray(lines[INK].get_xdata(), float)
    assert len(x) == POINTS
    assert (np.diff(x) > 0.0).all()
    np.testing.assert_allclose(np.asarray(lines[INK].get_ydata(), float), x**2)
    np.testing.assert_allclose(np.asarray(lines[ACCENT].get_ydata(), float), x**2 + 0.1)
    note = " ".join(text.get_text() for text in figure.texts)
    assert "x^2; root mean squared error 0.1, largest 0.1, at 1,089 points" in note


def test_one_bad_point_is_seen_among_good_ones() -> None:
    """Errors are shown by the largest of a bin, not by a mean or by some of them."""
    exact = Settings(target="sinc").make_target().function

    def predict(x: Array) -> Array:
        y = exact(x)
        y[17] -= 0.25
        return y

    env = played(predict, target="sinc")
    (line,) = fit(env.recording, env.settings).axes[1].get_lines()
    shown = np.asarray(line.get_ydata(), float)
    assert shown.max() == pytest.approx(0.25)
    assert np.median(shown) == SMALLEST


def test_a_single_point_is_a_dot() -> None:
    env = played(noise, target="sinc", test_points=1)
    figure = fit(env.recording, env.settings)
    markers = [line.get_marker() for axes in figure.axes for line in axes.get_lines()]
    assert markers == ["o"] * 3


def test_who_is_watched_plays_the_whole_grid() -> None:
    assert watched_instances(Settings(test_points=257)) == 257
