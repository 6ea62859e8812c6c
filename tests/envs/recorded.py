"""Recordings made by hand."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from mlds_bench.envs.recorders import EndRecorder, Step


def step_of(instance: Sequence[int], **changes: Any) -> Step:
    """A step of these instances, which all count."""
    count = len(instance)
    values: dict[str, Any] = {
        "rows": np.arange(count),
        "instance": np.array(instance, np.intp),
        "episode": np.zeros(count, np.int64),
        "action": np.zeros(count, np.int64),
        "reward": np.zeros(count),
        "terminated": np.ones(count, np.bool_),
        "truncated": np.zeros(count, np.bool_),
    }
    return Step(**{**values, **changes})


def ends_of(
    instance: Sequence[int], ends: Mapping[str, Any], episode: Sequence[int] | None = None
) -> EndRecorder:
    """A recording of episodes that ended one after the other, with these arrays (E, ...)."""
    now = 0
    recorder = EndRecorder((), lambda rows: {name: ends[name][now : now + 1] for name in ends})
    recorder.start(max(instance) + 1)
    for now, one in enumerate(instance):
        number = 0 if episode is None else episode[now]
        step = step_of([one], episode=np.array([number]))
        recorder.end(step, np.array([0]), None, lambda: None)
    return recorder
