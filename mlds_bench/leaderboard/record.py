"""Records as files: where they lie, how they are written and read.

A record is one JSON file a cell at
`<out>/<preset>/<homework>/<variant>/<agent slug>/seed-<k>.json`, its artifacts beside it in
`seed-<k>/`. It is written whole or not at all; path and content agree, or it is refused. The
harness writes records, everything else in this package reads them.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from mlds_bench.leaderboard.schema import (
    STATES,
    Anchor,
    Anchors,
    CurvePoint,
    Identity,
    Published,
    Record,
    RecordBudget,
    State,
    normalized_score,
    slug,
)

__all__ = [
    "STATES",
    "Anchor",
    "Anchors",
    "CurvePoint",
    "Identity",
    "NoRecords",
    "Published",
    "Record",
    "RecordBudget",
    "State",
    "TornRecord",
    "artifact_folder",
    "normalized_score",
    "read_record",
    "read_records",
    "record_path",
    "replace_file",
    "slug",
    "strip_times",
    "write_record",
]

TIMES = frozenset(
    {
        "wall_seconds",
        "train_seconds",
        "eval_seconds",
        "cpu_seconds",
        "seconds_to_pass",
        "steps_per_second",
        "peak_memory_mb",
        "started_utc",
    }
)
LOADS = frozenset({"load", "load_average", "memory_free_mb"})
PATH_PARTS = 5  # preset, homework, variant, agent slug, file


class TornRecord(ValueError):
    """A file that is not a complete record, or that does not belong where it lies; one line."""

    def __init__(self, path: Path, problem: str) -> None:
        super().__init__(f"{path}: {problem}; delete it or run the cell again")
        self.path = path


class NoRecords(ValueError):
    """A folder without records; one line."""


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
        ValueError: the path is another cell's.
        OSError: the folder cannot be made or written.
    """
    if problem := _misplaced(record, path):
        raise ValueError(f"{path}: {problem}")
    content = record.model_dump(mode="json")
    replace_file(path, json.dumps(content, indent=1, allow_nan=False, ensure_ascii=False) + "\n")


def read_record(path: str | Path) -> Record:
    """Reads one record and checks it.

    Args:
        path: the file.

    Returns:
        The record.

    Raises:
        TornRecord: not JSON, not a complete record, or another cell's record.
        OSError: the file cannot be read.
    """
    path = Path(path)
    try:
        content = json.loads(path.read_bytes(), parse_constant=_refuse_constant)
        record = Record.model_validate(content)
    except ValidationError as error:
        raise TornRecord(path, _first_problem(error)) from error
    except ValueError as error:
        raise TornRecord(path, f"not a JSON document ({error})") from error
    if problem := _misplaced(record, path):
        raise TornRecord(path, problem)
    return record


def read_records(folder: str | Path) -> list[Record]:
    """Reads every record below a folder, in order of path.

    Args:
        folder: the folder of a run, of a preset, or any folder below.

    Returns:
        The records, at least one.

    Raises:
        NoRecords: the folder does not exist or holds no record.
        TornRecord: one of the files is no record; the line names the file.
    """
    folder = Path(folder)
    if not folder.is_dir():
        raise NoRecords(f"{folder}: no such folder; make records with 'mlds-bench run'")
    paths = sorted(path for path in folder.rglob("seed-*.json") if _is_own(path, folder))
    records = [read_record(path) for path in paths]
    if not records:
        raise NoRecords(f"{folder}: no records in it; make some with 'mlds-bench run'")
    return records


def strip_times(record: Record) -> dict[str, Any]:
    """What two runs of the same cell have in common: the record without times, memory and load.

    Args:
        record: the record.

    Returns:
        The record as a dictionary, without the fields of `TIMES`, the seconds of the curve and
        the load figures of the hardware.
    """
    content = record.model_dump(mode="json", exclude=set(TIMES))
    content["hardware"] = {k: v for k, v in content["hardware"].items() if k not in LOADS}
    for point in content["curve"]:
        del point["seconds"]
    return content


def _is_own(path: Path, folder: Path) -> bool:
    """Whether a file named like a record is none of a cell's artifacts."""
    return not any(re.fullmatch(r"seed-\d+", part) for part in path.relative_to(folder).parts)


def _misplaced(record: Record, path: Path) -> str | None:
    expected = record_path("", record)
    if path.absolute().parts[-PATH_PARTS:] == expected.parts:
        return None
    return f"its content belongs at {expected.as_posix()}"


def _first_problem(error: ValidationError) -> str:
    first, *others = error.errors()
    where = ".".join(str(part) for part in first["loc"]) or "record"
    more = f" (and {len(others)} more)" if others else ""
    return f"{where}: {first['msg'].removeprefix('Value error, ')}{more}"


def _refuse_constant(name: str) -> float:
    raise ValueError(f"{name} is not strict JSON")
