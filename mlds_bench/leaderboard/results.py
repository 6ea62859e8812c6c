"""Results: records read against their tasks, and the numbers that follow from the two."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from re import fullmatch
from typing import Literal

from mlds_bench.leaderboard.curves import seconds_to_reach
from mlds_bench.leaderboard.record import (
    STATES,
    TASK_FILE,
    WHAT_TO_DO,
    NoRecords,
    Record,
    State,
    Task,
    TornRecord,
    normalized_score,
    read_record,
    read_task,
)
from mlds_bench.leaderboard.schema import COUNTED_AS_TRIVIAL

ShownState = State | Literal["stale"]
SHOWN_STATES: tuple[ShownState, ...] = (*STATES, "stale")
STALE = "made for another environment, other arguments, data or test size; run the cell again"


SHORTEST = 1e-6
"""Seconds of training from which on they were measured, and have a pace."""


@dataclass(frozen=True)
class Result:
    """A record and its task.

    Attributes:
        record: the result of one cell.
        task: what all records of its variant and preset share.

    Raises:
        ValueError: they do not belong together, or the record lacks the primary score.
    """

    record: Record
    task: Task

    def __post_init__(self) -> None:
        record, task = self.record, self.task
        if (record.preset, record.variant) != (task.preset, task.variant):
            raise ValueError(
                f"the record is of {record.preset}/{record.variant}, "
                f"its task of {task.preset}/{task.variant}"
            )
        if self.state == "ok" and task.primary not in record.test.scores:
            have = ", ".join(sorted(record.test.scores))
            raise ValueError(f"primary score {task.primary!r} is not among its scores: {have}")

    @cached_property
    def state(self) -> ShownState:
        """The state of the record; "stale" if it was made for another task."""
        return self.record.state if self.record.provenance.task == self.task.digest else "stale"

    @property
    def reason(self) -> str:
        """Why the state is not ok, in one line; empty if it is."""
        return STALE if self.state == "stale" else self.record.reason

    @property
    def primary_value(self) -> float | None:
        """Primary score, in its own unit; None unless ok."""
        return self.record.test.scores[self.task.primary] if self.state == "ok" else None

    @property
    def counted_as_trivial(self) -> bool:
        """Whether the cell failed, and so counts as the trivial anchor."""
        return self.state in COUNTED_AS_TRIVIAL

    @property
    def counted(self) -> float | None:
        """Primary score that the cell counts with: the trivial anchor's if it failed.

        None for skipped and stale cells, which do not count.
        """
        return self.task.anchors.trivial.value if self.counted_as_trivial else self.primary_value

    @property
    def normalized(self) -> float | None:
        """`counted` with 0 at random and 1 at the pass mark, within `NORMALIZED_BOUNDS`."""
        counted = self.counted
        return None if counted is None else normalized_score(counted, self.task.anchors)

    @property
    def passed(self) -> bool:
        """Whether the cell ended well and its test meets every mark."""
        return self.state == "ok" and self.task.meets_marks(self.record.test.scores)

    @property
    def seconds_to_pass(self) -> float | None:
        """Seconds of training until the returns of its episodes reached the pass mark.

        None if the test did not pass, if the task has no `pass_return`, or if they never did.
        """
        if not self.passed or self.task.pass_return is None:
            return None
        return seconds_to_reach(self.record, self.task.pass_return)

    @property
    def steps_per_second(self) -> float | None:
        """Environment steps per second of training; None without training."""
        steps, seconds = self.record.training.env_steps, self.record.cost.train_seconds
        return steps / seconds if steps and seconds and seconds > SHORTEST else None


@dataclass(frozen=True)
class Results:
    """Results, and what could not be read.

    Attributes:
        items: the results, in order of path when read from a folder.
        problems: one line per file, or variant, that was skipped: where, why, and what to do.
    """

    items: tuple[Result, ...]
    problems: tuple[str, ...] = ()

    def __iter__(self) -> Iterator[Result]:
        return iter(self.items)

    def __len__(self) -> int:
        return len(self.items)

    def only(self, keep: Callable[[Result], bool]) -> Results:
        """Those results that ``keep`` is true of, with all the problems."""
        return Results(tuple(filter(keep, self.items)), self.problems)


def read_results(folder: str | Path) -> Results:
    """Reads every record below a folder with its task, in order of path.

    Records that one label has from several sources of an agent are told apart: all but those of the
    source that ran last have it in their label. A torn or misplaced file does not stop the reading:
    it is skipped and named in `problems`, and so is a variant without a readable `variant.json`.

    Args:
        folder: the folder of a run, of a preset, or any folder below.

    Returns:
        At least one result.

    Raises:
        NoRecords: the folder does not exist or holds no record that can be read.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NoRecords(f"{folder}: no such folder; make records with 'mlds-bench run'")
    tasks: dict[Path, Task | None] = {}
    found: list[Result] = []
    problems: list[str] = []
    for path in sorted(path for path in folder.rglob("seed-*.json") if _is_own(path, folder)):
        place = path.absolute().parents[1]
        if place not in tasks:
            tasks[place] = _checked_task(place, problems)
        task = tasks[place]
        result = _checked_result(path, task, problems) if task else None
        found += [result] if result else []
    if not found:
        why = f"; the first problem: {problems[0]}" if problems else ""
        raise NoRecords(f"{folder}: no records in it; make some with 'mlds-bench run'{why}")
    return Results(tuple(_apart(found)), tuple(problems))


def _apart(results: list[Result]) -> list[Result]:
    """Records of one label and several sources, told apart: the source that ran last has the label.

    Another agent's file, or an older state of the same one, must never be averaged with it. Of
    built-in agents the version says whether they changed.
    """
    newest: dict[tuple[str, ...], tuple[str, str]] = {}
    for record in (one.record for one in results):
        if record.provenance.agent_version is None:
            run = record.provenance.started_utc, record.provenance.source_hash
            label = record.preset, record.variant, record.agent
            newest[label] = max(run, newest.get(label, run))
    return [_named(one, newest) for one in results]


def _named(result: Result, newest: Mapping[tuple[str, ...], tuple[str, str]]) -> Result:
    record = result.record
    last = newest.get((record.preset, record.variant, record.agent))
    source = record.provenance.source_hash
    if last is None or record.provenance.agent_version is not None or source == last[1]:
        return result
    agent = f"{record.agent} (source {source[:8]})"
    return replace(result, record=record.model_copy(update={"agent": agent}))


def _is_own(path: Path, folder: Path) -> bool:
    """Whether a file named like a record is not among the artifacts of a cell."""
    return not any(fullmatch(r"seed-\d+", part) for part in path.relative_to(folder).parts)


def _checked_task(place: Path, problems: list[str]) -> Task | None:
    name = "/".join(place.parts[-3:])
    try:
        return read_task(place / TASK_FILE)
    except FileNotFoundError:
        problem = f"{TASK_FILE} is missing"
    except TornRecord as error:
        problem = f"{TASK_FILE}: {error.problem}"
    except OSError as error:
        problem = f"{TASK_FILE}: {error.strerror}"
    problems.append(f"{name}: {problem}, so its records are left out; run the variant again")
    return None


def _checked_result(path: Path, task: Task, problems: list[str]) -> Result | None:
    try:
        return Result(read_record(path), task)
    except TornRecord as error:
        problem = f"{error.problem}; {WHAT_TO_DO}"
    except OSError as error:
        problem = f"cannot be read ({error.strerror})"
    except ValueError as error:
        problem = f"{error}; run the cell again"
    problems.append(f"{'/'.join(path.absolute().parts[-5:])}: {problem}")
    return None
