"""The algebra of networks with given weights."""

from __future__ import annotations

import numpy as np
import pytest

from mlds_bench.agents.fitting.relu_networks import (
    Array,
    ReluNetwork,
    affine,
    carry,
    compose,
    parallel,
)

ABSOLUTE = ReluNetwork(
    ((np.array([[1.0], [-1.0]]), np.zeros(2)), (np.array([[1.0, 1.0]]), np.array([0.0])))
)
X: Array = np.linspace(-2.0, 2.0, 41)[:, None]


def test_a_network_is_affine_maps_with_relus_between() -> None:
    """|x| = relu(x) + relu(-x), by two units in one layer."""
    assert np.array_equal(ABSOLUTE(X), np.abs(X))
    assert (ABSOLUTE.units, ABSOLUTE.depth) == (2, 1)


def test_affine_maps_have_no_units() -> None:
    """2 x1 - x2 + 3."""
    network = affine([[2.0, -1.0]], [3.0])
    assert network(np.array([[1.0, 5.0]])).tolist() == [[0.0]]
    assert (network.units, network.depth) == (0, 0)


def test_composition_spends_no_unit() -> None:
    """||x| - 1| takes the four units of its parts."""
    network = compose(ABSOLUTE, compose(affine([[1.0]], [-1.0]), ABSOLUTE))
    assert network(X) == pytest.approx(np.abs(np.abs(X) - 1.0))
    assert (network.units, network.depth) == (4, 2)


def test_parallel_networks_do_not_meet() -> None:
    """|x| beside relu(x) carried through."""
    network = parallel(ABSOLUTE, carry(1, 1))
    outputs = network(np.hstack([X, X[::-1]]))
    assert np.array_equal(outputs, np.hstack([np.abs(X), np.maximum(X[::-1], 0.0)]))
    assert (network.units, network.depth) == (3, 1)


def test_parallel_networks_have_equal_depth() -> None:
    """Otherwise the shorter one has to be carried on first."""
    with pytest.raises(ValueError, match="zip"):
        parallel(ABSOLUTE, carry(1, 2))


def test_carrying_keeps_non_negative_numbers() -> None:
    """Three layers of one unit a number."""
    numbers = np.random.default_rng(0).random((5, 2))
    assert np.array_equal(carry(2, 3)(numbers), numbers)
    assert carry(2, 3).units == 6
