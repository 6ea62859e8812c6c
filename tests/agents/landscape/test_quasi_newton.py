"""L-BFGS: the recursion against the dense BFGS formula, the line search, and what it solves."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.landscape.quasi_newton import (
    Descent,
    LbfgsAgent,
    LbfgsHyperparameters,
    Pairs,
)
from mlds_bench.envs.landscape.env import LossLandscape
from tests.agents.landscape.makers import make_agent, run


def test_two_loops_are_the_dense_bfgs_update() -> None:
    """H <- (I - r s y^T) H (I - r y s^T) + r s s^T from (s.y/y.y) I, newest pairs last."""
    generator, d, history_size = np.random.default_rng(0), 4, 3
    pairs, rows = Pairs(history_size, 2, d), np.arange(2)
    steps = generator.standard_normal((5, 2, d))
    shape = generator.standard_normal((d, d))
    changes = steps @ (shape @ shape.T + np.eye(d))
    for s, y in zip(steps, changes, strict=True):
        pairs.push(rows, s, y)
    gradient = generator.standard_normal((2, d))
    found = pairs.direction(rows, gradient)
    for i in rows:
        s, y = steps[-1, i], changes[-1, i]
        inverse = (s @ y) / (y @ y) * np.eye(d)
        for s, y in zip(steps[-history_size:, i], changes[-history_size:, i], strict=True):
            left = np.eye(d) - np.outer(s, y) / (s @ y)
            inverse = left @ inverse @ left.T + np.outer(s, s) / (s @ y)
        assert found[i] == pytest.approx(-inverse @ gradient[i], rel=1e-10)


def test_pairs_without_positive_curvature_are_left_out() -> None:
    """Only row 0 gets its pair; row 1 keeps to the steepest descent."""
    pairs, rows = Pairs(2, 2, 2), np.arange(2)
    pairs.push(rows, np.array([[1.0, 0.0], [1.0, 0.0]]), np.array([[2.0, 0.0], [-2.0, 0.0]]))
    assert pairs.empty(rows).tolist() == [False, True]
    found = pairs.direction(rows, np.array([[4.0, 6.0], [4.0, 6.0]]))
    assert found.tolist() == [[-2.0, -3.0], [-4.0, -6.0]]


def test_pairs_beyond_the_reach_of_float64_are_left_out() -> None:
    """1 / s.y would overflow: such a pair is none."""
    pairs, rows = Pairs(2, 1, 1), np.arange(1)
    pairs.push(rows, np.array([[1e-160]]), np.array([[1e-160]]))
    assert pairs.empty(rows).all()


def test_backtracking_goes_to_the_minimum_of_the_parabola() -> None:
    """f(x) = 2.5 x^2 from x = 0.2, where g = 1: t = 1 climbs to 1.6, the parabola says t = 0.2."""
    descent, rows = Descent(LbfgsHyperparameters(), 1, 1), np.array([0])
    descent.arrive(rows, np.array([0.1]), np.array([[1.0]]))
    assert descent.trial(rows).tolist() == [[-1.0]]
    assert not descent.judge(rows, np.array([1.6])).any()
    assert descent.trial(rows) == pytest.approx(np.array([[-0.2]]))
    assert descent.judge(rows, np.array([0.0])).all()


def test_a_lost_search_falls_back_to_the_steepest_descent() -> None:
    """After ``backtracks`` bad probes the pairs are dropped and a step of length 1 is tried."""
    descent, rows = Descent(LbfgsHyperparameters(max_backtracks=2), 1, 1), np.array([0])
    descent.arrive(rows, np.array([5.0]), np.array([[4.0]]))
    assert descent.judge(rows, np.array([3.0])).all()
    descent.arrive(rows, np.array([3.0]), np.array([[2.0]]))
    assert descent.trial(rows).tolist() == [[-1.0]]
    for _ in range(2):
        assert not descent.judge(rows, np.array([9.0])).any()
    assert descent.trial(rows).tolist() == [[-1.0]]
    descent.arrive(rows, np.array([3.0]), np.array([[8.0]]))
    assert descent.trial(rows).tolist() == [[-1.0]]  # of 8 in direction, length 1


@pytest.mark.parametrize(
    ("problem", "count"), [("quadratic", 16), ("saddle", 16), ("degenerate-minimum", 16)]
)
def test_small_problems_are_solved(problem: str, count: int) -> None:
    """All of them, in 60 queries."""
    result = run(LbfgsAgent, 60, count=count, problem=problem)
    assert result.solved.all()


def test_sigmoid_xor_is_solved_in_a_fifth_of_the_queries() -> None:
    """Nine of ten instances of h = 4, within 400 of 2000 queries."""
    kwargs: dict[str, Any] = {"problem": "xor", "activation": "sigmoid", "hidden": 4}
    assert run(LbfgsAgent, 400, count=64, **kwargs).solved.mean() > 0.9


def test_a_reset_instance_begins_anew() -> None:
    """Row 0 as a fresh agent, row 1 as if nothing had happened."""
    env = LossLandscape(problem="xor", num_envs=2)
    agent, undisturbed, fresh = (make_agent(LbfgsAgent, env) for _ in range(3))
    observation, _ = env.reset(seed=1)
    for _ in range(5):
        undisturbed.act(observation)
        observation = env.step(agent.act(observation))[0]
    agent.reset(np.array([True, False]))
    actions = agent.act(observation)
    assert np.array_equal(actions[0], fresh.act(observation)[0])
    assert np.array_equal(actions[1], undisturbed.act(observation)[1])


@pytest.mark.parametrize(
    ("hyper", "line"),
    [
        ({"history_size": 0}, "history_size must be in 1..1000, got 0"),
        ({"max_backtracks": 0}, "max_backtracks must be in 1..100, got 0"),
        (
            {"sufficient_decrease": 0.0},
            "sufficient_decrease must be a finite number above 0, got 0.0",
        ),
    ],
)
def test_bad_settings_are_named(hyper: dict[str, Any], line: str) -> None:
    """One line with the value and the bound."""
    with pytest.raises(UnknownHyperparameter, match=line):
        make_agent(LbfgsAgent, LossLandscape(problem="quadratic"), **hyper)
