"""Samplers against brute force, and a sum tree against running sums."""

from __future__ import annotations

import numpy as np
import pytest

from mlds_bench.agents.numerics.sampling import PrioritizedSampler, SumTree, UniformSampler


def brute_force(priorities: list[float], sums: list[float]) -> list[int]:
    """The first leaf whose running sum is above each of the sums."""
    found = []
    for goal in sums:
        running = 0.0
        for leaf, priority in enumerate(priorities):
            running += priority
            if goal < running:
                found.append(leaf)
                break
    return found


def test_a_small_tree_by_hand() -> None:
    """Priorities 1, 0, 2, 4, 3: the running sums are 1, 1, 3, 7, 10."""
    tree = SumTree(5)
    tree.set(np.arange(5), np.array([1.0, 0.0, 2.0, 4.0, 3.0]))
    assert tree.total == 10.0
    sums = np.array([0.0, 0.99, 1.0, 2.99, 3.0, 6.99, 7.0, 9.99])
    assert tree.find(sums).tolist() == [0, 0, 2, 2, 3, 3, 4, 4]
    tree.set(np.array([3]), np.array([0.0]))
    assert tree.total == 6.0
    assert tree.find(np.array([2.99, 3.0])).tolist() == [2, 4]


@pytest.mark.parametrize("size", [1, 2, 3, 64, 100])
def test_the_tree_finds_what_running_sums_find(size: int) -> None:
    """Whole priorities, so that no sum is rounded; changed again and again, in part to 0."""
    generator = np.random.default_rng(size)
    tree, priorities = SumTree(size), np.zeros(size)
    tree.set(np.array([0]), np.array([1.0]))
    priorities[0] = 1.0
    for _ in range(20):
        leaves = generator.integers(1, size, size=7) if size > 1 else np.zeros(7, np.int64)
        values = generator.integers(0 if size > 1 else 1, 5, size=7).astype(np.float64)
        tree.set(leaves, values)
        for leaf, value in zip(leaves, values, strict=True):
            priorities[leaf] = value
        assert tree.total == priorities.sum()
        assert np.array_equal(tree[np.arange(size)], priorities)
        sums = generator.integers(0, int(tree.total), size=50).astype(np.float64) + 0.5
        assert tree.find(sums).tolist() == brute_force(priorities.tolist(), sums.tolist())


def test_no_rounding_leads_to_a_leaf_of_no_priority() -> None:
    """The whole sum, and more than it, still end at the last leaf that has a priority."""
    tree = SumTree(6)
    tree.set(np.array([1, 3]), np.array([0.1, 0.2]))
    sums = np.array([0.0, tree.total, np.nextafter(tree.total, 1.0), 9.0])
    assert tree.find(sums).tolist() == [1, 3, 3, 3]


@pytest.mark.parametrize("kind", ["uniform", "prioritized"])
def test_nothing_to_draw_is_an_error(kind: str) -> None:
    """Neither before the first row, nor after the last has gone."""
    generator = np.random.default_rng(0)
    sampler = (
        UniformSampler(4, generator)
        if kind == "uniform"
        else PrioritizedSampler(4, generator, alpha=1.0, beta=1.0)
    )
    with pytest.raises(ValueError, match="nothing was admitted"):
        sampler.sample(1)
    sampler.admit(np.array([2]))
    assert set(sampler.sample(5)[0]) == {2}
    sampler.retire(np.array([2]))
    with pytest.raises(ValueError, match="nothing was admitted"):
        sampler.sample(1)


def test_uniform_draws_are_uniform() -> None:
    """Three rows of eight, each a third of the draws; all weights 1."""
    sampler = UniformSampler(8, np.random.default_rng(0))
    sampler.admit(np.array([0, 2, 5, 7]))
    sampler.retire(np.array([2]))
    rows, weights = sampler.sample(30_000)
    shares = np.bincount(rows, minlength=8) / len(rows)
    assert shares[[0, 5, 7]] == pytest.approx(1 / 3, abs=0.015)
    assert shares.sum() == pytest.approx(shares[[0, 5, 7]].sum())
    assert (weights == 1.0).all()


def test_prioritized_draws_follow_the_errors() -> None:
    """Errors 1, 4, 9 with alpha 1/2: shares 1/6, 2/6, 3/6; weights 1/probability."""
    sampler = PrioritizedSampler(10, np.random.default_rng(0), alpha=0.5, beta=1.0)
    rows = np.array([1, 4, 9])
    sampler.admit(rows)
    sampler.update(rows, np.array([1.0, 4.0, 9.0]))
    drawn, weights = sampler.sample(6000)
    shares = np.bincount(drawn, minlength=10)[rows] / len(drawn)
    assert shares == pytest.approx([1 / 6, 2 / 6, 3 / 6], abs=1e-3)
    by_row = dict(zip(drawn.tolist(), weights.tolist(), strict=True))
    assert by_row == pytest.approx({1: 1.0, 4: 1 / 2, 9: 1 / 3}, rel=1e-5)


def test_a_new_row_has_the_largest_priority_so_far() -> None:
    """After an error of 7 a new row is drawn as often as that one."""
    sampler = PrioritizedSampler(4, np.random.default_rng(0), alpha=1.0, beta=0.0)
    sampler.admit(np.array([0]))
    sampler.update(np.array([0]), np.array([7.0]))
    sampler.admit(np.array([3]))
    drawn, weights = sampler.sample(1000)
    assert np.bincount(drawn).tolist() == [500, 0, 0, 500]
    assert (weights == 1.0).all()


def test_an_update_brings_no_retired_row_back() -> None:
    """A row that was overwritten since it was drawn stays away."""
    sampler = PrioritizedSampler(4, np.random.default_rng(0), alpha=1.0, beta=0.5)
    sampler.admit(np.array([0, 1]))
    sampler.retire(np.array([1]))
    sampler.update(np.array([0, 1]), np.array([1.0, 5.0]))
    assert set(sampler.sample(100)[0]) == {0}
