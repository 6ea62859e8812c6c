"""Every wrong action is refused with its value and its bound, every right one is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from mlds_bench.envs.actions import (
    InvalidAction,
    cast_actions,
    check_actions,
    integer_bounds,
    legal_action,
)

BOX = spaces.Box(-2.0, np.array([2.0, 3.0]), (2,), np.float64)
FREE = spaces.Box(-np.inf, np.inf, (1,), np.float32)
PIXELS = spaces.Box(0, 9, (2,), np.uint8)
COMPOSITE = spaces.Dict({"go": spaces.Discrete(2, start=1), "v": spaces.Box(-1, 1, (1,))})

REFUSED: dict[str, tuple[spaces.Space[Any], Any, str]] = {
    "NaN": (BOX, [[0, 0], [0, np.nan]], "action[1, 1] is nan, outside [-2, 3]: clip it"),
    "infinite": (BOX, [[0, 0], [np.inf, 0]], "action[1, 0] is inf, outside [-2, 2]"),
    "too large": (BOX, [[0, 3.5], [0, 0]], "action[0, 1] is 3.5, outside [-2, 3]"),
    "too small": (BOX, [[0, 0], [-2.25, 0]], "action[1, 0] is -2.25, outside [-2, 2]"),
    "unbounded": (FREE, [[np.inf], [0]], "action[0, 0] is inf, outside [-3.40282e+38, 3.40"),
    "overflow": (FREE, [[0], [-1e60]], "action[1, 0] is -inf, outside [-3.40282e+38, 3.40"),
    "unbatched": (BOX, [0, 0], "action has shape (2,), expected (2, 2) (instances first)"),
    "one short": (BOX, [[0, 0]], "action has shape (1, 2), expected (2, 2)"),
    "ragged": (BOX, [[0, 0], [0]], "action is not an array: "),
    "text": (BOX, [["up", "up"]] * 2, "action must hold numbers, got list of <U2"),
    "nothing": (BOX, None, "action must hold numbers, got NoneType of object"),
    "complex": (BOX, np.zeros((2, 2), complex), "must hold numbers, got ndarray of complex128"),
    "no such choice": (spaces.Discrete(3), [0, 3], "action[1] is 3, outside 0..2"),
    "negative": (spaces.Discrete(3), [-1, 0], "action[0] is -1, outside 0..2"),
    "before start": (spaces.Discrete(3, start=5), [5, 4], "action[1] is 4, outside 5..7"),
    "whole floats": (spaces.Discrete(3), [0.0, 1.0], "action must hold integers, got float64"),
    "one of several": (
        spaces.MultiDiscrete([4, 5]),
        [[3, 4], [3, 5]],
        "action[1, 1] is 5, outside 0..4",
    ),
    "no bit": (spaces.MultiBinary(2), [[0, 1], [2, 0]], "action[1, 0] is 2, outside 0..1"),
    "no pixel": (PIXELS, [[0, 1], [0, 300]], "action[1, 1] is 300, outside 0..9"),
    "no mapping": (COMPOSITE, [1, 1], "must be a mapping with the keys ['go', 'v'], got list"),
    "a key short": (COMPOSITE, {"go": [1, 1]}, "with the keys ['go', 'v'], got ['go']"),
    "a key more": (
        COMPOSITE,
        {"go": [1, 1], "v": [[0], [0]], 3: 0},
        "with the keys ['go', 'v'], got ['3', 'go', 'v']",
    ),
    "inside": (
        COMPOSITE,
        {"go": [1, 1], "v": [[0], [7]]},
        "action['v'][1, 0] is 7, outside [-1, 1]",
    ),
}


@pytest.mark.parametrize(("space", "action", "message"), REFUSED.values(), ids=REFUSED)
def test_a_wrong_action_is_named(space: spaces.Space[Any], action: Any, message: str) -> None:
    """The message holds the place, the value and the bound."""
    with pytest.raises(InvalidAction) as refusal:
        check_actions(space, action, 2)
    assert message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_right_actions_come_back_in_the_type_of_the_space() -> None:
    """Bounds are inside, lists and other number types are converted."""
    box = check_actions(BOX, [[-2, 3], [2, -2]], 2)
    assert box.dtype == np.float64
    assert box.tolist() == [[-2.0, 3.0], [2.0, -2.0]]
    assert check_actions(FREE, [[1e30], [-1e30]], 2).dtype == np.float32
    assert check_actions(PIXELS, [[0, 9], [3, 4]], 2).dtype == np.uint8
    discrete = check_actions(spaces.Discrete(3), np.array([1, 2], np.int8), 2)
    assert discrete.dtype == np.int64
    composite = check_actions(COMPOSITE, {"v": [[0.5], [1]], "go": [1, 2]}, 2)
    assert composite["go"].tolist() == [1, 2]
    assert composite["v"].dtype == np.float32


def test_a_cast_leaves_continuous_values_to_the_check() -> None:
    """Shapes, kinds and integers are refused at once, so that nothing wraps around on its way."""
    action = {"v": np.array([[np.nan], [7.0]]), "go": [1, 2]}
    cast = cast_actions(COMPOSITE, action, 2)
    assert cast["v"].dtype == np.float32
    with pytest.raises(InvalidAction, match="is nan, outside"):
        check_actions(COMPOSITE, cast, 2)
    for wrong in (
        {**action, "v": [[0.0]]},
        {**action, "v": [["a"], ["b"]]},
        {**action, "go": [1, 3]},
    ):
        with pytest.raises(InvalidAction):
            cast_actions(COMPOSITE, wrong, 2)


def test_rows_that_are_ignored_hold_something_legal_afterwards() -> None:
    """Their values do not matter, their shape does; the caller's array stays as it is."""
    ignored = np.array([True, False])
    action = {"v": np.array([[np.nan], [0.5]]), "go": np.array([70, 2])}
    checked = check_actions(COMPOSITE, action, 2, ignored)
    assert checked["v"].tolist() == [[0.0], [0.5]]
    assert checked["go"].tolist() == [1, 2]
    assert action["go"].tolist() == [70, 2]
    with pytest.raises(InvalidAction, match=r"action\['go'\]\[1\] is 70, outside"):
        check_actions(COMPOSITE, {**action, "go": [1, 70]}, 2, ignored)
    with pytest.raises(InvalidAction, match="expected"):
        check_actions(COMPOSITE, {**action, "go": [1]}, 2, ignored)


@pytest.mark.parametrize(
    "space",
    [
        BOX,
        FREE,
        PIXELS,
        spaces.Discrete(3, start=5),
        spaces.Box(2.0, 3.0, (2,)),
        *[spaces.MultiDiscrete([2, 3], start=[1, 0]), spaces.MultiBinary(4)],
    ],
    ids=str,
)
def test_there_is_always_a_legal_action(space: spaces.Space[Any]) -> None:
    """Zero, or what is nearest to it."""
    check_actions(space, np.asarray(legal_action(space)).astype(space.dtype)[None], 1)


def test_integer_bounds_are_inclusive() -> None:
    """Smallest and largest legal value of every integer space."""
    assert integer_bounds(spaces.Discrete(3, start=-1)) == (-1, 1)
    low, high = integer_bounds(spaces.MultiDiscrete([2, 3], start=[1, 0]))
    assert (low.tolist(), high.tolist()) == ([1, 0], [2, 2])
    assert integer_bounds(spaces.MultiBinary(4)) == (0, 1)
    low, high = integer_bounds(PIXELS)
    assert (low.tolist(), high.tolist()) == ([0, 0], [9, 9])


def test_a_space_that_no_room_may_have_is_refused() -> None:
    """Text and sequences do not fit the policies that people bring."""
    with pytest.raises(TypeError, match="rooms act in Box, Discrete, MultiDiscrete"):
        integer_bounds(spaces.Text(3))
