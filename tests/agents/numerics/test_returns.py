"""Returns and advantages against literals, closed forms and a second implementation."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mlds_bench.agents.numerics.returns import (
    discounted_returns,
    generalized_advantages,
    steps_to_end,
)

Floats = npt.NDArray[np.float64]


def column(*values: float) -> Floats:
    return np.array(values, np.float64)[:, None]


def ends(*values: int) -> npt.NDArray[np.bool_]:
    return np.array(values, np.bool_)[:, None]


def test_discounted_returns_by_hand() -> None:
    """1 + 2/2 + 4/4 = 3, and so on back to front."""
    returns = discounted_returns(column(1, 2, 4), ends(0, 0, 1), gamma=0.5)
    assert returns[:, 0].tolist() == [3.0, 4.0, 4.0]


def test_returns_stop_at_a_point() -> None:
    """What comes after a point is not credited to what was done before it."""
    returns = discounted_returns(column(0, -1, 0, 1), ends(0, 1, 0, 1), gamma=0.5)
    assert returns[:, 0].tolist() == [-0.5, -1.0, 0.5, 1.0]


def test_the_return_beyond_counts_where_nothing_ended() -> None:
    """Instance by instance; an end in the last row cuts it off."""
    rewards, over = np.zeros((2, 2)), np.array([[False, False], [False, True]])
    returns = discounted_returns(rewards, over, gamma=0.5, beyond=np.array([8.0, 8.0]))
    assert returns.tolist() == [[2.0, 0.0], [4.0, 0.0]]


def test_advantages_by_hand() -> None:
    """Differences 1 + 1 - 2 = 0 and 3 + 0 - 2 = 1, traced by 0.5 * 0.5."""
    advantages = generalized_advantages(
        column(1, 3), column(2, 2), column(2, 0), ends(0, 1), gamma=0.5, gae_lambda=0.5
    )
    assert advantages[:, 0].tolist() == [0.25, 1.0]


def rollout(seed: int) -> dict[str, Any]:
    """Twelve steps of three instances; the value that follows belongs to the next observation."""
    random = np.random.default_rng(seed)
    values, over = random.normal(size=(13, 3)), random.random((12, 3)) < 0.2
    return {
        "rewards": random.normal(size=(12, 3)),
        "values": values[:-1],
        "next_values": np.where(over, 0.0, values[1:]),
        "ends": over,
    }


def weighted_sums(told: dict[str, Any], gamma: float, gae_lambda: float) -> Floats:
    """Equation 14 of the paper, forwards: every advantage is a sum over what follows."""
    rewards, values, following, over = (np.asarray(array) for array in told.values())
    result = np.zeros(rewards.shape)
    for step, instance in np.ndindex(*rewards.shape):
        for later in range(step, len(rewards)):
            difference = rewards[later, instance] - values[later, instance]
            difference += gamma * following[later, instance]
            result[step, instance] += (gamma * gae_lambda) ** (later - step) * difference
            if over[later, instance]:
                break
    return result


@pytest.mark.parametrize(
    ("gamma", "gae_lambda"), [(0.99, 0.95), (1.0, 1.0), (0.5, 0.0), (0.0, 1.0)]
)
def test_advantages_are_the_weighted_sums_of_the_paper(gamma: float, gae_lambda: float) -> None:
    """Backwards in one pass, or forwards from each step."""
    told = rollout(3)
    ours = generalized_advantages(**told, gamma=gamma, gae_lambda=gae_lambda)
    assert ours == pytest.approx(weighted_sums(told, gamma, gae_lambda))


def test_a_lambda_of_one_gives_returns_less_values() -> None:
    """With lambda 1 nothing of the values inside the rollout remains."""
    told = rollout(4)
    told["ends"][-1] = True
    told["next_values"] = np.where(told["ends"], 0.0, np.roll(told["values"], -1, axis=0))
    ours = generalized_advantages(**told, gamma=0.9, gae_lambda=1.0)
    returns = discounted_returns(told["rewards"], told["ends"], gamma=0.9)
    assert ours == pytest.approx(returns - told["values"])


def test_the_type_of_the_rewards_is_kept() -> None:
    """Single precision in, single precision out."""
    rewards, over = np.ones((3, 2), np.float32), np.zeros((3, 2), np.bool_)
    assert discounted_returns(rewards, over, gamma=0.9).dtype == np.float32
    advantages = generalized_advantages(rewards, rewards, rewards, over, gamma=0.9, gae_lambda=0.9)
    assert advantages.dtype == np.float32


def test_steps_to_the_next_end() -> None:
    """0 at an end, -1 where the rollout stops before one."""
    assert steps_to_end(ends(0, 1, 0, 0, 1, 0))[:, 0].tolist() == [1, 0, 2, 1, 0, -1]


@pytest.mark.parametrize("shapes", [((3, 2), (3, 1)), ((3,), (3,))])
def test_other_shapes_are_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    """Broadcasting would hide the mistake."""
    first, second = (np.zeros(shape) for shape in shapes)
    with pytest.raises(ValueError, match=r"rollouts are \(T, N\) arrays of one shape, got rewards"):
        discounted_returns(first, second.astype(np.bool_), gamma=0.9)
