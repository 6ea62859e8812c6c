"""Play the test split: the first ``episodes`` episodes of every instance of the batch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt

from mlds_bench.envs.core import BatchedEnv, Recorder

Act = Callable[[Any], Any]
Reset = Callable[[npt.NDArray[np.bool_]], None]


def evaluate(env: BatchedEnv, act: Act, reset: Reset, *, seed: int, episodes: int) -> Recorder:
    """Play until every instance has ended ``episodes`` episodes.

    Args:
        env: of the test split.
        act: observations (N, ...) to actions (N, ...).
        reset: told which instances begin anew: all of them before the first action, later those
            whose episode has ended; not told of the end of the test.
        seed: of the test split.
        episodes: per instance.

    Returns:
        What was recorded of these episodes.
    """
    env.record(episodes)
    observation, _ = env.reset(seed=seed)
    reset(np.ones(env.num_envs, np.bool_))
    while True:
        observation, _, terminated, truncated, _ = env.step(act(observation))
        if env.recording.is_complete:
            return env.recording
        done = terminated | truncated
        if done.any():
            reset(done)
