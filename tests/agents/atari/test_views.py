"""What fits the agents, and how pixels are scaled."""

from __future__ import annotations

from typing import Any

import gymnasium
import numpy as np
import pytest
import torch
from gymnasium.spaces import Box, Discrete

from mlds_bench.agents.atari.views import PixelScaling, view_shape
from mlds_bench.agents.base import Unsupported

PICTURES = Box(0, 255, (2, 42, 40), np.uint8)


@pytest.mark.parametrize(("low", "dtype"), [(0, np.uint8), (-255, np.int16)])
def test_pictures_and_differences_fit(low: int, dtype: Any) -> None:
    """Channels, height and width; number of actions."""
    assert view_shape("ppo", Box(low, 255, (2, 42, 40), dtype), Discrete(3)) == ((2, 42, 40), 3)


@pytest.mark.parametrize(
    ("space", "actions", "message"),
    [
        (Box(0.0, 1.0, (2, 9, 9)), Discrete(3), r"ppo plays .*, not Box float32 \(2, 9, 9\) to .*"),
        (Box(0, 255, (9, 9), np.uint8), Discrete(3), r"ppo plays .*: choose a variant of hw4"),
        (PICTURES, Box(0.0, 1.0, (1,)), r"ppo plays .* to Box float32 \(1,\): choose .*"),
        (Discrete(3), Discrete(3), r"ppo plays .*, not Discrete int64 \(\) to Discrete int64.*"),
        (PICTURES, Discrete(3, start=1), "ppo counts actions from 0, these begin at 1"),
    ],
)
def test_other_spaces_get_one_clear_line(
    space: gymnasium.Space[Any], actions: gymnasium.Space[Any], message: str
) -> None:
    """What it plays, what it was given, what to choose."""
    with pytest.raises(Unsupported, match=f"^{message}$"):
        view_shape("ppo", space, actions)


def test_unfitted_pixels_go_from_0_to_1() -> None:
    """The custom, until there is something to fit to."""
    scaled = PixelScaling((1, 1, 2))(torch.tensor([[[[0, 255]]]], dtype=torch.uint8))
    assert scaled.flatten().tolist() == [0.0, 1.0]


def test_pixels_are_measured_by_their_own_mean_and_deviation() -> None:
    """By hand: 0 and 200 lie one deviation off; what hardly moves is held against 4 levels."""
    scaling = PixelScaling((1, 1, 3))
    seen = torch.tensor([[0, 1, 9], [200, 3, 9]], dtype=torch.uint8).view(2, 1, 1, 3)
    scaling.fit([seen[:1], seen[1:]])
    assert scaling.mean.flatten().tolist() == [100.0, 2.0, 9.0]
    assert scaling(seen).flatten(1).tolist() == [[-1.0, -0.25, 0.0], [1.0, 0.25, 0.0]]


def test_where_a_wall_is_gone_the_ball_is_seen() -> None:
    """A pixel that never changed goes out by two halves of its mean; half lit, by one."""
    scaling, wall = PixelScaling((1, 1, 3)), torch.full((4, 1, 1, 3), 140, dtype=torch.uint8)
    scaling.fit([wall])
    gone = torch.tensor([0, 70, 144], dtype=torch.uint8).view(1, 1, 1, 3)
    assert scaling(gone).flatten().tolist() == pytest.approx([-2.0, -1.0, 1.0])
    changes = PixelScaling((1, 1, 1))
    changes.fit([torch.zeros((4, 1, 1, 1), dtype=torch.int16)])
    assert changes(torch.full((1, 1, 1, 1), -8, dtype=torch.int16)).item() == -2.0


def test_moments_do_not_depend_on_the_parts() -> None:
    """One rollout of many or many of one, against numpy."""
    seen = np.random.default_rng(0).integers(-255, 256, (1500, 2, 3, 4)).astype(np.int16)
    whole, parts = PixelScaling((2, 3, 4)), PixelScaling((2, 3, 4))
    whole.fit([torch.from_numpy(seen)])
    parts.fit(torch.from_numpy(seen[k : k + 100]) for k in range(0, 1500, 100))
    assert whole.mean.numpy() == pytest.approx(seen.mean(0), rel=1e-5, abs=1e-3)
    assert whole.scale.numpy() == pytest.approx(1.0 / seen.std(0), rel=1e-5)
    assert torch.equal(whole.mean, parts.mean)
    assert torch.allclose(whole.scale, parts.scale)


def test_bright_exceptions_are_clipped_and_the_input_is_left_alone() -> None:
    """20 deviations either way; what is below that is told apart."""
    scaling, seen = PixelScaling((1, 1, 4)), torch.zeros((4, 1, 1, 4), dtype=torch.int16)
    scaling.fit([seen])
    bright = torch.tensor([-255, 30, 60, 255], dtype=torch.int16).view(1, 1, 1, 4)
    assert scaling(bright).flatten().tolist() == [-20.0, 7.5, 15.0, 20.0]
    assert bright.flatten().tolist() == [-255, 30, 60, 255]
