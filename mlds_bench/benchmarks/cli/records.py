"""A record, or what all records of a variant share, told to a person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlds_bench.leaderboard.record import (
    Record,
    Task,
    TornRecord,
    artifact_folder,
    normalized_score,
    read_record,
    read_task,
    task_path,
)

FILES_SHOWN = 12
"""Of what lies beside a record."""


def show_file(path: Path, *, as_json: bool) -> None:
    """Print a record or a task: a summary, or all of it as JSON.

    Raises:
        TornRecord: it is neither.
        OSError: it cannot be read.
    """
    stored = read_task(path) if path.name == "variant.json" else read_record(path)
    if as_json:
        print(stored.model_dump_json(indent=1))
        return
    rows = _task_rows(stored) if isinstance(stored, Task) else _record_rows(stored, path)
    for name, text in rows:
        print(f"{name:11}{text}".rstrip())
    print(f"{'':11}mlds-bench show --json {path} prints all that it holds")


def _record_rows(record: Record, path: Path) -> Iterator[tuple[str, str]]:
    yield "record", f"{record.variant} {record.agent} seed {record.seed}, preset {record.preset}"
    yield "state", f"{record.state}{f': {record.reason}' if record.reason else ''}"
    if record.pretrained:
        yield "learned", f"in {record.pretrained}"
    yield from _score_rows(record, _task_of(record, path))
    yield from _training_rows(record)
    cost, made = record.cost, record.provenance
    memory = "" if cost.peak_memory_mb is None else f", at most {cost.peak_memory_mb:,.0f} MiB"
    yield "cost", f"{cost.wall_seconds:.1f} s in all{memory}"
    commit = f", commit {made.git_commit[:12]}" if made.git_commit else ""
    yield "made", f"{made.started_utc}, mlds-bench {made.package_version}{commit}"
    yield "machine", f"{_pairs(made.hardware)}, Python {made.python}, threads {made.threads}"
    yield from _beside(artifact_folder(path))


def _task_of(record: Record, path: Path) -> Task | None:
    """What the record shares with others of its variant, where that can be read."""
    try:
        task = read_task(task_path(path.absolute().parents[4], record))
    except (OSError, TornRecord, IndexError):
        return None
    return task if task.digest == record.provenance.task else None


def _score_rows(record: Record, task: Task | None) -> Iterator[tuple[str, str]]:
    for name, value in record.test.scores.items():
        told = f"{name} {value:.6g}"
        if task and name == task.primary:
            mark = task.anchors.pass_mark.value
            told += f" (normalized {normalized_score(value, task.anchors):.2f}, mark {mark:g})"
        yield "score", told
    if record.test.scores:
        yield "test", f"{record.test.episodes:,} episodes"


def _training_rows(record: Record) -> Iterator[tuple[str, str]]:
    training, seconds = record.training, record.cost.train_seconds
    if seconds is not None:
        end = f", ended by {training.stopped_by}" if training.stopped_by else ""
        steps = f"{training.env_steps:,} of {training.budget.env_steps:,} steps"
        curve = f", a curve of {len(training.curve)} points"
        yield "training", f"{steps} in {seconds:.1f} s{end}{curve}"
    if training.params:
        yield "params", _pairs(training.params)
    if training.env_options:
        yield "view", _pairs(training.env_options)


def _beside(folder: Path) -> Iterator[tuple[str, str]]:
    if folder.is_dir() and not folder.is_symlink():
        files = sorted(str(one.relative_to(folder)) for one in folder.rglob("*") if one.is_file())
        more = f" and {len(files) - FILES_SHOWN} more" if len(files) > FILES_SHOWN else ""
        yield "files", f"in {folder}: {', '.join(files[:FILES_SHOWN])}{more}"


def _task_rows(task: Task) -> Iterator[tuple[str, str]]:
    yield "variant", f"{task.variant}, preset {task.preset}: {task.question}"
    yield "environment", f" {task.environment} {_pairs(task.env_kwargs)}"
    yield "test", f"{task.test_envs:,} instances, {task.test_episodes} episodes each"
    for name, mark in task.marks.items():
        yield "mark", f"{name} {mark:g}"


def _pairs(values: Mapping[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
