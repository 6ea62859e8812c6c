"""The action check: every action of every room passes here, and a wrong one is named."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
from gymnasium import spaces

Flags: TypeAlias = npt.NDArray[np.bool_]


class InvalidAction(ValueError):
    """An action that is not in its space: NaN, wrong shape or kind, or out of range."""


def check_actions(
    space: spaces.Space[Any], actions: Any, num_envs: int, ignored: Flags | None = None
) -> Any:
    """Return a batch of actions as arrays of the space's dtype, or raise `InvalidAction`.

    Args:
        space: the space of one instance: Box, Discrete, MultiDiscrete, MultiBinary or a Dict.
        actions: (num_envs, *shape), or a mapping of such for a Dict.
        num_envs: size of the batch.
        ignored: (num_envs,) bool, the rows whose values do not matter; a legal action takes the
            place of whatever stands there.
    """
    cast = _cast(space, actions, num_envs, ignored, "action")
    _check_bounds(space, cast, "action")
    return cast


def cast_actions(space: spaces.Space[Any], actions: Any, num_envs: int) -> Any:
    """The first half of `check_actions`, for callers who hand the actions on to it.

    Shapes, kinds and integers are checked, so that nothing wraps around in the space's dtype;
    continuous values are not.
    """
    return _cast(space, actions, num_envs, None, "action")


def _cast(
    space: spaces.Space[Any], actions: Any, num_envs: int, ignored: Flags | None, name: str
) -> Any:
    if isinstance(space, spaces.Dict):
        if not isinstance(actions, Mapping) or set(actions) != set(space.spaces):
            is_mapping = isinstance(actions, Mapping)
            got = sorted(map(str, actions)) if is_mapping else type(actions).__name__
            raise InvalidAction(
                f"{name} must be a mapping with the keys {sorted(space.spaces)}, got {got}"
            )
        return {
            key: _cast(inner, actions[key], num_envs, ignored, f"{name}[{key!r}]")
            for key, inner in space.spaces.items()
        }
    array = _as_array(actions, (num_envs, *(space.shape or ())), name)
    if array.dtype.kind == "f" and not _is_continuous(space):
        raise InvalidAction(f"{name} must hold integers, got {array.dtype}")
    if ignored is not None and ignored.any():
        array = array.copy()
        array[ignored] = legal_action(space)
    if _is_continuous(space):
        with np.errstate(over="ignore"):  # what the smaller type cannot hold becomes infinite
            return array.astype(space.dtype, copy=False)
    _check_integers(space, array, name)
    return array.astype(space.dtype, copy=False)


def _is_continuous(space: spaces.Space[Any]) -> bool:
    return isinstance(space, spaces.Box) and np.dtype(space.dtype).kind == "f"


def _as_array(actions: Any, shape: tuple[int, ...], name: str) -> npt.NDArray[Any]:
    try:
        array = np.asarray(actions)
    except (ValueError, TypeError, RuntimeError) as error:
        raise InvalidAction(f"{name} is not an array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise InvalidAction(
            f"{name} must hold numbers, got {type(actions).__name__} of {array.dtype}"
        )
    if array.shape != shape:
        raise InvalidAction(f"{name} has shape {array.shape}, expected {shape} (instances first)")
    return array


def _check_bounds(space: spaces.Space[Any], cast: Any, name: str) -> None:
    """Of continuous spaces; integers were checked before they were cast."""
    if isinstance(space, spaces.Dict):
        for key, inner in space.spaces.items():
            _check_bounds(inner, cast[key], f"{name}[{key!r}]")
    elif isinstance(space, spaces.Box) and _is_continuous(space):
        _check_box(space, cast, name)


def _check_box(space: spaces.Box, array: npt.NDArray[Any], name: str) -> None:
    finite = np.finfo(array.dtype)
    narrowest = max(space.low.max(), finite.min), min(space.high.min(), finite.max)
    if array.size and array.min() >= narrowest[0] and array.max() <= narrowest[1]:
        return  # NaN makes both comparisons False; without an axis it is one pass over memory
    low, high = np.maximum(space.low, finite.min), np.minimum(space.high, finite.max)
    if not (np.all(array.min(axis=0) >= low) and np.all(array.max(axis=0) <= high)):
        index = tuple(int(i) for i in np.argwhere(~((array >= low) & (array <= high)))[0])
        bound = f"[{low[index[1:]]:g}, {high[index[1:]]:g}]"
        raise InvalidAction(
            f"{name}{list(index)} is {array[index]:g}, outside {bound}: clip it to the action space"
        )


def _check_integers(space: spaces.Space[Any], array: npt.NDArray[Any], name: str) -> None:
    low, high = integer_bounds(space)
    wrong = (array < low) | (array > high)
    if wrong.any():
        index = tuple(int(i) for i in np.argwhere(wrong)[0])
        bounds = np.broadcast_to(low, array.shape)[index], np.broadcast_to(high, array.shape)[index]
        raise InvalidAction(
            f"{name}{list(index)} is {array[index]}, outside {bounds[0]}..{bounds[1]}"
        )


def legal_action(space: spaces.Space[Any]) -> Any:
    """A legal action of one instance, in a space that is no Dict: zero, or the nearest to it."""
    low, high = integer_bounds(space)
    return np.clip(np.zeros(space.shape or ()), low, high)


def integer_bounds(space: spaces.Space[Any]) -> tuple[Any, Any]:
    """Smallest and largest legal value (both inclusive) of an integer space, or of a Box."""
    if isinstance(space, spaces.Discrete):
        return int(space.start), int(space.start + space.n - 1)
    if isinstance(space, spaces.MultiDiscrete):
        return space.start, space.start + space.nvec - 1
    if isinstance(space, spaces.MultiBinary):
        return 0, 1
    if isinstance(space, spaces.Box):
        return space.low, space.high
    raise TypeError(f"rooms act in Box, Discrete, MultiDiscrete, MultiBinary or Dict, not {space}")
