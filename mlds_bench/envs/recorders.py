"""What the test split leaves behind: the only thing that scores and pictures are made of.

A room makes its own recorder (`BatchedEnv.make_recorder`), which keeps what its scores need and no
more. The core calls every recorder alike, in the test split only: when episodes begin, when
observations are shown, with every step, and when episodes end.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.common.names import unknown_name
from mlds_bench.common.trees import on_each, take

Flags: TypeAlias = npt.NDArray[np.bool_]
Indices: TypeAlias = npt.NDArray[np.intp]

STEP_FIELDS = (
    "observation",
    "action",
    "reward",
    "terminated",
    "truncated",
    "oracle",
    "instance",
    "episode",
)
"""What a `StepRecorder` can keep of a step."""
SHOWN = ("observation", "oracle")
END_FIELDS = ("observation", "oracle", "length", "return", "terminated", "truncated")
"""What an `EndRecorder` can keep of an episode, besides its instance and its number."""


@dataclass(frozen=True)
class Step:
    """One step of the M instances that a room plays.

    Attributes:
        rows: (R,) those of the M whose episode counts.
        instance: (M,) their numbers in the batch.
        episode: (M,) int64, how many episodes each began before this one.
        action: (M, ...), or a dictionary of such.
        reward: (M,) float64.
        terminated: (M,) bool.
        truncated: (M,) bool.
    """

    rows: Indices
    instance: Indices
    episode: npt.NDArray[np.int64]
    action: Any
    reward: npt.NDArray[np.float64]
    terminated: Flags
    truncated: Flags


class Recorder(ABC):
    """Keeps what a test is judged by.

    Attributes:
        episodes: how many of every instance count, the first ones; None for all.
        ended: (N,) int64, how many every instance has ended.
        trace: for pictures. A room whose scores need less than its pictures show may append to it
            in ``draw`` and ``advance``, in the test split alone, entries that only its own
            ``pictures`` module reads. No score depends on it.
    """

    def __init__(self) -> None:
        self.episodes: int | None = None
        self.ended = np.zeros(0, np.int64)
        self.trace: list[dict[str, Any]] = []

    def start(self, num_envs: int, episodes: int | None = None) -> None:
        """Get ready for a batch of which the first ``episodes`` of every instance count."""
        self.episodes = episodes
        self.ended = np.zeros(num_envs, np.int64)

    @property
    def is_complete(self) -> bool:
        """Whether every instance has ended all the episodes that count; False if all count."""
        return self.episodes is not None and bool((self.ended >= self.episodes).all())

    def still_counts(self, instances: Indices) -> Flags:
        """Which of the ``instances`` (M,) have yet to end an episode that counts."""
        if self.episodes is None:
            return np.ones(len(instances), np.bool_)
        flags: Flags = self.ended[instances] < self.episodes
        return flags

    def begin(self, instances: Indices) -> None:  # noqa: B027 - not every recorder needs it
        """Called when episodes begin in ``instances`` (K,)."""

    def show(  # noqa: B027 - not every recorder needs it
        self, observation: Any, oracle: Callable[[], Any]
    ) -> None:
        """Called with what the next actions answer.

        Args:
            observation: (M, ...), in the agent's hands: copy what is kept.
            oracle: returns the oracle of this moment, fresh; to be called only if it is needed.
        """

    def step(self, step: Step) -> None:  # noqa: B027 - not every recorder needs it
        """Called with a step, whose arrays others hold as well: copy what is kept."""

    def end(
        self,
        step: Step,
        rows: Indices,
        observation: Any,  # noqa: ARG002 - for recorders that keep it
        oracle: Callable[[], Any],  # noqa: ARG002
    ) -> None:
        """Called when episodes that count have ended with a step.

        Args:
            step: the last one.
            rows: (K,) those of the M instances that ended.
            observation: (M, ...), the last of the old episodes.
            oracle: returns that observation's oracle, fresh.
        """
        self.ended[step.instance[rows]] += 1

    @abstractmethod
    def __len__(self) -> int:
        """How much was recorded."""

    @abstractmethod
    def arrays(self) -> dict[str, Any]:
        """What was recorded, joined."""


class StepRecorder(Recorder):
    """Keeps every step of the episodes that count.

    Args:
        fields: those of `STEP_FIELDS` that are kept. ``observation`` is what the action answered,
            ``oracle`` the hidden truth of that observation.
    """

    def __init__(self, fields: Sequence[str] = STEP_FIELDS) -> None:
        super().__init__()
        self.fields = _checked(fields, STEP_FIELDS)
        self.entries: list[dict[str, Any]] = []
        self._shown: dict[str, Any] = {}

    def __len__(self) -> int:
        """Steps of single instances."""
        return sum(_length(entry) for entry in self.entries)

    def show(self, observation: Any, oracle: Callable[[], Any]) -> None:
        """Keep a copy; see `Recorder.show`."""
        if "observation" in self.fields:
            self._shown["observation"] = on_each(observation, np.copy)
        if "oracle" in self.fields and (told := oracle()) is not None:
            self._shown["oracle"] = told

    def step(self, step: Step) -> None:
        """Keep the rows that count; see `Recorder.step`."""
        whole = len(step.rows) == len(step.instance)
        entry = {}
        for name in self.fields:
            if name in self._shown:
                entry[name] = self._shown[name] if whole else take(self._shown[name], step.rows)
            elif name not in SHOWN:
                entry[name] = take(getattr(step, name), step.rows)
        self.entries.append(entry)

    def arrays(self) -> dict[str, Any]:
        """The steps (S, ...) in order of time, and of instances within a step."""
        if not self.entries:
            raise ValueError("nothing was recorded: step an environment of the test split first")
        joined: dict[str, Any] = _joined(self.entries)
        return joined


class EndRecorder(Recorder):
    """Keeps how the episodes that count end.

    Args:
        fields: those of `END_FIELDS` that are kept besides ``instance`` and ``episode``, (E,) int64
            each. ``observation`` is the episode's last, ``oracle`` the hidden truth of it,
            ``length`` (E,) int64 in steps, ``return`` (E,) float64.
        extra: returns what else the room's scores need of the rows (K,) that end: name to fresh
            array (K, ...).
    """

    def __init__(
        self,
        fields: Sequence[str] = END_FIELDS,
        extra: Callable[[Indices], Mapping[str, Any]] | None = None,
    ) -> None:
        super().__init__()
        self.fields = _checked(fields, END_FIELDS)
        self.extra = extra
        self.entries: list[dict[str, Any]] = []
        self._length = np.zeros(0, np.int64)
        self._return = np.zeros(0)

    def __len__(self) -> int:
        """Episodes that ended."""
        return sum(_length(entry) for entry in self.entries)

    def start(self, num_envs: int, episodes: int | None = None) -> None:
        """Get ready; see `Recorder.start`."""
        super().start(num_envs, episodes)
        self._length, self._return = np.zeros(num_envs, np.int64), np.zeros(num_envs)

    def begin(self, instances: Indices) -> None:
        """Count from 0; see `Recorder.begin`."""
        self._length[instances] = 0
        self._return[instances] = 0.0

    def step(self, step: Step) -> None:
        """Count on; see `Recorder.step`."""
        whole = len(step.instance) == len(self._length)
        rows = slice(None) if whole else step.instance  # indexing would cost ten times as much
        self._length[rows] += 1
        self._return[rows] += step.reward

    def end(self, step: Step, rows: Indices, observation: Any, oracle: Callable[[], Any]) -> None:
        """Keep the ends; see `Recorder.end`."""
        super().end(step, rows, observation, oracle)
        instance = step.instance[rows]
        known: dict[str, Callable[[], Any]] = {
            "observation": lambda: take(observation, rows),
            "oracle": lambda: None if (told := oracle()) is None else take(told, rows),
            "length": lambda: self._length[instance],
            "return": lambda: self._return[instance],
            "terminated": lambda: step.terminated[rows],
            "truncated": lambda: step.truncated[rows],
        }
        kept = {name: known[name]() for name in self.fields}
        self.entries.append(
            {
                "instance": instance,
                "episode": step.episode[rows],
                **{name: value for name, value in kept.items() if value is not None},
                **(self.extra(rows) if self.extra else {}),
            }
        )

    def arrays(self) -> dict[str, Any]:
        """The ends (E, ...) of the first episodes of every instance, as many as all have ended.

        Taking the first to end of the whole batch would favor short episodes. They are ordered by
        episode, and by instance within: the first N rows are the first episodes of all instances.

        Raises:
            ValueError: an instance has ended no episode.
        """
        if not self.entries:
            raise ValueError(
                "nothing was recorded: end an episode of an environment of the test split first"
            )
        common = int(self.ended.min())
        if common == 0:
            raise ValueError(
                f"instance {int(self.ended.argmin())} has ended no episode: play on until every "
                "instance has"
            )
        ends = _joined(self.entries)
        by_instance = np.argsort(ends["instance"], kind="stable")
        first = np.cumsum(self.ended) - self.ended
        rows: Indices = (first + np.arange(common)[:, None]).ravel()
        counted: dict[str, Any] = take(ends, by_instance[rows])
        return counted


def _checked(fields: Sequence[str], known: Sequence[str]) -> tuple[str, ...]:
    for name in fields:
        if name not in known:
            raise ValueError(unknown_name("field to record", name, known))
    return tuple(fields)


def _length(entry: Mapping[str, Any]) -> int:
    first = next(iter(entry.values()))
    return _length(first) if isinstance(first, Mapping) else len(first)


def _joined(entries: Sequence[Any]) -> Any:
    """The entries with their arrays joined, however deep."""
    if isinstance(entries[0], Mapping):
        return {name: _joined([entry[name] for entry in entries]) for name in entries[0]}
    return np.concatenate(entries)
