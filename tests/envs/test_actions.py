"""Every wrong action is refused with its value and its bound, every right one is taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from mlds_bench.envs.actions import InvalidAction, check_actions, integer_bounds

BOX = spaces.Box(-2.0, np.array([2.0, 3.0]), (2,), np.float64)
FREE = spaces.Box(-np.inf, np.inf, (1,), np.float32)
PIXELS = spaces.Box(0, 9, (2,), np.uint8)
COMPOSITE = spaces.Dict({"go": spaces.Discrete(2, start=1), "v": spaces.Box(-1, 1, (1,))})
MASK = np.array([[True, True, False], [False, True, True]])

REFUSED: dict[str, tuple[spaces.Space[Any], Any, str]] = {
    "NaN": (BOX, [[0, 0], [0, np.nan]], "action[1, 1] is nan, outside [-2, 3]: clip it"),
    "infinite": (BOX, [[0, 0], [np.inf, 0]], "action[1, 0] is inf, outside [-2, 2]"),
    "too large": (BOX, [[0, 3.5], [0, 0]], "action[0, 1] is 3.5, outside [-2, 3]"),
    "too small": (BOX, [[0, 0], [-2.25, 0]], "action[1, 0] is -2.25, outside [-2, 2]"),
    "unbounded": (FREE, [[np.inf], [0]], "action[0, 0] is inf, outside [-3.40282e+38, 3.40"),
    "overflow": (FREE, [[0], [-1e60]], "action[1, 0] is -inf, outside [-3.40282e+38, 3.40"),
    "unbatched": (BOX, [0, 0], "action has shape (2,), expected (2, 2) (instances first)"),
    "one short": (BOX, [[0, 0]], "action has shape (1, 2), expected (2, 2)"),
    "ragged": (BOX, [[0, 0], [0]], "action is no array: "),
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


def test_a_masked_action_is_named_with_the_legal_ones() -> None:
    """Who plays a masked action hears which ones are legal there."""
    with pytest.raises(InvalidAction, match=r"action\[1\] is 0, masked there by info") as refusal:
        check_actions(spaces.Discrete(3), [0, 0], 2, MASK)
    assert str(refusal.value).endswith("legal are 1, 2")
    with pytest.raises(InvalidAction, match=r"action\[0\] is 7, masked .*: legal are 5, 6"):
        check_actions(spaces.Discrete(3, start=5), [7, 7], 2, MASK)


def test_a_long_list_of_legal_actions_is_cut() -> None:
    """A vocabulary of thousands does not flood the message."""
    mask = np.ones((1, 3000), np.bool_)
    mask[0, 4] = False
    with pytest.raises(InvalidAction, match=r"legal are 0, 1, 2, 3, 5, 6, 7, 8, \.\.\. \(2999 "):
        check_actions(spaces.Discrete(3000), [4], 1, mask)


def test_right_actions_come_back_in_the_type_of_the_space() -> None:
    """Bounds are inside, lists and other number types are converted, legal masked ones pass."""
    box = check_actions(BOX, [[-2, 3], [2, -2]], 2)
    assert box.dtype == np.float64
    assert box.tolist() == [[-2.0, 3.0], [2.0, -2.0]]
    assert check_actions(FREE, [[1e30], [-1e30]], 2).dtype == np.float32
    assert check_actions(PIXELS, [[0, 9], [3, 4]], 2).dtype == np.uint8
    discrete = check_actions(spaces.Discrete(3), np.array([1, 2], np.int8), 2, MASK)
    assert discrete.dtype == np.int64
    composite = check_actions(COMPOSITE, {"v": [[0.5], [1]], "go": [1, 2]}, 2)
    assert composite["go"].tolist() == [1, 2]
    assert composite["v"].dtype == np.float32


def test_a_first_check_leaves_continuous_values_to_the_last() -> None:
    """Shapes, kinds and integers are refused at once, so that nothing wraps on its way."""
    action = {"v": np.array([[np.nan], [7.0]]), "go": [1, 2]}
    first = check_actions(COMPOSITE, action, 2, is_last=False)
    assert first["v"].dtype == np.float32
    with pytest.raises(InvalidAction, match="is nan, outside"):
        check_actions(COMPOSITE, first, 2)
    for wrong in (
        {**action, "v": [[0.0]]},
        {**action, "v": [["a"], ["b"]]},
        {**action, "go": [1, 3]},
    ):
        with pytest.raises(InvalidAction):
            check_actions(COMPOSITE, wrong, 2, is_last=False)


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
