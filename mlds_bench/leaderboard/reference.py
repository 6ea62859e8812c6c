"""Published learning curves, from the user's data: Dopamine's DQN, C51, Rainbow and IQN on Pong.

Its games are ours (sticky actions of 0.25, four frames a decision, five seeds), and what it counts
as a return of Pong is what ours is. Breakout is not here: ours learns there from single lives, in
clipped points. The curves are looked for below ``MLDS_BENCH_DATA`` in
``atari_reference/dopamine/<game>.json.gz``, as Dopamine publishes them, and are no part of the
package. Source: Castro et al. 2018, "Dopamine: a research framework for deep RL".
"""

from __future__ import annotations

import gzip
import os
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, TypeAdapter, ValidationError

Array: TypeAlias = npt.NDArray[np.float64]

GAMES = {"hw4-1/pong": "pong", "hw4-3/pong": "pong"}
"""Variants whose curves can be held against Dopamine's, and the name of their game there."""
AGENTS = ("DQN", "C51", "Rainbow", "IQN")
"""The four of the paper."""
ITERATION = 250_000
"""Decisions of an iteration, a million frames; its value is the mean return of its games."""


class TornCurves(ValueError):
    """A file of published curves that cannot be read; one line."""


@dataclass(frozen=True)
class ReferenceCurve:
    """What others published.

    Attributes:
        label: agent and source, for a legend.
        steps: (T,) decisions, rising.
        value: (T,) mean over the seeds.
    """

    label: str
    steps: Array
    value: Array


class _Point(BaseModel):
    Iteration: int
    Value: float
    Agent: str


def reference_curves(variant: str) -> list[ReferenceCurve]:
    """The published curves for a variant; none if there are none, or the user has no such data.

    Args:
        variant: ``hw4-1/pong``.

    Raises:
        TornCurves: the file is there and is not what Dopamine publishes.
    """
    folder = os.environ.get("MLDS_BENCH_DATA")
    if folder is None or variant not in GAMES:
        return []
    path = Path(folder, "atari_reference", "dopamine", f"{GAMES[variant]}.json.gz")
    if not path.exists():
        return []
    points = _read(path)
    return [_mean(agent, [p for p in points if p.Agent == agent]) for agent in AGENTS]


def _read(path: Path) -> list[_Point]:
    try:
        points = TypeAdapter(list[_Point]).validate_json(gzip.decompress(path.read_bytes()))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise TornCurves(f"{path}: {place} {first['msg']}; fetch it anew or take it away") from None
    except (OSError, EOFError, zlib.error) as error:
        raise TornCurves(f"{path}: {error}; fetch it anew or take it away") from None
    missing = sorted(set(AGENTS) - {point.Agent for point in points})
    if missing:
        raise TornCurves(f"{path}: no curve of {', '.join(missing)}; fetch it anew")
    return points


def _mean(agent: str, points: list[_Point]) -> ReferenceCurve:
    """Over the seeds, at the middle of each iteration."""
    iterations, index = np.unique([point.Iteration for point in points], return_inverse=True)
    sums = np.bincount(index, [point.Value for point in points])
    steps = (iterations + 0.5) * ITERATION
    return ReferenceCurve(f"{agent} (Dopamine)", steps, sums / np.bincount(index))
