"""How images of a new domain are made: turned, or with light and dark exchanged."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.envs.classification.specs import BRIGHTEST, DEGREES

Images: TypeAlias = npt.NDArray[np.uint8]
PIECE = 4096
"""Images that are turned at once: what is summed up stays in the cache."""


def shifted(images: Images, shift: str) -> Images:
    """Images (n, H, W, C) uint8 of a domain: ``none``, ``rotated`` or ``inverted``."""
    return _SHIFTS[shift](images)


def rotated(images: Images, degrees: float = DEGREES) -> Images:
    """Images turned counterclockwise about their middle, with bilinear interpolation.

    Args:
        images: (n, H, W, C) uint8.
        degrees: angle. What comes from outside of the picture is black.

    Returns:
        (n, H, W, C) uint8, rounded.
    """
    height, width = images.shape[1:3]
    places, weights = _neighbors(height, width, math.radians(degrees))
    flat = images.reshape(len(images), height * width, -1)
    turned = np.empty_like(flat)
    for start in range(0, len(flat), PIECE):
        piece = flat[start : start + PIECE].astype(np.float32)
        total = np.zeros_like(piece)
        for place, weight in zip(places, weights, strict=True):
            total += piece[:, place] * weight[:, None]
        turned[start : start + PIECE] = np.rint(total)
    return turned.reshape(images.shape)


def inverted(images: Images) -> Images:
    """Light and dark exchanged: 255 minus each value."""
    return BRIGHTEST - images


def _neighbors(
    height: int, width: int, angle: float
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.float32]]:
    """For each target pixel the four source pixels (4, H W) and their weights (4, H W)."""
    rows, columns = np.mgrid[:height, :width].reshape(2, -1).astype(np.float64)
    y, x = rows - (height - 1) / 2.0, columns - (width - 1) / 2.0
    source_y = np.cos(angle) * y + np.sin(angle) * x + (height - 1) / 2.0
    source_x = -np.sin(angle) * y + np.cos(angle) * x + (width - 1) / 2.0
    top, left = np.floor(source_y), np.floor(source_x)
    places, weights = [], []
    for down in (0, 1):
        for right in (0, 1):
            r, c = top + down, left + right
            inside = (r >= 0) & (r < height) & (c >= 0) & (c < width)
            share = (1.0 - np.abs(source_y - r)) * (1.0 - np.abs(source_x - c))
            places.append(np.where(inside, r * width + c, 0).astype(np.intp))
            weights.append(np.where(inside, share, 0.0).astype(np.float32))
    return np.array(places), np.array(weights)


_SHIFTS: Mapping[str, Callable[[Images], Images]] = MappingProxyType(
    {"none": lambda images: images, "rotated": rotated, "inverted": inverted}
)
