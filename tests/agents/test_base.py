from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pytest
from gymnasium import spaces

from mlds_bench.agents.base import (
    CURVE_POINTS,
    Agent,
    Budget,
    BudgetedEnv,
    BudgetExhausted,
    UnknownHyperparameter,
    make_hyperparameters,
)
from tests.envs.toys import Walk


@dataclass(frozen=True)
class Settings:
    rate: float = 0.5
    width: int = 8
    name: str = "relu"
    fast: bool = False
    hidden: tuple[int, ...] = (8, 8)

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"width must be at least 1, got {self.width}")


class Tuned(Agent):
    hyperparameters = Settings


def budgeted(env_steps: int, num_envs: int = 3, seconds: float = math.inf) -> BudgetedEnv:
    env = BudgetedEnv(Walk(num_envs=num_envs, seed=0), Budget(env_steps, seconds))
    env.reset()
    return env


def stay(env: BudgetedEnv) -> np.ndarray:
    return np.ones(env.num_envs, np.int64)


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


def test_hyperparameters_are_converted() -> None:
    """A whole number does for a float, a list for a tuple; the rest stands at its default."""
    made = make_hyperparameters(Settings, {"rate": 1, "hidden": [4]})
    assert made == Settings(rate=1.0, hidden=(4,))
    assert isinstance(made.rate, float)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"rat": 1.0}, "unknown hyper-parameter 'rat': did you mean 'rate'"),
        ({"rate": "high"}, "hyper-parameter rate must be float, got 'high'"),
        ({"width": 1.5}, "hyper-parameter width must be int, got 1.5"),
        ({"width": True}, "hyper-parameter width must be int, got True"),
        ({"fast": 1}, "hyper-parameter fast must be bool, got 1"),
        ({"width": 0}, "width must be at least 1, got 0"),
    ],
)
def test_wrong_hyperparameters_get_one_line(values: dict[str, object], line: str) -> None:
    """A wrong name, kind or value is told by name, with the nearest right name."""
    with pytest.raises(UnknownHyperparameter) as error:
        make_hyperparameters(Settings, values)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_an_agent_keeps_what_it_was_built_with() -> None:
    """Spaces, seed, device and settings are attributes; learning does nothing until written."""
    box, discrete = spaces.Box(0, 1, (2,)), spaces.Discrete(3)
    agent = Tuned(observation_space=box, action_space=discrete, seed=3, device="cpu", width=2)
    assert (agent.observation_space, agent.action_space) == (box, discrete)
    assert (agent.seed, agent.device, agent.hyper) == (3, "cpu", Settings(width=2))
    with pytest.raises(NotImplementedError, match="Tuned has no act"):
        agent.act(np.zeros((1, 2)))
