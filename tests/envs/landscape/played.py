"""Tests that were played, for what reads recordings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from mlds_bench.envs.core import Recorder
from mlds_bench.envs.landscape.env import LossLandscape
from mlds_bench.envs.landscape.pictures.study import Study, read_study
from mlds_bench.envs.landscape.specs import Settings
from mlds_bench.measures.points import Array

PLAYED = ("queries", "runs", "decision", "seed")
Rule = Callable[[dict[str, Array]], Array]


def descend(rate: float) -> Rule:
    """Gradient descent."""
    return lambda seen: np.clip(-rate * seen["gradient"], -1e6, 1e6)


def stay(seen: dict[str, Array]) -> Array:
    """No move at all."""
    return 0.0 * seen["gradient"]


def leap(seen: dict[str, Array]) -> Array:
    """As far as one can go."""
    return np.full_like(seen["gradient"], 1e6)


def play(
    problem: str,
    rule: Rule,
    *,
    queries: int = 30,
    runs: int = 10,
    decision: float = 1.0,
    seed: int = 0,
    **arguments: Any,
) -> Recorder:
    """The test split, until every instance has ended."""
    env = LossLandscape(
        problem=problem, num_envs=runs, split="test", seed=seed, query_budget=queries, **arguments
    )
    seen, _ = env.reset()
    for _ in range(queries):
        actions = np.column_stack([rule(seen), np.full(runs, decision)])
        seen, *_ = env.step(actions)
    return env.recording


def study_of(problem: str, rule: Rule, *, objective: Any = "loss", **arguments: Any) -> Study:
    """What pictures are made of."""
    recording = play(problem, rule, objective=objective, **arguments)
    asked = {key: value for key, value in arguments.items() if key not in PLAYED}
    return read_study(recording, Settings(problem=problem, objective=objective, **asked))
