"""Play the test split: the first ``episodes`` episodes of every instance of the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mlds_bench.common.trees import take
from mlds_bench.envs.core import BatchedEnv, Recording

Act = Callable[[Any], Any]
Reset = Callable[[npt.NDArray[np.bool_]], None]
Keep = Callable[[npt.NDArray[np.bool_]], None]


SHRINK_AT = 0.95
"""Share of the batch that is still needed, from which on the others are dropped."""


def evaluate(
    env: BatchedEnv, act: Act, reset: Reset, keep: Keep | None = None, *, seed: int, episodes: int
) -> Recording:
    """Play until every instance has ended ``episodes`` episodes.

    Args:
        env: of the test split.
        act: observations (N, ...) to actions (N, ...).
        reset: told which instances begin anew; not told of the end of the test.
        keep: told which instances are left when the batch is cut down to those that still have to
            play; None where the agent cannot.
        seed: of the test split.
        episodes: an instance.

    Returns:
        What was recorded; steps of later episodes, played while others were not done, included.
    """
    observation, _ = env.reset(seed=seed)
    ended = np.zeros(env.num_envs, np.int64)
    while True:
        observation, _, terminated, truncated, _ = env.step(act(observation))
        done = terminated | truncated
        ended += done
        if ended.min() >= episodes:
            return env.recording
        if done.any():
            reset(done)
            needed = ended < episodes
            if keep and env.can_shrink and needed.sum() <= SHRINK_AT * len(needed):
                env.keep(needed)
                keep(needed)
                observation, ended = take(observation, needed), ended[needed]
