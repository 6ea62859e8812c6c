"""The action check: every action of every room passes here, and a wrong one is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
from gymnasium import spaces


class InvalidAction(ValueError):
    """An action that is not in its space: NaN, wrong shape or kind, out of range, or masked."""


def check_actions(
    space: spaces.Space[Any],
    actions: Any,
    num_envs: int,
    mask: npt.NDArray[np.bool_] | None = None,
    *,
    is_last: bool = True,
) -> Any:
    """Return a batch of actions as arrays of the space's dtype, or raise `InvalidAction`.

    Args:
        space: the space of one instance: Box, Discrete, MultiDiscrete, MultiBinary or a Dict.
        actions: (num_envs, *shape), or a mapping of such for a Dict.
        num_envs: size of the batch.
        mask: (num_envs, n) bool, True where an action of a Discrete space is legal.
        is_last: whether nobody looks at them after this; else the values of a continuous space
            are left to the check that follows.
    """
    return _check(space, actions, num_envs, mask, "action", is_last=is_last)


def _check(
    space: spaces.Space[Any],
    actions: Any,
    num_envs: int,
    mask: npt.NDArray[np.bool_] | None,
    name: str,
    *,
    is_last: bool,
) -> Any:
    if isinstance(space, spaces.Dict):
        if not isinstance(actions, Mapping) or set(actions) != set(space.spaces):
            is_mapping = isinstance(actions, Mapping)
            got = sorted(map(str, actions)) if is_mapping else type(actions).__name__
            raise InvalidAction(
                f"{name} must be a mapping with the keys {sorted(space.spaces)}, got {got}"
            )
        return {
            key: _check(inner, actions[key], num_envs, None, f"{name}[{key!r}]", is_last=is_last)
            for key, inner in space.spaces.items()
        }
    array = _as_array(actions, (num_envs, *(space.shape or ())), name)
    if isinstance(space, spaces.Box) and space.dtype is not None and space.dtype.kind == "f":
        with np.errstate(over="ignore"):  # what the smaller type cannot hold becomes infinite
            array = array.astype(space.dtype, copy=False)
        return _check_box(space, array, name) if is_last else array
    return _check_integers(space, array, mask, name)


def _as_array(actions: Any, shape: tuple[int, ...], name: str) -> npt.NDArray[Any]:
    try:
        array = np.asarray(actions)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InvalidAction(f"{name} is no array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise InvalidAction(
            f"{name} must hold numbers, got {type(actions).__name__} of {array.dtype}"
        )
    if array.shape != shape:
        raise InvalidAction(f"{name} has shape {array.shape}, expected {shape} (instances first)")
    return array


def _check_box(space: spaces.Box, array: npt.NDArray[Any], name: str) -> npt.NDArray[Any]:
    finite = np.finfo(array.dtype)
    narrowest = max(space.low.max(), finite.min), min(space.high.min(), finite.max)
    if array.size and array.min() >= narrowest[0] and array.max() <= narrowest[1]:
        return array  # NaN survives both: one pass over memory, and no axis
    low, high = np.maximum(space.low, finite.min), np.minimum(space.high, finite.max)
    if not (np.all(array.min(axis=0) >= low) and np.all(array.max(axis=0) <= high)):
        index = tuple(int(i) for i in np.argwhere(~((array >= low) & (array <= high)))[0])
        bound = f"[{low[index[1:]]:g}, {high[index[1:]]:g}]"
        raise InvalidAction(
            f"{name}{list(index)} is {array[index]:g}, outside {bound}: clip it to the action space"
        )
    return array


def _check_integers(
    space: spaces.Space[Any],
    array: npt.NDArray[Any],
    mask: npt.NDArray[np.bool_] | None,
    name: str,
) -> npt.NDArray[Any]:
    if array.dtype.kind == "f":
        raise InvalidAction(f"{name} must hold integers, got {array.dtype}")
    low, high = integer_bounds(space)
    wrong = (array < low) | (array > high)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        bounds = np.broadcast_to(low, array.shape)[index], np.broadcast_to(high, array.shape)[index]
        raise InvalidAction(
            f"{name}{list(index)} is {array[index]}, outside {bounds[0]}..{bounds[1]}"
        )
    array = array.astype(space.dtype, copy=False)
    if mask is not None:
        illegal = ~np.take_along_axis(mask, (array - low)[:, None], axis=1)[:, 0]
        if illegal.any():
            row = int(np.flatnonzero(illegal)[0])
            legal = (np.flatnonzero(mask[row]) + low).tolist()
            raise InvalidAction(
                f"{name}[{row}] is {array[row]}, masked there by info['action_mask']: "
                f"legal are {_shorten(legal)}"
            )
    return array


def integer_bounds(space: spaces.Space[Any]) -> tuple[Any, Any]:
    """Smallest and largest legal value (both inclusive) of an integer space."""
    if isinstance(space, spaces.Discrete):
        return int(space.start), int(space.start + space.n - 1)
    if isinstance(space, spaces.MultiDiscrete):
        return space.start, space.start + space.nvec - 1
    if isinstance(space, spaces.MultiBinary):
        return 0, 1
    if isinstance(space, spaces.Box):
        return space.low, space.high
    raise TypeError(f"rooms act in Box, Discrete, MultiDiscrete, MultiBinary or Dict, not {space}")


def _shorten(values: list[int], most: int = 8) -> str:
    shown = ", ".join(map(str, values[:most]))
    return shown if len(values) <= most else f"{shown}, ... ({len(values)} in all)"
