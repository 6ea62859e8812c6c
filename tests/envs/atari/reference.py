"""The same game by other means: Gymnasium's wrappers on ale-py's single environment.

Gymnasium's preprocessing takes its resizing from OpenCV, which is no dependency of ours: here it is
given an area average written from its definition.
"""

from __future__ import annotations

import sys
from types import ModuleType
from typing import Any

import ale_py
import gymnasium
import numpy as np
import numpy.typing as npt
import pytest
from ale_py.vector_env import AtariVectorEnv
from gymnasium.wrappers import AtariPreprocessing, FrameStackObservation

from mlds_bench.envs.atari.data import find_rom
from mlds_bench.envs.atari.specs import Protocol
from mlds_bench.envs.streams import Streams

Array = npt.NDArray[Any]


def overlaps(pixels: int, size: int) -> npt.NDArray[np.float64]:
    """(size, pixels): the share of each of ``size`` equal cells that each pixel covers."""
    edges = np.arange(size + 1) * pixels / size
    left, right = np.arange(pixels), np.arange(1, pixels + 1)
    shared = np.minimum(edges[1:, None], right) - np.maximum(edges[:-1, None], left)
    return np.asarray(np.clip(shared, 0.0, None) * size / pixels)


def area_average(picture: Array, size: tuple[int, int], interpolation: int) -> Array:
    """Mean of a picture (H, W) or (H, W, 3) over the cells of a grid of size (width, height)."""
    assert interpolation == 3
    rows, columns = overlaps(picture.shape[0], size[1]), overlaps(picture.shape[1], size[0])
    mean = np.einsum("ih,jw,hw...->ij...", rows, columns, picture.astype(float), optimize=True)
    return np.asarray(np.rint(mean), np.uint8)


def give_gymnasium_its_resizing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in for OpenCV with `area_average`."""
    cv2: Any = ModuleType("cv2")
    cv2.INTER_AREA, cv2.resize = 3, area_average
    monkeypatch.setitem(sys.modules, "cv2", cv2)


def emulator_seeds(seed: int, num_envs: int) -> Array:
    """The emulators' seeds in a batch that was reset with ``seed``."""
    streams = Streams(seed, num_envs)
    return streams.integers(streams.everyone, 2**31 - 1, 1)[:, 0] + 1


class Opening(gymnasium.Wrapper[Any, Any, Any, Any]):
    """Begins every game with FIRE, if asked, and frames of no-ops."""

    def __init__(self, env: gymnasium.Env[Any, Any], *, fire: bool, noops: int) -> None:
        super().__init__(env)
        self.presses = [1] * fire + [0] * noops

    def reset(self, **kwargs: Any) -> Any:
        start = self.env.reset(**kwargs)
        for press in self.presses:
            self.env.step(press)
        return start


def reference_game(
    protocol: Protocol, seed: int, *, size: int = 84, stack: int = 4, color: bool = False
) -> gymnasium.Env[Any, Any]:
    """Gymnasium's AtariPreprocessing and FrameStackObservation on the emulator's own seed."""
    gymnasium.register_envs(ale_py)
    game = gymnasium.make(
        f"ALE/{protocol.game.capitalize()}-v5",
        frameskip=1,
        repeat_action_probability=protocol.sticky,
        max_num_frames_per_episode=108_000,
    )
    ale = game.unwrapped.ale  # type: ignore[attr-defined]
    ale.setInt("random_seed", seed)
    ale.loadROM(find_rom(protocol.game))
    opened = Opening(game, fire=protocol.fire_reset, noops=opening_noops(protocol, seed))
    seen = AtariPreprocessing(
        opened, noop_max=0, frame_skip=4, screen_size=size, grayscale_obs=not color
    )
    return FrameStackObservation(seen, stack, padding_type="zero")


def opening_noops(protocol: Protocol, seed: int) -> int:
    """How many no-ops the emulator draws from its seed: frames of the opening, less FIRE."""
    vector = AtariVectorEnv(
        protocol.game, 1, noop_max=protocol.noop_max, use_fire_reset=protocol.fire_reset
    )
    _, infos = vector.reset(seed=np.array([seed]))
    return int(infos["episode_frame_number"][0]) - protocol.fire_reset
