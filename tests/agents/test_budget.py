"""Budgets: what counts, what ends learning, and what the curve holds."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest

from mlds_bench.agents import budget as module
from mlds_bench.agents.budget import (
    CURVE_POINTS,
    Budget,
    BudgetedEnv,
    BudgetExhausted,
    interrupted_after,
)
from tests.envs.toys import Walk


def budgeted(env_steps: int, num_envs: int = 3, seconds: float = math.inf) -> BudgetedEnv:
    env = BudgetedEnv(Walk(num_envs=num_envs, seed=0), Budget(env_steps, seconds))
    env.reset()
    return env


def stay(env: BudgetedEnv) -> np.ndarray:
    return np.ones(env.num_envs, np.int64)


def compute(seconds: float) -> None:
    """Compute without an end, under a limit."""
    with interrupted_after(seconds):
        while True:
            time.sleep(0.001)


@pytest.mark.parametrize(("env_steps", "seconds"), [(-1, 1.0), (1, 0.0), (1, math.nan)])
def test_budgets_that_make_no_sense_are_refused(env_steps: int, seconds: float) -> None:
    """A negative number of steps, no time and no number are mistakes."""
    with pytest.raises(ValueError, match="a budget has"):
        Budget(env_steps, seconds)


def test_a_budget_counts_instances_and_never_overshoots() -> None:
    """Three instances cost three a step: of ten, nine are used and the fourth step is refused."""
    env = budgeted(10)
    for _ in range(3):
        env.step(stay(env))
    with pytest.raises(BudgetExhausted, match="budget of 10 steps and inf s spent: env_steps"):
        env.step(stay(env))
    assert (env.env_steps, env.remaining_steps, env.stopped_by) == (9, 1, "env_steps")


def test_a_budget_of_time_stops_too() -> None:
    """When time is up the next step is refused, and the reason says so."""
    env = budgeted(1000, seconds=1e-9)
    with pytest.raises(BudgetExhausted, match="seconds"):
        env.step(stay(env))
    assert env.stopped_by == "seconds"


def test_an_agent_that_stops_by_itself_leaves_no_reason() -> None:
    """stopped_by stays None while there is budget left."""
    env = budgeted(6)
    env.step(stay(env))
    env.step(stay(env))
    assert env.stopped_by is None


def test_the_wrapper_changes_nothing_that_passes_through() -> None:
    """Steps through the wrapper equal steps of the bare environment."""
    env, bare = budgeted(100), Walk(num_envs=3, seed=0)
    bare.reset()
    for _ in range(6):
        expected, got = bare.step(stay(env)), env.step(stay(env))
        for a, b in zip(expected[:4], got[:4], strict=True):
            np.testing.assert_array_equal(a, b)
        assert expected[4].keys() == got[4].keys()


def test_the_curve_has_the_mean_reward_and_the_returns_of_the_episodes_that_ended() -> None:
    """The curve equals what is counted by hand from the same rewards."""
    env = budgeted(300, num_envs=1)  # a stretch of three steps, episodes of four
    rewards = [float(env.step(stay(env))[1][0]) for _ in range(12)]
    curve = env.finish()
    assert [point.env_steps for point in curve] == [3, 6, 9, 12]
    expected = [np.mean(rewards[i : i + 3]) for i in (0, 3, 6, 9)]
    np.testing.assert_allclose([point.reward for point in curve], expected)
    assert curve[0].episode_return is None
    returns = [sum(rewards[i : i + 4]) for i in (0, 4, 8)]
    np.testing.assert_allclose([p.episode_return or 0.0 for p in curve[1:]], returns)
    seconds = [point.seconds for point in curve]
    assert seconds == sorted(seconds)


def test_the_curve_is_as_long_as_a_picture_needs() -> None:
    """However long the run, the curve has about CURVE_POINTS points; the last stretch counts."""
    env = budgeted(5000)
    while env.remaining_steps >= 3:
        env.step(stay(env))
    curve = env.finish()
    assert CURVE_POINTS - 1 <= len(curve) <= CURVE_POINTS + 1
    assert curve[-1].env_steps == env.env_steps
    assert len(env.finish()) == len(curve)


def test_a_batch_larger_than_a_stretch_gives_a_point_a_step() -> None:
    """A stretch is never shorter than a batch, and no point is given twice."""
    env = budgeted(300, num_envs=60)
    for _ in range(5):
        env.step(stay(env))
    assert [point.env_steps for point in env.finish()] == [60, 120, 180, 240, 300]


def test_every_reset_after_the_first_costs_its_instances() -> None:
    """A whole reset costs a step per instance, a masked one as many as it starts anew."""
    env = budgeted(10)
    assert env.env_steps == 0
    env.reset()
    assert env.env_steps == 3
    env.reset(options={"reset_mask": np.array([True, False, False])})
    assert env.env_steps == 4
    env.reset(seed=3)
    env.reset()
    with pytest.raises(BudgetExhausted, match="env_steps"):
        env.reset()
    assert (env.env_steps, env.stopped_by) == (10, "env_steps")


def test_a_reset_looks_at_the_clock() -> None:
    """Whoever only resets is stopped when time is up."""
    env = budgeted(1000, seconds=1e-9)
    with pytest.raises(BudgetExhausted, match="seconds"):
        env.reset()


def test_a_reset_in_mid_episode_clears_the_running_return() -> None:
    """What was earned before it belongs to no episode; only the instances that it starts anew."""
    env = budgeted(30_000, num_envs=2)
    before = [env.step(stay(env))[1] for _ in range(2)]
    env.reset(options={"reset_mask": np.array([True, False])})
    after = [env.step(stay(env))[1] for _ in range(4)]
    (point,) = env.finish()
    fresh = sum(reward[0] for reward in after)
    whole = sum(reward[1] for reward in before) + sum(reward[1] for reward in after[:2])
    assert point.episodes == 2
    assert point.episode_return == pytest.approx((fresh + whole) / 2)


def test_a_reported_score_stands_on_the_curve() -> None:
    """The last one of a stretch; stretches without a report have none."""
    env = budgeted(600, num_envs=3)  # a stretch of two steps
    env.budget.report(0.25)
    env.budget.report(0.5)
    for _ in range(4):
        env.step(stay(env))
    assert [point.score for point in env.finish()] == [0.5, None]


@pytest.mark.parametrize("score", [math.nan, math.inf, 1e308])
def test_a_score_that_is_no_number_is_refused(score: float) -> None:
    """Also where nobody listens."""
    with pytest.raises(ValueError, match="a reported score must be a finite number"):
        Budget(1).report(score)


def test_learning_is_interrupted_wherever_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    """An agent that computes between steps is stopped, a moment after its seconds."""
    monkeypatch.setattr(module, "LATE_SECONDS", 0.05)
    began = time.perf_counter()
    with pytest.raises(BudgetExhausted, match=r"the budget of 0\.05 s is spent"):
        compute(0.05)
    assert 0.1 <= time.perf_counter() - began < 5.0


def test_whoever_catches_the_interruption_is_interrupted_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Again and again, until the block ends; then never more."""
    monkeypatch.setattr(module, "LATE_SECONDS", 0.02)
    caught = 0
    with interrupted_after(0.01):
        while caught < 3:
            try:
                while True:
                    time.sleep(0.001)
            except BudgetExhausted:
                caught += 1
    time.sleep(0.1)
    assert caught == 3


def test_without_a_limit_there_is_no_timer() -> None:
    """An infinite budget interrupts nobody."""
    with interrupted_after(math.inf):
        time.sleep(0.01)
