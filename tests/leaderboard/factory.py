"""Records for tests: complete, valid, and changed where a test says so."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from mlds_bench.leaderboard.record import Record, record_path, write_record

ANCHORS = {
    "random": {"value": 0.0, "source": "measured"},
    "trivial": {"value": -1.0, "source": "mean of the target"},
    "pass_mark": {"value": -4.0, "source": "course, shallow network"},
    "best": {"value": -8.0, "source": "best known"},
}
GAME = {
    "variant": "hw4-1/pong",
    "scores": {"mean_return": 1.0},
    "primary": "mean_return",
    "higher_is_better": True,
    "normalized": 0.5,
    "anchors": {
        name: {"value": value, "source": "test"}
        for name, value in (("random", 0.0), ("trivial", -1.0), ("pass_mark", 2.0), ("best", 9.0))
    },
}
PUBLISHED = {"label": "deep (course)", "value": -6.0, "source": "a student's report, 2018"}


def content(**changes: Any) -> dict[str, Any]:
    """A finished cell with log10_mse -2, so normalized 0.5, as the dictionary of its JSON."""
    return {
        "schema_version": 1,
        "variant": "hw1-1/sinc",
        "agent": "deep",
        "agent_params": {"learning_rate": 0.001, "widths": [5, 10]},
        "seed": 0,
        "preset": "quick",
        "state": "ok",
        "reason": "",
        "scores": {"log10_mse": -2.0, "sup_error": 0.25},
        "primary": "log10_mse",
        "higher_is_better": False,
        "normalized": 0.5,
        "env_steps": 12_800,
        "wall_seconds": 3.5,
        "train_seconds": 2.0,
        "eval_seconds": 0.5,
        "cpu_seconds": 3.0,
        "seconds_to_pass": None,
        "steps_per_second": 6_400.0,
        "peak_memory_mb": 300.0,
        "env_version": "mlds/FunctionFitting-v0",
        "env_kwargs": {"target": "sinc"},
        "env_options": {},
        "data_checksum": None,
        "agent_hash": "a1",
        "key": "k1",
        "package_version": "0.1.0",
        "git_commit": "c1",
        "python": "3.11.7",
        "packages": {"numpy": "2.4.6"},
        "hardware": {"cpu": "Test CPU", "cores": 2, "load": 0.7},
        "threads": 1,
        "stopped_by": "env_steps",
        "budget": {"env_steps": 12_800, "seconds": None},
        "test_episodes": 65_536,
        "started_utc": "2026-05-09T07:35:25Z",
        "curve": [{"env_steps": 6_400, "seconds": 1.0, "reward": -0.1, "episode_return": -0.1}],
        "anchors": ANCHORS,
        "published": [PUBLISHED],
    } | changes


def make_record(score: float = -2.0, **changes: Any) -> Record:
    """A finished cell with this log10_mse; its normalized score is -score / 4."""
    scores = {"log10_mse": score, "sup_error": 0.25}
    return Record.model_validate(
        content(**({"scores": scores, "normalized": -score / 4} | changes))
    )


def game_record(
    returns: list[float | None], episodes: list[int] | None = None, **changes: Any
) -> Record:
    """Of an agent that learnt to play: the return, and number, of the episodes of each stretch."""
    curve = [
        {"env_steps": 100 * i, "seconds": 60.0 * i, "reward": -0.5, "episode_return": value}
        for i, value in enumerate(returns, start=1)
    ]
    for point, count in zip(curve, episodes or (), strict=False):
        point["episodes"] = count
    return Record.model_validate(content(**{**GAME, "curve": curve, **changes}))


def make_failure(state: str = "failed", reason: str = "ValueError: no", **changes: Any) -> Record:
    """A cell without scores."""
    return make_record(state=state, reason=reason, scores={}, normalized=None, **changes)


def store(out: Path, *records: Record) -> None:
    """Writes records where they belong."""
    for record in records:
        write_record(record, record_path(out, record))
