"""Observations and actions of a test batch in shared memory, between the harness and an agent.

The memory belongs to an unnamed file whose descriptor is handed over, so nothing is left behind
when either side is killed. Both sides know the layout from the spaces alone.
"""

from __future__ import annotations

import math
import mmap
import os
import tempfile
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

Tree: TypeAlias = Any
ALIGNMENT = 64


class Exchange:
    """The three areas of a test batch: observation, action and done.

    Args:
        observation_space: of one instance.
        action_space: of one instance.
        num_envs: instances in the test batch.
        descriptor: of the memory made by the other side; None makes it.
    """

    def __init__(
        self,
        observation_space: spaces.Space[Any],
        action_space: spaces.Space[Any],
        num_envs: int,
        descriptor: int | None = None,
    ) -> None:
        areas = {
            "observation": observation_space,
            "action": action_space,
            "done": spaces.MultiBinary([]),
        }
        offsets, size = _layout(areas, num_envs)
        self.descriptor = _make(size) if descriptor is None else descriptor
        self._memory = mmap.mmap(self.descriptor, size)
        self._areas = {
            name: _views(self._memory, area, num_envs, offsets[name])
            for name, area in areas.items()
        }

    def write(self, name: str, tree: Tree) -> None:
        """Copy a batch into an area."""
        _write(self._areas[name], tree)

    def read(self, name: str) -> Tree:
        """A copy of an area."""
        return _read(self._areas[name])

    def close(self) -> None:
        """Let go of the memory; the last side to do so frees it."""
        self._areas.clear()
        self._memory.close()
        os.close(self.descriptor)


def _layout(areas: Mapping[str, spaces.Space[Any]], num_envs: int) -> tuple[dict[str, int], int]:
    offsets, size = {}, 0
    for name, area in areas.items():
        offsets[name] = size
        size += _size(area, num_envs)
    return offsets, size


def _make(size: int) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("mlds-bench")
    else:
        descriptor, name = tempfile.mkstemp()
        os.unlink(name)  # noqa: PTH108 - the file lives on without a name
    os.ftruncate(descriptor, size)
    return descriptor


def _size(space: spaces.Space[Any], num_envs: int) -> int:
    """Bytes of a batch: a batch's own space would tile its bounds over all instances."""
    if isinstance(space, spaces.Dict):
        return sum(_size(inner, num_envs) for inner in space.spaces.values())
    count = num_envs * math.prod(space.shape or ()) * np.dtype(space.dtype).itemsize
    return -(-count // ALIGNMENT) * ALIGNMENT


def _views(memory: mmap.mmap, space: spaces.Space[Any], num_envs: int, offset: int) -> Tree:
    if isinstance(space, spaces.Dict):
        views = {}
        for key, inner in space.spaces.items():
            views[key] = _views(memory, inner, num_envs, offset)
            offset += _size(inner, num_envs)
        return views
    shape = (num_envs, *(space.shape or ()))
    view: npt.NDArray[Any] = np.ndarray(shape, space.dtype, memory, offset)
    return view


def _write(views: Tree, tree: Tree) -> None:
    if isinstance(views, Mapping):
        for key, view in views.items():
            _write(view, tree[key])
    else:
        np.copyto(views, tree)


def _read(views: Tree) -> Tree:
    if isinstance(views, Mapping):
        return {key: _read(view) for key, view in views.items()}
    return views.copy()
