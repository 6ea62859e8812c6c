"""Spaces: pictures in, classes or probabilities out, and nothing else."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete, Space

from mlds_bench.agents.base import Unsupported
from mlds_bench.agents.classification.spaces import (
    as_actions,
    as_images,
    class_count,
    image_shape,
)

SHARES = Box(0.0, 1.0, (3,), np.float32)


def test_pictures_and_classes_are_read_off_the_spaces() -> None:
    """Height, width, channels; and K, in both kinds of actions."""
    assert image_shape("mlp", Box(0, 255, (8, 9, 3), np.uint8)) == (8, 9, 3)
    assert class_count("mlp", Discrete(7)) == 7
    assert class_count("mlp", SHARES) == 3


@pytest.mark.parametrize(
    "space",
    [Box(0, 255, (8, 8), np.uint8), Box(0.0, 1.0, (8, 8, 1), np.float32), Discrete(3)],
    ids=str,
)
def test_what_is_no_picture_is_refused(space: Space[Any]) -> None:
    """In one line that says what would be right."""
    with pytest.raises(Unsupported, match=r"mlp looks at pictures.*Classification-v0") as caught:
        image_shape("mlp", space)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "space",
    [
        Discrete(3, start=1),
        Box(-1.0, 1.0, (3,), np.float32),
        Box(0.0, np.inf, (3,), np.float32),
        Box(0.0, 1.0, (3, 1), np.float32),
        Box(0, 1, (3,), np.int64),
    ],
    ids=str,
)
def test_what_is_no_class_is_refused(space: Space[Any]) -> None:
    """Neither are probabilities that may be negative."""
    with pytest.raises(Unsupported, match="mlp says classes"):
        class_count("mlp", space)


def test_probabilities_become_the_actions_of_the_space() -> None:
    """Themselves, within the bounds; or the likeliest class."""
    probabilities = torch.tensor([[0.2, 0.5, 0.3], [1.0000001, 0.0, -1e-9]])
    shares, classes = as_actions(SHARES, probabilities), as_actions(Discrete(3), probabilities)
    assert shares.dtype == np.float32
    np.testing.assert_array_equal(shares, np.array([[0.2, 0.5, 0.3], [1.0, 0.0, 0.0]], np.float32))
    assert classes.tolist() == [1, 0]
    assert classes.dtype == np.int64


def test_a_diverged_network_has_no_opinion() -> None:
    """Instead of an action that is no number."""
    probabilities = torch.tensor([[float("nan")] * 4])
    assert as_actions(Box(0.0, 1.0, (4,), np.float32), probabilities).tolist() == [[0.25] * 4]
    assert as_actions(Discrete(4), probabilities).tolist() == [0]


def test_observations_become_tensors_without_a_warning() -> None:
    """Also those that are read-only or not contiguous."""
    observations = np.arange(24, dtype=np.uint8).reshape(2, 3, 4, 1)
    observations.flags.writeable = False
    expected = observations[:, ::-1].tolist()
    assert as_images(observations[:, ::-1]).tolist() == expected
    assert as_images(observations).dtype == torch.uint8
