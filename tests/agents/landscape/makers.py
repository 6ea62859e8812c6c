"""What several tests of these agents start from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mlds_bench.agents.landscape.optimizer import LandscapeAgent
from mlds_bench.envs.landscape.env import LossLandscape

Array = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Run:
    """What happened to N instances that were followed to the end of their first episode.

    Attributes:
        solved: (N,) bool.
        queries: (N,) queries until the end; 0 where it did not come.
        theta: (T + 1, N, d) current points, those of later episodes included.
        moved: (T, N) bool.
    """

    solved: npt.NDArray[np.bool_]
    queries: npt.NDArray[np.int64]
    theta: Array
    moved: npt.NDArray[np.bool_]


def make_agent(cls: type[LandscapeAgent], env: LossLandscape, **hyper: Any) -> LandscapeAgent:
    """An agent for an environment."""
    return cls(
        observation_space=env.single_observation_space,
        action_space=env.single_action_space,
        **hyper,
    )


def run(
    cls: type[LandscapeAgent],
    steps: int,
    *,
    count: int = 16,
    seed: int = 0,
    hyper: dict[str, Any] | None = None,
    **env_kwargs: Any,
) -> Run:
    """Let an agent act for some steps in ``count`` instances of a landscape."""
    env = LossLandscape(num_envs=count, **env_kwargs)
    agent = make_agent(cls, env, **(hyper or {}))
    observation, infos = env.reset(seed=seed)
    solved, queries = np.zeros(count, np.bool_), np.zeros(count, np.int64)
    theta, moved = [infos["oracle"]["theta"]], []
    for step in range(steps):
        actions = agent.act(observation)
        observation, _, terminated, truncated, infos = env.step(actions)
        done = terminated | truncated
        first = done & (queries == 0)
        queries[first] = step + 1
        if first.any():
            loss = infos["final_info"]["oracle"]["loss"][:, 0]
            solved[first] = (terminated & (loss < 1e12))[first]
        agent.reset(done)
        theta.append(infos["oracle"]["theta"])
        moved.append(actions[:, -1] > 0.0)
        if (queries > 0).all():
            break
    return Run(solved, queries, np.stack(theta), np.stack(moved))
