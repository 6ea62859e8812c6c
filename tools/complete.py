"""What records of schema 1 do not say, from today's plan: for `tools.migrate --complete`."""

from __future__ import annotations

import math
from typing import Any

from mlds_bench.agents.budget import Budget
from mlds_bench.agents.registry import resolve
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.variants import VARIANTS


def complete(record: dict[str, Any], task: dict[str, Any]) -> None:
    """Fill in the task of the variant, and the key that a cell has today."""
    variant = VARIANTS[record["variant"]]
    name, _, settings = record["agent"].partition("@")
    spec = resolve(name, variant.room)
    effective = record["training"]["params"]
    params = {one.partition("=")[0]: None for one in settings.split(",") if one}
    params = {key: effective[key] for key in params}
    budget = record["training"]["budget"]
    seconds = budget["seconds"] if budget["seconds"] is not None else math.inf
    hardware = record["provenance"]["hardware"]
    cell = Cell(
        variant=variant,
        agent=spec,
        params=params,
        seed=record["seed"],
        preset=PRESETS[record["preset"]],
        budget=Budget(budget["env_steps"], seconds),
        device="cuda" if "accelerator" in hardware else "cpu",
        seal=Seal(),
    )
    assert cell.label == record["agent"], (cell.label, record["agent"])
    today = cell.task.model_dump(mode="json")
    episodes = today["test_envs"] * today["test_episodes"]
    assert episodes == record["test"]["episodes"], record["variant"]
    for field in ("environment", "env_kwargs", "data_checksum", "anchors", "published"):
        assert task[field] == today[field], (record["variant"], field, task[field], today[field])
    task.clear()
    task.update(today)
    record["provenance"]["key"] = cell.key
    record["provenance"]["agent_version"] = spec.version
