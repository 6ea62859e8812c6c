"""Returns and advantages of a batch of rollouts, in reverse over time.

Rollouts are arrays (T, N): T steps of N instances. A step is an end if nothing that comes after it
is its doing: the episode is over, or was cut, or (in Pong, where each point starts the game anew) a
point was won or lost.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.floating]
Flags: TypeAlias = npt.NDArray[np.bool_]


def discounted_returns(
    rewards: Floats, ends: Flags, *, discount: float, beyond: Floats | float = 0.0
) -> Floats:
    """Sum of discounted rewards from each step to the next end.

    Args:
        rewards: (T, N).
        ends: (T, N).
        discount: gamma, in [0, 1].
        beyond: (N,) return after the last row, where that is no end.

    Returns:
        (T, N), of the type of the rewards.
    """
    _check_shapes(rewards=rewards, ends=ends)
    returns = np.empty_like(rewards)
    following: Floats | float = beyond
    for step in reversed(range(len(rewards))):
        following = rewards[step] + discount * np.where(ends[step], 0.0, following)
        returns[step] = following
    return returns


def generalized_advantages(
    rewards: Floats,
    values: Floats,
    next_values: Floats,
    ends: Flags,
    *,
    discount: float,
    trace: float,
) -> Floats:
    """Advantages by exponentially weighted temporal differences.

    ``A_t = d_t + discount trace A_{t+1}`` with ``d_t = r_t + discount v'_t - v_t``, where the sum
    stops at an end (Schulman et al. 2016, equation 16). With ``trace`` 1 the advantages are
    discounted returns minus values, with 0 they are one-step differences.

    Args:
        rewards: (T, N).
        values: (T, N) of the observations acted upon.
        next_values: (T, N) of what each step led to: 0 after a true end; of the last observation
            of an episode that was cut.
        ends: (T, N).
        discount: gamma, in [0, 1].
        trace: lambda, in [0, 1].

    Returns:
        (T, N), of the type of the rewards.
    """
    _check_shapes(rewards=rewards, values=values, next_values=next_values, ends=ends)
    differences = rewards + discount * next_values - values
    return discounted_returns(differences, ends, discount=discount * trace)


def steps_to_end(ends: Flags) -> npt.NDArray[np.int64]:
    """Steps from each step to the next end, (T, N): 0 at an end, -1 where none follows."""
    count = np.full(ends.shape[1:], -1)
    steps = np.empty(ends.shape, np.int64)
    for step in reversed(range(len(ends))):
        count = np.where(ends[step], 0, np.where(count < 0, -1, count + 1))
        steps[step] = count
    return steps


def _check_shapes(**arrays: Floats | Flags) -> None:
    shapes = {name: array.shape for name, array in arrays.items()}
    if len(set(shapes.values())) > 1 or len(next(iter(shapes.values()))) != 2:
        told = ", ".join(f"{name} {shape}" for name, shape in shapes.items())
        raise ValueError(f"rollouts are (T, N) arrays of one shape, got {told}")
