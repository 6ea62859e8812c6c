from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces

from mlds_bench.agents.baselines.tallies import best_constant, look, make_tally


@pytest.mark.parametrize(
    ("space", "batches", "best"),
    [
        (spaces.Box(-2, 2, (1,), np.float64), [[[0.5], [1.5]], [[-1.0], [0.0]]], [0.25]),
        (spaces.Box(-2, 0.1, (1,), np.float64), [[[0.5], [1.5]]], [0.1]),
        (spaces.Box(0, 255, (2,), np.uint8), [[[1, 200], [2, 201]]], [2, 200]),
        (spaces.Discrete(5), [[3, 3], [1, 1], [4, 3]], 3),
        (spaces.Discrete(3, start=7), [[9, 8], [9, 7]], 9),
        (spaces.MultiDiscrete([2, 4]), [[[0, 3], [1, 3]], [[1, 2], [1, 0]]], [1, 3]),
        (spaces.MultiBinary(2), [[[0, 1], [0, 1]], [[1, 1], [0, 0]]], [0, 1]),
    ],
)
def test_the_best_constant(space: Any, batches: list[Any], best: Any) -> None:
    """The mean of a Box within its bounds, the mode of each component elsewhere."""
    tally = make_tally(space)
    for batch in batches:
        assert look(tally, np.array(batch), len(batch))
    got = best_constant(tally, None)
    np.testing.assert_array_equal(got, best)
    assert got.dtype == space.dtype


def test_the_mean_is_exact_over_many_batches_of_small_floats() -> None:
    """Sums are in float64, however many float32 there are."""
    tally = make_tally(spaces.Box(0, 1, (1,), np.float32))
    for _ in range(50):
        look(tally, np.full((1000, 1), 0.1, np.float32), 1000)
    assert best_constant(tally, None)[0] == np.float32(0.1)


@pytest.mark.parametrize(
    ("space", "oracle"),
    [
        (spaces.Discrete(3), None),
        (spaces.Discrete(3), np.array([0, 3])),
        (spaces.Discrete(3), np.array([-1, -1])),
        (spaces.Discrete(3), np.array([0.0, 1.0])),
        (spaces.Discrete(3), np.array([[0], [1]])),
        (spaces.Discrete(3), {"a": np.array([0, 1])}),
        (spaces.Box(0, 1, (2,)), np.array([0.0, 1.0])),
        (spaces.Box(0, 1, (1,)), np.array([[0.0], [np.nan]])),
        (spaces.Box(0, 1, (1,)), np.array([["a"], ["b"]])),
        (spaces.Dict(a=spaces.Discrete(2)), np.array([0, 1])),
        (spaces.Dict(a=spaces.Discrete(2)), {"b": np.array([0, 1])}),
    ],
)
def test_what_does_not_look_like_an_action_is_not_counted(space: Any, oracle: Any) -> None:
    """Another shape, kind or range is no action; the constant stays what it was."""
    tally = make_tally(space)
    assert not look(tally, oracle, 2)
    before = {"a": 7} if isinstance(space, spaces.Dict) else 7
    assert best_constant(tally, before) == before


def test_parts_of_a_dictionary_are_counted_apart() -> None:
    """What the oracle knows is used, the rest stays."""
    tally = make_tally(spaces.Dict(a=spaces.Discrete(3), b=spaces.Box(0, 1, (1,))))
    assert look(tally, {"a": np.array([2, 2])}, 2)
    assert best_constant(tally, {"a": 0, "b": 0.5}) == {"a": 2, "b": 0.5}


def test_instances_of_which_nothing_is_told_are_left_out() -> None:
    """-1 stands for no label; the others count."""
    tally = make_tally(spaces.Discrete(3))
    assert look(tally, np.array([-1, 2, -1, 2, 1]), 5)
    assert best_constant(tally, None) == 2
