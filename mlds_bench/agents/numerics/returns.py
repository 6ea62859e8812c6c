"""Returns and advantages of a batch of rollouts, computed backward in time.

Rollouts are arrays (T, N): T steps of N environments. A step is an end if it gets no credit for
what follows: the episode terminated or was truncated, or (in Pong, where play restarts after each
point) a point was won or lost.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Floats: TypeAlias = npt.NDArray[np.floating]
Flags: TypeAlias = npt.NDArray[np.bool_]


def discounted_returns(
    rewards: Floats, ends: Flags, *, gamma: float, beyond: Floats | float = 0.0
) -> Floats:
    """Sums of discounted rewards from each step to the next end.

    Args:
        rewards: (T, N).
        ends: (T, N).
        gamma: discount factor, in [0, 1].
        beyond: (N,) return after the last step, used where that is not an end.

    Returns:
        Returns (T, N), in the dtype of the rewards.
    """
    _check_shapes(rewards=rewards, ends=ends)
    returns = np.empty_like(rewards)
    following: Floats | float = beyond
    for step in reversed(range(len(rewards))):
        following = rewards[step] + gamma * np.where(ends[step], 0.0, following)
        returns[step] = following
    return returns


def generalized_advantages(
    rewards: Floats,
    values: Floats,
    next_values: Floats,
    ends: Flags,
    *,
    gamma: float,
    gae_lambda: float,
) -> Floats:
    """Generalized advantage estimation: exponentially weighted sums of temporal differences.

    ``A_t = d_t + gamma gae_lambda A_{t+1}`` with ``d_t = r_t + gamma v'_t - v_t``, where the sum
    stops at an end (Schulman et al. 2016, equation 16). With ``gae_lambda`` 1 the advantages are
    discounted returns minus values, with 0 they are one-step differences.

    Args:
        rewards: (T, N).
        values: (T, N), of the observations.
        next_values: (T, N), of the observations that followed: 0 after a termination; after a
            truncation, of the last observation of the episode.
        ends: (T, N).
        gamma: discount factor, in [0, 1].
        gae_lambda: lambda, in [0, 1].

    Returns:
        Advantages (T, N), in the dtype of the rewards.
    """
    _check_shapes(rewards=rewards, values=values, next_values=next_values, ends=ends)
    differences = rewards + gamma * next_values - values
    return discounted_returns(differences, ends, gamma=gamma * gae_lambda)


def steps_to_end(ends: Flags) -> npt.NDArray[np.int64]:
    """Number of steps (T, N) from each step to the next end: 0 at an end, -1 if none follows."""
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
