"""Checks of single values: kinds, bounds, and what is shown of a wrong one."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from mlds_bench.common.checks import (
    MOST_SHOWN,
    finite_number,
    name_in,
    one_of,
    shown,
    text,
    true_or_false,
    whole_number,
)


class Unshowable:
    """Its repr fails."""

    def __repr__(self) -> str:
        raise RuntimeError("no")


def test_numpy_numbers_are_numbers() -> None:
    """They become Python's own, so that records and JSON can hold them."""
    for given in (7, np.int64(7), np.uint8(7)):
        assert type(whole_number("n", given, 0)) is int
    for half in (0.5, np.float32(0.5), np.float64(0.5), Fraction(1, 2)):
        assert finite_number("p", half, 0.0, 1.0) == 0.5
        assert type(finite_number("p", half, 0.0, 1.0)) is float
    assert finite_number("p", np.int8(1), 0.0) == 1.0
    assert true_or_false("b", np.True_) is True


WRONG: list[Any] = [
    None, True, np.True_, "3", b"3", "", 1.5, float("nan"), float("inf"), 10**400, -(10**400),
    1j, [], [1], (1, 2), {}, {1}, np.zeros(3), np.zeros(()), np.array([["a"]]), object(),
    Unshowable(), int, len, "\n", "x" * 10**6, [[0] * 1000] * 1000,
]  # fmt: skip


@pytest.mark.parametrize(
    "check",
    [
        lambda value: whole_number("it", value, 0, 9),
        lambda value: finite_number("it", value, 2.0, 9.0),
        lambda value: one_of("it", value, ("a", "b")),
        lambda value: name_in("it", value, ("sinc", "sgn")),
    ],
)
@pytest.mark.parametrize("value", WRONG, ids=range(len(WRONG)))
def test_whatever_is_wrong_gets_one_line(check: Callable[[Any], Any], value: Any) -> None:
    """It is refused by name, never with a TypeError of its own."""
    with pytest.raises(ValueError, match=r"^(it must be|unknown it)") as error:
        check(value)
    line = str(error.value)
    assert "\n" not in line
    assert len(line) < 150


def test_flags_and_text_are_of_their_kind() -> None:
    """1 is no flag, a number no text."""
    assert text("game", "pong") == "pong"
    with pytest.raises(ValueError, match=r"^game must be text, got 5$"):
        text("game", 5)
    for wrong in (0, 1, "false", None, np.int64(1), np.array([True])):
        with pytest.raises(ValueError, match=r"^color must be True or False, got "):
            true_or_false("color", wrong)


def test_what_is_shown_is_one_short_line() -> None:
    """Arrays in one line, long values cut, huge numbers by their size."""
    assert shown("no") == "'no'"
    assert shown(np.eye(2)) == "array([[1., 0.], [0., 1.]])"
    assert len(shown("x" * 10**6)) == MOST_SHOWN
    assert shown(10**6000) == "a whole number of 19932 bits"
    assert shown(Unshowable()) == "a Unshowable"
