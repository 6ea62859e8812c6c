"""Records of schema 1 become tasks and records of schema 2, and a comparison proves it.

    python -m tools.migrate OLD NEW --renames renames.json [--complete package.module]
    python -m tools.migrate --compare OLD NEW [--renames renames.json]

``renames.json`` maps hyper-parameters: ``{"ppo": {"horizon": "num_steps", "ahead": null}}``; null
drops one. They are renamed in the parameters, in the label and in the path of the agent. The module
given with ``--complete`` has a function ``complete(record, task)``: it changes both dictionaries in
place, and supplies what schema 1 did not have (question, room, marks, versions, key). The task's
digest is filled in afterwards. Tables are not migrated: ``mlds-bench table NEW`` makes them.
"""

from __future__ import annotations

import argparse
import importlib
import json
import re
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from mlds_bench.leaderboard.record import (
    Anchors,
    Record,
    Task,
    artifact_folder,
    normalized_score,
    record_path,
    slug,
    task_path,
    write_record,
    write_task,
)

Content = dict[str, Any]
Renames = Mapping[str, Mapping[str, str | None]]
Complete = Callable[[Content, Content], None]

RECOMPUTABLE = ("normalized", "seconds_to_pass", "steps_per_second")
"""Fields of schema 1 that follow from a record and its task, and are no longer stored."""
COSTS = ("wall_seconds", "train_seconds", "eval_seconds", "cpu_seconds", "peak_memory_mb")
MADE_BY = (
    "package_version",
    "git_commit",
    "python",
    "packages",
    "hardware",
    "threads",
    "started_utc",
)
PLACES = {
    "preset": "record.preset",
    "variant": "record.variant",
    "seed": "record.seed",
    "state": "record.state",
    "reason": "record.reason",
    "env_steps": "record.training.env_steps",
    "env_options": "record.training.env_options",
    "budget": "record.training.budget",
    "stopped_by": "record.training.stopped_by",
    "scores": "record.test.scores",
    "test_episodes": "record.test.episodes",
    "wall_seconds": "record.cost.wall_seconds",
    "train_seconds": "record.cost.train_seconds",
    "eval_seconds": "record.cost.eval_seconds",
    "cpu_seconds": "record.cost.cpu_seconds",
    "peak_memory_mb": "record.cost.peak_memory_mb",
    "agent_hash": "record.provenance.source_hash",
    "package_version": "record.provenance.package_version",
    "git_commit": "record.provenance.git_commit",
    "python": "record.provenance.python",
    "packages": "record.provenance.packages",
    "hardware": "record.provenance.hardware",
    "threads": "record.provenance.threads",
    "started_utc": "record.provenance.started_utc",
    "primary": "task.scores.0.name",
    "higher_is_better": "task.scores.0.higher_is_better",
    "env_version": "task.environment",
    "env_kwargs": "task.env_kwargs",
    "data_checksum": "task.data_checksum",
    "anchors": "task.anchors",
    "published": "task.published",
}
"""Field of schema 1 -> where it is now: written down apart from what `new_record` does."""
OLD_RECORD = "*/*/*/*/seed-*.json"
NEW_TASK = "*/*/*/variant.json"


def renamed_label(label: str, renames: Renames) -> str:
    """The label of an agent with its hyper-parameters renamed and sorted."""
    name, _, text = label.partition("@")
    table = renames.get(name, {})
    pairs = [item.partition("=") for item in re.split(r",(?=\w+=)", text) if item]
    kept = sorted((table.get(key, key) or "", value) for key, _, value in pairs)
    settings = ",".join(f"{key}={value}" for key, value in kept if key)
    return f"{name}@{settings}" if settings else name


def renamed_params(label: str, params: Content, renames: Renames) -> Content:
    """The hyper-parameters of an agent under their new names."""
    table = renames.get(label.partition("@")[0], {})
    kept = {table.get(key, key): value for key, value in params.items()}
    return {key: value for key, value in kept.items() if key is not None}


def renamed_origin(origin: str, renames: Renames) -> str:
    """The path of the record in which an agent learned, with the label renamed."""
    if not origin:
        return ""
    *place, agent, seed = origin.split("/")
    return "/".join([*place, renamed_label(agent, renames), seed])


def new_task(old: Content) -> Content:
    """What schema 1 says about the task of a record; one instance per episode of the test."""
    return {
        "preset": old["preset"],
        "variant": old["variant"],
        "question": "",
        "room": old["env_version"],
        "family": old.get("family", ""),
        "environment": old["env_version"],
        "env_kwargs": old["env_kwargs"],
        "data_checksum": old["data_checksum"],
        "test_envs": old["test_episodes"],
        "test_episodes": 1,
        "scores": [{"name": old["primary"], "higher_is_better": old["higher_is_better"]}],
        "anchors": old["anchors"],
        "headline": False,
        "published": old["published"],
        "pass_return": None,
    }


def new_record(old: Content, renames: Renames) -> Content:
    """What schema 1 says about a record, in the parts of schema 2."""
    return {
        "preset": old["preset"],
        "variant": old["variant"],
        "agent": renamed_label(old["agent"], renames),
        "seed": old["seed"],
        "pretrained": renamed_origin(old.get("pretrained", ""), renames),
        "state": old["state"],
        "reason": old["reason"],
        "training": {
            "params": renamed_params(old["agent"], old["agent_params"], renames),
            "env_options": old["env_options"],
            "env_steps": old["env_steps"],
            "budget": old["budget"],
            "stopped_by": old["stopped_by"],
            "curve": [dict(point) for point in old["curve"]],
        },
        "test": {"scores": old["scores"], "episodes": old["test_episodes"]},
        "cost": {name: old[name] for name in COSTS},
        "provenance": {name: old[name] for name in MADE_BY}
        | {
            "key": old["key"],
            "task": "",
            "agent_version": None,
            "source_hash": old["agent_hash"],
        },
    }


def migrate(source: Path, target: Path, renames: Renames, complete: Complete) -> int:
    """Writes the tree of schema 2; returns the number of records.

    Raises:
        ValueError: two records of a variant disagree about their task.
    """
    tasks: dict[Path, Task] = {}
    paths = sorted(source.glob(OLD_RECORD))
    for path in paths:
        old = json.loads(path.read_bytes())
        content, shared = new_record(old, renames), new_task(old)
        complete(content, shared)
        task = Task.model_validate(shared)
        place = task_path(target, task)
        if tasks.setdefault(place, task) != task:
            raise ValueError(f"{path}: its task differs from that of the records before it")
        content["provenance"]["task"] = task.digest
        record = Record.model_validate(content)
        write_record(record, record_path(target, record))
        if artifact_folder(path).is_dir():
            shutil.copytree(artifact_folder(path), artifact_folder(record_path(target, record)))
    for place, task in tasks.items():
        write_task(task, place)
    return len(paths)


def compare(source: Path, target: Path, renames: Renames) -> list[str]:
    """What is not equal, exactly, before and after; a line each."""
    problems, expected = [], set()
    for path in sorted(source.glob(OLD_RECORD)):
        old = json.loads(path.read_bytes())
        place = target.joinpath(*path.relative_to(source).parts[:3])
        new_path = place / slug(renamed_label(old["agent"], renames)) / path.name
        expected.add(new_path)
        if not new_path.is_file():
            problems.append(f"{path}: no {new_path}")
            continue
        new = json.loads(new_path.read_bytes())
        task = json.loads((place / "variant.json").read_bytes())
        problems += [f"{new_path}: {name}" for name in unequal(old, new, task, renames)]
        problems += _unequal_files(artifact_folder(path), artifact_folder(new_path))
    surplus = set(target.glob(OLD_RECORD)) - expected
    return problems + [f"{path}: not in {source}" for path in sorted(surplus)]


def unequal(old: Content, new: Content, task: Content, renames: Renames) -> list[str]:
    """Names of what differs between a record of schema 1 and its successor, or was lost."""
    both = {"record": new, "task": task}
    wrong = [name for name, place in PLACES.items() if name in old and old[name] != at(both, place)]
    before = [{"episodes": None, "score": None} | point for point in old["curve"]]
    checks = {
        "curve": before == new["training"]["curve"],
        "agent": renamed_label(old["agent"], renames) == new["agent"],
        "agent_params": renamed_params(old["agent"], old["agent_params"], renames)
        == new["training"]["params"],
        "pretrained": renamed_origin(old.get("pretrained", ""), renames) == new["pretrained"],
        "family": old.get("family", "") == task["family"],
        "normalized": old["normalized"] == _normalized(new, task),
        "steps_per_second": old["steps_per_second"] == _steps_per_second(new),
        "size of the test": old["state"] != "ok"
        or old["test_episodes"] == task["test_envs"] * task["test_episodes"],
    }
    lost = old.keys() - PLACES.keys() - checks.keys() - {"schema_version", "key", *RECOMPUTABLE}
    return wrong + [name for name, equal in checks.items() if not equal] + sorted(lost)


def at(content: Content, place: str) -> Any:
    """What lies at a place as in ``record.cost.wall_seconds``; digits count in a list."""
    found: Any = content
    for part in place.split("."):
        found = found[int(part) if part.isdigit() else part]
    return found


def _normalized(new: Content, task: Content) -> float | None:
    if new["state"] != "ok":
        return None
    value = new["test"]["scores"][task["scores"][0]["name"]]
    return normalized_score(value, Anchors.model_validate(task["anchors"]))


def _steps_per_second(new: Content) -> float | None:
    steps, seconds = new["training"]["env_steps"], new["cost"]["train_seconds"]
    return steps / seconds if steps and seconds else None


def _unequal_files(before: Path, after: Path) -> list[str]:
    """Artifacts that are missing, new or not equal byte for byte."""
    contents = [
        {str(p.relative_to(folder)): p.read_bytes() for p in folder.rglob("*") if p.is_file()}
        for folder in (before, after)
    ]
    names = sorted(contents[0].keys() | contents[1].keys())
    return [f"{after / n}: differs" for n in names if contents[0].get(n) != contents[1].get(n)]


def _report(source: Path, target: Path, renames: Renames) -> int:
    problems = compare(source, target, renames)
    olds = [json.loads(path.read_bytes()) for path in sorted(source.glob(OLD_RECORD))]
    labels = {old["agent"]: renamed_label(old["agent"], renames) for old in olds}
    print(f"{len(olds)} records of schema 1, {len(list(target.glob(OLD_RECORD)))} of schema 2")
    print(f"{len(list(target.glob(NEW_TASK)))} tasks, each stored once")
    print(f"{sum(len(old['curve']) for old in olds)} points of curves")
    print(f"not stored any more, computed from record and task: {', '.join(RECOMPUTABLE)}")
    print("not compared: key and version of the agent, which have new meanings")
    print(*(f"renamed: {a} -> {b}" for a, b in labels.items() if a != b), sep="\n")
    print(*problems, f"{len(problems)} differences", sep="\n")
    return 1 if problems else 0


def _leave(record: Content, task: Content) -> None:
    """Of `complete`, where no module is given: nothing is known beyond schema 1."""


def main() -> int:
    """Command line; returns the exit code."""
    parser = argparse.ArgumentParser(prog="tools.migrate")
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path)
    parser.add_argument("--renames", type=Path)
    parser.add_argument("--complete", metavar="MODULE")
    parser.add_argument("--compare", action="store_true")
    options = parser.parse_args()
    renames: Renames = json.loads(options.renames.read_bytes()) if options.renames else {}
    if options.compare:
        return _report(options.source, options.target, renames)
    module = importlib.import_module(options.complete) if options.complete else None
    complete: Complete = module.complete if module else _leave
    if options.target.exists():
        parser.error(f"{options.target} is there already: give a new folder")
    print(migrate(options.source, options.target, renames, complete), "records migrated")
    return 0


if __name__ == "__main__":
    sys.exit(main())
