"""Published learning curves on Atari games: Dopamine's DQN, C51, Rainbow and IQN.

Its games are those of this package: sticky actions of 0.25, four frames per decision, five seeds.
Source: Castro et al. 2018, "Dopamine: a research framework for deep RL".
"""

from __future__ import annotations

import gzip
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from pydantic import BaseModel, TypeAdapter, ValidationError

from mlds_bench.common.data.catalogue import UnknownData
from mlds_bench.common.data.store import find
from mlds_bench.common.names import unknown_name

Array: TypeAlias = npt.NDArray[np.float64]

DATA = "atari_reference/dopamine"
"""Name of the data set."""
GAMES = ("pong", "breakout")
AGENTS = ("DQN", "C51", "Rainbow", "IQN")
"""The four of the paper."""
DECISIONS_PER_ITERATION = 250_000
"""A million frames; the value of an iteration is the mean return of its games."""


class TornCurves(ValueError):
    """A file of published curves that cannot be read; one line."""


@dataclass(frozen=True)
class ReferenceCurve:
    """What others published.

    Attributes:
        label: agent and source, for a legend.
        steps: (T,) float64, decisions, rising.
        value: (T,) float64, mean return over the seeds.
    """

    label: str
    steps: Array
    value: Array


def load_curves(game: str) -> list[ReferenceCurve]:
    """The published curves on a game, one per agent in the order of `AGENTS`.

    Args:
        game: ``pong`` or ``breakout``.

    Raises:
        UnknownData: there are no curves of this game.
        MissingData: the data set is not here; the line names the command that fetches it.
        TornData: the data set is here in part, or damaged.
    """
    if game not in GAMES:
        raise UnknownData(unknown_name("game", game, GAMES))
    return read_curves(find(DATA) / f"{game}.json.gz")


def read_curves(path: Path) -> list[ReferenceCurve]:
    """The curves in a file as Dopamine publishes it, gzipped.

    Raises:
        TornCurves: the file is not what Dopamine publishes.
    """
    points = _read(path)
    missing = sorted(set(AGENTS) - {point.Agent for point in points})
    if missing:
        raise TornCurves(f"{path}: no curve of {', '.join(missing)}")
    return [_mean(agent, [p for p in points if p.Agent == agent]) for agent in AGENTS]


class _Point(BaseModel):
    Iteration: int
    Value: float
    Agent: str


def _read(path: Path) -> list[_Point]:
    try:
        return TypeAdapter(list[_Point]).validate_json(gzip.decompress(path.read_bytes()))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(map(str, first["loc"]))
        raise TornCurves(f"{path}: {place} {first['msg']}") from None
    except (OSError, EOFError, zlib.error) as error:
        raise TornCurves(f"{path}: {error}") from None


def _mean(agent: str, points: list[_Point]) -> ReferenceCurve:
    """Over the seeds, at the middle of each iteration."""
    iterations, index = np.unique([point.Iteration for point in points], return_inverse=True)
    sums = np.bincount(index, [point.Value for point in points])
    steps = (iterations + 0.5) * DECISIONS_PER_ITERATION
    return ReferenceCurve(f"{agent} (Dopamine)", steps, sums / np.bincount(index))
