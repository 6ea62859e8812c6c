"""Tasks and records as files: where they lie, how they are written and read.

`<out>/<preset>/<homework>/<variant>/variant.json` holds the task, what all records of the variant
share. A record is one JSON file per cell beside it, at `<agent slug>/seed-<k>.json`, with its
artifacts in `<agent slug>/seed-<k>/`. A file is written whole or not at all; path and content
agree, or it is refused. The harness writes these files, everything else in this package reads them.
"""

from __future__ import annotations

import json
import os
import secrets
import stat
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from pydantic import ValidationError

from mlds_bench.leaderboard.fields import one_line
from mlds_bench.leaderboard.schema import (
    STATES,
    Anchor,
    Anchors,
    Cost,
    CurvePoint,
    Identity,
    Model,
    Provenance,
    Published,
    Record,
    RecordBudget,
    Score,
    State,
    Task,
    Testing,
    Training,
    normalized_score,
    slug,
)

__all__ = [
    "STATES",
    "Anchor",
    "Anchors",
    "Cost",
    "CurvePoint",
    "Identity",
    "NoRecords",
    "Provenance",
    "Published",
    "Record",
    "RecordBudget",
    "Score",
    "State",
    "Task",
    "TaskIdentity",
    "Testing",
    "TornRecord",
    "Training",
    "artifact_folder",
    "normalized_score",
    "read_record",
    "read_task",
    "record_path",
    "replace_file",
    "slug",
    "strip_times",
    "task_path",
    "write_record",
    "write_task",
]

TASK_FILE = "variant.json"
WHAT_TO_DO = "delete it or run the cell again"
MOST_BYTES = 64 * 2**20
"""Of a record: the longest curves take a hundredth of it."""
LONGEST_PROBLEM = 300
"""Characters of what is said about a file that cannot be read."""
LOADS = frozenset({"load", "load_average", "memory_free_mb"})

Stored = TypeVar("Stored", Record, Task)


class TornRecord(ValueError):
    """A file that is not a complete record or task, or not in its place; one line.

    Attributes:
        path: the file.
        problem: what is wrong with it, without the path.
    """

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}; {WHAT_TO_DO}")
        self.path = path
        self.problem = problem


class NoRecords(ValueError):
    """A folder without records; one line."""


class TaskIdentity(NamedTuple):
    """What makes a variant of a preset this variant; enough to find its task."""

    preset: str
    variant: str


def record_path(out: str | Path, record: Record | Identity) -> Path:
    """Where the record of a cell lies.

    Args:
        out: the folder of the run.
        record: the record, or the identity of its cell.

    Returns:
        `<out>/<preset>/<homework>/<variant>/<agent slug>/seed-<k>.json`.
    """
    cell = record.identity if isinstance(record, Record) else record
    return Path(out, cell.preset, cell.variant, slug(cell.agent), f"seed-{cell.seed}.json")


def task_path(out: str | Path, task: Task | Record | Identity | TaskIdentity) -> Path:
    """Where a task lies.

    Args:
        out: the folder of the run.
        task: the task, its identity, or a record or cell of it.

    Returns:
        `<out>/<preset>/<homework>/<variant>/variant.json`.
    """
    return Path(out, task.preset, task.variant, TASK_FILE)


def artifact_folder(path: Path) -> Path:
    """Folder of a record's artifacts (saved agent, samples): `seed-<k>/` beside `seed-<k>.json`."""
    return path.with_suffix("")


def replace_file(path: Path, text: str) -> None:
    """Writes a text file so that a reader sees the old content or the new, never a part.

    The temporary file lies in the same folder and is named `.<name>.<random>.tmp`.

    Args:
        path: the file; its folder is made if need be.
        text: the whole content, written as UTF-8.

    Raises:
        OSError: the folder cannot be made or written.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.tmp"
    try:
        with temporary.open("x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_record(record: Record, path: Path) -> None:
    """Writes a record atomically, as strict JSON (no NaN, no Infinity).

    Args:
        record: the record.
        path: where `record_path` says it belongs.

    Raises:
        ValueError: the path belongs to another cell.
        OSError: the folder cannot be made or written.
    """
    _write(record, path)


def write_task(task: Task, path: Path) -> None:
    """Writes a task atomically, as strict JSON.

    Args:
        task: the task.
        path: where `task_path` says it belongs.

    Raises:
        ValueError: the path belongs to another variant or preset.
        OSError: the folder cannot be made or written.
    """
    _write(task, path)


def read_record(path: str | Path) -> Record:
    """Reads one record and checks it.

    Args:
        path: the file.

    Returns:
        The record.

    Raises:
        TornRecord: not JSON, not a complete record, or the record of another cell.
        OSError: the file cannot be read.
    """
    return _read(Record, Path(path))


def read_task(path: str | Path) -> Task:
    """Reads one task and checks it.

    Args:
        path: the file `variant.json`.

    Returns:
        The task.

    Raises:
        TornRecord: not JSON, not a complete task, or the task of another variant.
        OSError: the file cannot be read.
    """
    return _read(Task, Path(path))


def strip_times(record: Record) -> dict[str, Any]:
    """What two runs of the same cell have in common: the record without times, memory and load.

    Args:
        record: the record.

    Returns:
        The record as a dictionary, without its cost, the start, the seconds of the curve and the
        load figures of the hardware.
    """
    content = record.model_dump(mode="json", exclude={"cost": True, "provenance": {"started_utc"}})
    provenance = content["provenance"]
    provenance["hardware"] = {k: v for k, v in provenance["hardware"].items() if k not in LOADS}
    for point in content["training"]["curve"]:
        del point["seconds"]
    return content


def _write(stored: Record | Task, path: Path) -> None:
    if problem := _misplaced(stored, path):
        raise ValueError(f"{path}: {problem}")
    content = stored.model_dump(mode="json")
    replace_file(path, json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def _read(model: type[Stored], path: Path) -> Stored:
    try:
        content = _document(path)
        stored = model.model_validate(content)
    except TornRecord:
        raise
    except ValidationError as error:
        raise TornRecord(path, _first_problem(error, model)) from error
    except RecursionError as error:
        raise TornRecord(path, "not a JSON document of ours (nested too deeply)") from error
    except ValueError as error:
        why = one_line(str(error), LONGEST_PROBLEM)
        raise TornRecord(path, f"not a JSON document ({why})") from error
    if problem := _misplaced(stored, path):
        raise TornRecord(path, problem)
    return stored


def _document(path: Path) -> Any:
    """What a regular file of a size that a record may have holds: a pipe would be read for ever."""
    status = path.stat()
    if not stat.S_ISREG(status.st_mode):
        raise TornRecord(path, "not a regular file")
    if status.st_size > MOST_BYTES:
        raise TornRecord(path, f"{status.st_size:,} bytes, and a record has {MOST_BYTES:,} at most")
    text = path.read_bytes()
    content = json.loads(text, parse_constant=_refuse_constant)
    if b"\\u" in text:  # half of a pair of surrogates is no character, and nothing can print it
        json.dumps(content, ensure_ascii=False).encode()
    return content


def _misplaced(stored: Record | Task, path: Path) -> str | None:
    expected = task_path("", stored) if isinstance(stored, Task) else record_path("", stored)
    if path.absolute().parts[-len(expected.parts) :] == expected.parts:
        return None
    return f"its content belongs at {expected.as_posix()}"


def _first_problem(error: ValidationError, model: type[Model]) -> str:
    first, *others = error.errors()
    where = ".".join(str(part) for part in first["loc"]) or model.__name__.lower()
    more = f" (and {len(others)} more)" if others else ""
    problem = one_line(first["msg"].removeprefix("Value error, "), LONGEST_PROBLEM)
    return f"{one_line(where, LONGEST_PROBLEM)}: {problem}{more}"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not strict JSON")
