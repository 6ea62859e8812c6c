"""Tasks, records and results for tests: complete, valid, and changed where a test says so."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from mlds_bench.leaderboard.record import (
    Record,
    Task,
    record_path,
    task_path,
    write_record,
    write_task,
)
from mlds_bench.leaderboard.results import Result, Results

ANCHORS = {
    "random": {"value": 0.0, "source": "measured"},
    "trivial": {"value": -1.0, "source": "mean of the target"},
    "pass_mark": {"value": -4.0, "source": "course, shallow network"},
    "best": {"value": -8.0, "source": "best known"},
}
PUBLISHED = {"label": "deep (course)", "value": -6.0, "source": "a student's report, 2018"}
UP = {
    "scores": [{"name": "mean_return", "higher_is_better": True}],
    "published": [],
    "anchors": {
        name: {"value": value, "source": "test"}
        for name, value in (("random", 0.0), ("trivial", -1.0), ("pass_mark", 2.0), ("best", 9.0))
    },
}
"""A task whose score is a return: 0 at random, 2 passes."""
PARTS = ("training", "test", "cost", "provenance")


def task_content(**changes: Any) -> dict[str, Any]:
    """A task with log10_mse, where -4 passes, as the dictionary of its JSON."""
    return {
        "schema_version": 2,
        "preset": "quick",
        "variant": "hw1-1/sinc",
        "question": "Is deep better than shallow?",
        "room": "fitting",
        "family": "",
        "environment": "mlds/FunctionFitting-v0",
        "env_kwargs": {"target": "sinc"},
        "data_checksum": None,
        "test_envs": 65_536,
        "test_episodes": 1,
        "scores": [
            {"name": "log10_mse", "higher_is_better": False},
            {"name": "sup_error", "higher_is_better": False},
        ],
        "anchors": ANCHORS,
        "headline": False,
        "published": [PUBLISHED],
        "pass_return": None,
    } | changes


def make_task(**changes: Any) -> Task:
    """The same, as a task."""
    return Task.model_validate(task_content(**changes))


def content(**changes: Any) -> dict[str, Any]:
    """A finished cell with log10_mse -2, so normalized 0.5, as the dictionary of its JSON.

    A change goes to the part of the record that has a field of this name, else to the record.
    """
    record: dict[str, Any] = {
        "schema_version": 2,
        "preset": "quick",
        "variant": "hw1-1/sinc",
        "agent": "deep",
        "seed": 0,
        "pretrained": "",
        "state": "ok",
        "reason": "",
        "training": {
            "params": {"learning_rate": 0.001, "widths": [5, 10]},
            "env_options": {},
            "env_steps": 12_800,
            "budget": {"env_steps": 12_800, "seconds": None},
            "stopped_by": "env_steps",
            "curve": [{"env_steps": 6_400, "seconds": 1.0, "reward": -0.1, "episode_return": -0.1}],
        },
        "test": {"scores": {"log10_mse": -2.0, "sup_error": 0.25}, "episodes": 65_536},
        "cost": {
            "wall_seconds": 3.5,
            "train_seconds": 2.0,
            "eval_seconds": 0.5,
            "cpu_seconds": 3.0,
            "peak_memory_mb": 300.0,
        },
        "provenance": {
            "key": "k1",
            "task": make_task().digest,
            "agent_version": 1,
            "source_hash": "a1",
            "package_version": "0.1.0",
            "git_commit": "c1",
            "python": "3.11.7",
            "packages": {"numpy": "2.4.6"},
            "hardware": {"cpu": "Test CPU", "cores": 2, "load": 0.7},
            "threads": 1,
            "started_utc": "2026-05-09T07:35:25Z",
        },
    }
    for name, value in changes.items():
        homes = [record[part] for part in PARTS if name in record[part]]
        (homes[0] if homes else record)[name] = value
    return record


def make_record(score: float = -2.0, **changes: Any) -> Record:
    """A finished cell with this log10_mse; its normalized score is -score / 4."""
    scores = {"log10_mse": score, "sup_error": 0.25}
    return Record.model_validate(content(**({"scores": scores} | changes)))


def result_of(record: Record, **task: Any) -> Result:
    """A record with its task; the record is of this task, whatever the task is."""
    shared = make_task(**({"preset": record.preset, "variant": record.variant} | task))
    provenance = record.provenance.model_copy(update={"task": shared.digest})
    return Result(record.model_copy(update={"provenance": provenance}), shared)


def make_result(
    score: float = -2.0, *, task: dict[str, Any] | None = None, **changes: Any
) -> Result:
    """A finished cell with this log10_mse, and its task, changed as ``task`` says."""
    return result_of(make_record(score, **changes), **(task or {}))


def make_failure(
    state: str = "failed",
    reason: str = "ValueError: no",
    *,
    task: dict[str, Any] | None = None,
    **changes: Any,
) -> Result:
    """A cell without scores."""
    return make_result(task=task, state=state, reason=reason, scores={}, **changes)


def make_stale(**changes: Any) -> Result:
    """A cell that was made when its task was another one."""
    return Result(make_record(task="d0", **changes), make_task())


def game_result(
    returns: list[float | None],
    episodes: list[int] | None = None,
    *,
    score: float = 1.0,
    task: dict[str, Any] | None = None,
    **changes: Any,
) -> Result:
    """Of an agent that learned to play: the return, and number, of the episodes per stretch."""
    curve: list[dict[str, Any]] = [
        {"env_steps": 100 * i, "seconds": 60.0 * i, "reward": -0.5, "episode_return": value}
        for i, value in enumerate(returns, start=1)
    ]
    for point, count in zip(curve, episodes or (), strict=False):
        point["episodes"] = count
    given = {"variant": "hw4-1/pong", "scores": {"mean_return": score}, "curve": curve}
    record = Record.model_validate(content(**(given | changes)))
    return result_of(record, **(UP | {"room": "atari"} | (task or {})))


def of(results: Sequence[Result], *problems: str) -> Results:
    """Results as if read from a folder."""
    return Results(tuple(results), problems)


def store(out: Path, *results: Result) -> None:
    """Writes records and tasks where they belong."""
    for result in results:
        write_record(result.record, record_path(out, result.record))
        write_task(result.task, task_path(out, result.task))
