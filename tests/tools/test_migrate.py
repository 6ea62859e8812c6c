"""Records of schema 1 move to schema 2 with every number, and whatever is lost is seen."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.leaderboard.record import artifact_folder
from mlds_bench.leaderboard.results import read_results
from tests.leaderboard.factory import ANCHORS, PUBLISHED
from tools.migrate import compare, migrate, renamed_label

RENAMES = {"ppo": {"horizon": "num_steps", "instances": "num_envs", "ahead": None}}


def old_record(**changes: Any) -> dict[str, Any]:
    return {
        "schema_version": 1,
        "variant": "hw1-1/sinc",
        "agent": "ppo@horizon=32,instances=128",
        "agent_params": {"horizon": 32, "instances": 128, "ahead": 1, "hidden": [5, 10]},
        "seed": 0,
        "preset": "quick",
        "state": "ok",
        "reason": "",
        "scores": {"log10_mse": -2.0, "sup_error": 1 / 3},
        "primary": "log10_mse",
        "higher_is_better": False,
        "normalized": 0.5,
        "env_steps": 12_800,
        "wall_seconds": 3.5,
        "train_seconds": 2.0,
        "eval_seconds": 0.5,
        "cpu_seconds": 3.0,
        "seconds_to_pass": 1.0,
        "steps_per_second": 6_400.0,
        "peak_memory_mb": 300.0,
        "env_version": "mlds/FunctionFitting-v0",
        "env_kwargs": {"target": "sinc"},
        "env_options": {},
        "data_checksum": "d1",
        "agent_hash": "a1",
        "key": "k1",
        "package_version": "0.1.0",
        "git_commit": "c1",
        "python": "3.11.7",
        "packages": {"numpy": "2.4.6"},
        "hardware": {"cpu": "Test CPU", "cores": 2},
        "threads": 1,
        "stopped_by": "env_steps",
        "budget": {"env_steps": 12_800, "seconds": None},
        "test_episodes": 65_536,
        "started_utc": "2026-05-09T07:35:25Z",
        "curve": [{"env_steps": 6_400, "seconds": 1.0, "reward": -0.1, "episode_return": None}],
        "anchors": ANCHORS,
        "published": [PUBLISHED],
    } | changes


def stored(folder: Path, record: dict[str, Any]) -> Path:
    place = folder / record["preset"] / record["variant"] / record["agent"]
    place.mkdir(parents=True, exist_ok=True)
    path: Path = place / f"seed-{record['seed']}.json"
    path.write_text(json.dumps(record))
    return path


def complete(record: dict[str, Any], task: dict[str, Any]) -> None:
    task["question"], task["room"] = "Which?", "fitting"
    record["provenance"] |= {"agent_version": 3, "key": "k2"}


@pytest.fixture
def trees(tmp_path: Path) -> tuple[Path, Path]:
    """Two seeds, one with artifacts, before and after."""
    old, new = tmp_path / "old", tmp_path / "new"
    artifacts = artifact_folder(stored(old, old_record()))
    artifacts.mkdir()
    (artifacts / "policy.bin").write_bytes(b"\0weights")
    stored(old, old_record(seed=1, family=""))
    assert migrate(old, new, RENAMES, complete) == 2
    return old, new


def test_every_number_arrives(trees: tuple[Path, Path]) -> None:
    """One task for both seeds, labels and hyper-parameters renamed, artifacts copied."""
    assert compare(*trees, RENAMES) == []
    results = read_results(trees[1])
    assert (len(results), results.problems) == (2, ())
    first = results.items[0]
    assert (first.state, first.record.agent) == ("ok", "ppo@num_envs=128,num_steps=32")
    assert first.record.training.params == {"num_steps": 32, "num_envs": 128, "hidden": [5, 10]}
    assert (first.task.room, first.record.provenance.agent_version) == ("fitting", 3)
    assert len(list(trees[1].rglob("variant.json"))) == 1
    assert next(trees[1].rglob("policy.bin")).read_bytes() == b"\0weights"


@pytest.mark.parametrize(
    ("part", "name", "value", "found"),
    [
        ("test", "scores", {"log10_mse": -2.0, "sup_error": 0.3333}, "scores"),
        ("cost", "cpu_seconds", 0.5, "cpu_seconds"),
        ("training", "curve", [], "curve"),
        ("training", "params", {"num_steps": 32}, "agent_params"),
        ("provenance", "git_commit", None, "git_commit"),
        ("provenance", "hardware", {}, "hardware"),
    ],
)
def test_a_number_that_changed_is_found(
    trees: tuple[Path, Path], part: str, name: str, value: object, found: str
) -> None:
    """Exactly, whichever part it is in."""
    path = next(trees[1].rglob("seed-1.json"))
    record = json.loads(path.read_text())
    record[part][name] = value
    path.write_text(json.dumps(record))
    assert compare(*trees, RENAMES) == [f"{path}: {found}"]


def test_what_is_lost_is_found(trees: tuple[Path, Path]) -> None:
    """A record, an artifact, a field of schema 1 that nobody knows, a record from nowhere."""
    old, new = trees
    stored(old, old_record(seed=1, surprise=1))
    stored(old, old_record(seed=2))
    next(new.rglob("policy.bin")).write_bytes(b"other")
    next(new.rglob("seed-0.json")).with_name("seed-9.json").write_text("{}")
    lines = [line.rpartition("/")[2] for line in compare(old, new, RENAMES)]
    assert lines == [
        "policy.bin: differs",
        "seed-1.json: surprise",
        "seed-2.json",
        f"{old.name}",
    ]


def test_records_that_disagree_about_their_task_are_not_merged(tmp_path: Path) -> None:
    stored(tmp_path / "old", old_record())
    stored(tmp_path / "old", old_record(seed=1, data_checksum="d2"))
    with pytest.raises(ValueError, match=r"seed-1\.json: its task differs"):
        migrate(tmp_path / "old", tmp_path / "new", RENAMES, complete)


@pytest.mark.parametrize(
    ("label", "renamed"),
    [
        ("ppo", "ppo"),
        ("ppo@horizon=32,instances=128", "ppo@num_envs=128,num_steps=32"),
        ("ppo@ahead=1", "ppo"),
        ("ppo@hidden=[5, 10],horizon=32", "ppo@hidden=[5, 10],num_steps=32"),
        ("sb3:PPO@zoo=true", "sb3:PPO@zoo=true"),
    ],
)
def test_labels_are_renamed_and_sorted(label: str, renamed: str) -> None:
    assert renamed_label(label, RENAMES) == renamed
