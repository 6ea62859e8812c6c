"""Shared memory between the harness and an agent."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.vector.utils import batch_space

from mlds_bench.benchmarks.run.exchange import Exchange

NUMBER = 5
SPACES: dict[str, spaces.Space[Any]] = {
    "float64": spaces.Box(-1, 1, (3,), np.float64),
    "float32": spaces.Box(-1, 1, (2, 3), np.float32),
    "image": spaces.Box(0, 255, (7, 5, 3), np.uint8),
    "scalar": spaces.Box(-1, 1, (), np.float32),
    "discrete": spaces.Discrete(4),
    "shifted": spaces.Discrete(4, start=-2),
    "multi-discrete": spaces.MultiDiscrete([4, 5, 6]),
    "dict": spaces.Dict(
        {
            "image": spaces.Box(0, 255, (3, 3), np.uint8),
            "word": spaces.Discrete(9),
            "inner": spaces.Dict({"x": spaces.Box(-1, 1, (1,), np.float64)}),
        }
    ),
}


def equal(one: Any, other: Any) -> bool:
    """The same keys, dtypes, shapes and values."""
    if isinstance(one, Mapping):
        return list(one) == list(other) and all(equal(one[key], other[key]) for key in one)
    return (
        isinstance(other, np.ndarray)
        and (one.dtype, one.shape) == (other.dtype, other.shape)
        and np.array_equal(one, other)
    )


def sample(space: spaces.Space[Any], seed: int = 0) -> Any:
    batch = batch_space(space, NUMBER)
    batch.seed(seed)
    return batch.sample()


@pytest.fixture(params=SPACES)
def space(request: pytest.FixtureRequest) -> spaces.Space[Any]:
    return SPACES[request.param]


@pytest.fixture
def sides(space: spaces.Space[Any]) -> Iterator[tuple[Exchange, Exchange]]:
    """The harness's side and the agent's: two maps of one memory."""
    ours = Exchange(space, space, NUMBER)
    theirs = Exchange(space, space, NUMBER, os.dup(ours.descriptor))
    yield ours, theirs
    ours.close()
    theirs.close()


def test_batches_cross_unchanged(
    space: spaces.Space[Any], sides: tuple[Exchange, Exchange]
) -> None:
    """Observations one way, actions and done the other; no area runs into the next."""
    ours, theirs = sides
    observation, action = sample(space, 0), sample(space, 1)
    done = np.array([True, False, True, False, True])
    ours.write("observation", observation)
    ours.write("done", done)
    theirs.write("action", action)
    assert equal(observation, theirs.read("observation"))
    assert equal(action, ours.read("action"))
    assert np.array_equal(theirs.read("done"), done)


def test_what_is_read_is_a_copy(space: spaces.Space[Any], sides: tuple[Exchange, Exchange]) -> None:
    """The next batch does not change what an agent kept of the last, nor does the agent ours."""
    ours, theirs = sides
    first, second = sample(space, 0), sample(space, 1)
    ours.write("observation", first)
    kept = theirs.read("observation")
    ours.write("observation", second)
    assert equal(first, kept)
    for leaf in leaves(kept):
        leaf[...] = 0
    assert equal(second, theirs.read("observation"))


def leaves(tree: Any) -> list[Any]:
    if isinstance(tree, Mapping):
        return [leaf for inner in tree.values() for leaf in leaves(inner)]
    return [tree]


def test_a_batch_of_another_shape_is_refused() -> None:
    """Nothing is broadcast into the memory by mistake."""
    exchange = Exchange(SPACES["float64"], SPACES["discrete"], NUMBER)
    with pytest.raises(ValueError, match="broadcast"):
        exchange.write("observation", np.zeros((NUMBER, 4)))
    exchange.close()


def test_closing_frees_the_descriptor() -> None:
    """A thousand cells in one process do not run out of descriptors."""
    exchange = Exchange(SPACES["dict"], SPACES["dict"], NUMBER)
    exchange.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(exchange.descriptor)
