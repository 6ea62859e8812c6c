"""Views against literals."""

from __future__ import annotations

import numpy as np
import pytest
from gymnasium.spaces import Box

from mlds_bench.envs.atari.view import View
from tests.envs.atari.makers import view_of

OLD = np.array([1_000_000])


@pytest.mark.parametrize(
    ("view", "space"),
    [
        (view_of(), Box(0, 255, (4, 84, 84), np.uint8)),
        (view_of(size=42, stack=2, color=True), Box(0, 255, (6, 42, 42), np.uint8)),
        (view_of(size=80, stack=1, difference=True), Box(-255, 255, (1, 80, 80), np.int16)),
        (view_of(stack=2, color=True, difference=True), Box(-255, 255, (6, 84, 84), np.int16)),
    ],
)
def test_spaces(view: View, space: Box) -> None:
    """Channels first; differences have a sign; a difference needs a frame more."""
    assert view.space == space
    assert view.frames == view.stack + view.difference


def test_frames_are_shown_as_they_are() -> None:
    """The same memory: nothing is copied."""
    frames = np.arange(2 * 3 * 16 * 16, dtype=np.uint16).astype(np.uint8).reshape(2, 3, 16, 16)
    shown = view_of(size=16, stack=3).show(frames, np.array([2, 9]))
    assert np.shares_memory(shown, frames)
    np.testing.assert_array_equal(shown, frames)


def test_colors_become_channels_frame_by_frame() -> None:
    """Red, green, blue of the older frame, then of the newer."""
    frames = np.zeros((1, 2, 16, 16, 3), np.uint8)
    frames[0, 0] = [1, 2, 3]
    frames[0, 1] = [4, 5, 6]
    shown = view_of(size=16, stack=2, color=True).show(frames, OLD)
    assert shown[0, :, 7, 7].tolist() == [1, 2, 3, 4, 5, 6]


def test_differences_have_a_sign() -> None:
    """200 after 10, then 10 after 200; 8 bits would wrap."""
    frames = np.empty((1, 3, 16, 16), np.uint8)
    frames[0] = np.array([10, 200, 10])[:, None, None]
    shown = view_of(size=16, stack=2, difference=True).show(frames, OLD)
    assert shown[0, :, 0, 0].tolist() == [190, -190]


@pytest.mark.parametrize(
    ("difference", "history", "expected"),
    [
        (False, [1, 3, 5], [[0, 0, 5], [0, 3, 5], [1, 3, 5], [1, 3, 5]]),
        (True, [90, 1, 3, 5], [[0, 0, 0], [0, 0, 2], [0, 2, 2], [-89, 2, 2]]),
    ],
)
def test_what_lies_before_the_episode_is_blank(
    difference: bool, history: list[int], expected: list[list[int]]
) -> None:
    """At ages 0, 1, 2, 3; a difference with a frame from before the start is nothing, too."""
    frames = np.empty((4, len(history), 16, 16), np.uint8)
    frames[:] = np.array(history)[:, None, None]
    shown = view_of(size=16, stack=3, difference=difference).show(frames, np.arange(4))
    assert shown[:, :, 0, 0].tolist() == expected
