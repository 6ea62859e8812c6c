"""New domains against another library and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import ndimage

from mlds_bench.envs.classification.shifts import inverted, rotated, shifted
from mlds_bench.envs.classification.specs import DEGREES, SHIFTS

RANDOM = np.random.default_rng(0).integers(256, size=(5, 9, 9, 3), dtype=np.uint8)


@pytest.mark.parametrize("degrees", [45.0, -30.0, 7.0])
def test_turning_agrees_with_scipy(degrees: float) -> None:
    """Bilinear, about the middle, counterclockwise; away from the rim, where libraries differ."""
    turned = rotated(RANDOM, degrees).astype(int)
    other = ndimage.rotate(
        RANDOM.astype(np.float64), degrees, axes=(1, 2), reshape=False, order=1, cval=0.0
    )
    inside = (slice(None), slice(3, 6), slice(3, 6))
    assert np.abs(turned[inside] - other[inside]).max() <= 1.0


def test_a_quarter_turn_moves_every_pixel() -> None:
    """Exactly what numpy's rot90 does; four of them do nothing."""
    assert np.array_equal(rotated(RANDOM, 90.0), np.rot90(RANDOM, axes=(1, 2)))
    image = RANDOM
    for _ in range(4):
        image = rotated(image, 90.0)
    assert np.array_equal(image, RANDOM)


def test_a_turn_keeps_a_disk() -> None:
    """What lies round about the middle stays as it is."""
    y, x = np.mgrid[:28, :28] - 13.5
    disk = np.where(np.hypot(x, y) < 9.0, 200, 0).astype(np.uint8)[None, ..., None]
    turned = rotated(disk, DEGREES)
    assert np.abs(turned[np.hypot(x, y)[None] < 7.0].astype(int) - 200).max() <= 1
    assert turned[np.hypot(x, y)[None] > 11.0].max() == 0


def test_inverting_exchanges_light_and_dark() -> None:
    """255 - x, in uint8, and twice is nothing."""
    assert inverted(np.array([0, 1, 255], np.uint8)).tolist() == [255, 254, 0]
    assert np.array_equal(inverted(inverted(RANDOM)), RANDOM)


def test_every_shift_changes_images_but_none() -> None:
    """The names of the settings are those of the functions."""
    changes = {name: not np.array_equal(shifted(RANDOM, name), RANDOM) for name in SHIFTS}
    assert changes == {"none": False, "rotated": True, "inverted": True}
