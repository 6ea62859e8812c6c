"""Observations and actions of a test batch in shared memory, between the harness and an agent.

The memory belongs to an unnamed file whose descriptor is handed over, so nothing is left behind
when either side is killed. Both sides know the layout from the spaces alone.
"""

from __future__ import annotations

import mmap
import os
import tempfile
from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

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
            "observation": batch_space(observation_space, num_envs),
            "action": batch_space(action_space, num_envs),
            "done": spaces.MultiBinary(num_envs),
        }
        offsets, size = _layout(areas)
        self.descriptor = _make(size) if descriptor is None else descriptor
        self._memory = mmap.mmap(self.descriptor, size)
        self._areas = {
            name: _views(self._memory, area, offsets[name]) for name, area in areas.items()
        }

    def write(self, name: str, tree: Tree) -> None:
        """Copy a batch into an area."""
        _write(self._areas[name], tree)

    def read(self, name: str) -> Tree:
        """A copy of an area."""
        return _read(self._areas[name])

    def shrink(self, num_envs: int) -> None:
        """Use the first ``num_envs`` rows of every area from now on."""
        self._areas = {name: _head(area, num_envs) for name, area in self._areas.items()}

    def close(self) -> None:
        """Let go of the memory; the last side to do so frees it."""
        self._areas.clear()
        self._memory.close()
        os.close(self.descriptor)


def _layout(areas: Mapping[str, spaces.Space[Any]]) -> tuple[dict[str, int], int]:
    offsets, size = {}, 0
    for name, area in areas.items():
        offsets[name] = size
        size += _size(area)
    return offsets, size


def _make(size: int) -> int:
    if hasattr(os, "memfd_create"):
        descriptor = os.memfd_create("mlds-bench")
    else:
        descriptor, name = tempfile.mkstemp()
        os.unlink(name)  # noqa: PTH108 - the file lives on without a name
    os.ftruncate(descriptor, size)
    return descriptor


def _size(space: spaces.Space[Any]) -> int:
    if isinstance(space, spaces.Dict):
        return sum(_size(inner) for inner in space.spaces.values())
    count = int(np.prod(space.shape or ())) * np.dtype(space.dtype).itemsize
    return -(-count // ALIGNMENT) * ALIGNMENT


def _views(memory: mmap.mmap, space: spaces.Space[Any], offset: int) -> Tree:
    if isinstance(space, spaces.Dict):
        views = {}
        for key, inner in space.spaces.items():
            views[key] = _views(memory, inner, offset)
            offset += _size(inner)
        return views
    shape = space.shape or ()
    view: npt.NDArray[Any] = np.ndarray(shape, space.dtype, memory, offset)
    return view


def _head(views: Tree, rows: int) -> Tree:
    if isinstance(views, Mapping):
        return {key: _head(view, rows) for key, view in views.items()}
    return views[:rows]


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
