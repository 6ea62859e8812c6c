"""A cell: variant x agent x seed, with all that its result depends on, and the key of that."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from mlds_bench.agents.budget import Budget
from mlds_bench.agents.params import label
from mlds_bench.agents.registry import AgentSpec
from mlds_bench.benchmarks.plan.presets import Preset
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.trained import Trained
from mlds_bench.benchmarks.plan.variant import TestSize, Variant
from mlds_bench.benchmarks.plan.variants import HOMEWORKS
from mlds_bench.common.data.store import MissingData
from mlds_bench.envs.registry import ENVIRONMENTS
from mlds_bench.leaderboard.record import Identity, Task, record_path


@dataclass(frozen=True)
class Cell:
    """Variant x agent x seed.

    Attributes:
        variant: what is played.
        agent: who plays.
        params: hyper-parameters that the user set; they are part of the agent's label.
        seed: of agent, training and test.
        preset: limits.
        budget: what the agent may use to learn.
        device: torch device.
        seal: what the seeds of tests come from.
        draws: whether pictures are made of its test; no result depends on it.
        again: whether the user asks for a finished cell once more: then a failure, too, takes the
            place of a good record; no result depends on it.
        trained: what a pretrained agent plays with, if there is any.
        task: what it shares with all records of the variant.
        absent: why it cannot run here (a data set that is missing); "" if it can.
        key: hash of all that a finished result depends on; another key makes it stale. It is
            computed when the cell is planned, and never again.
    """

    variant: Variant
    agent: AgentSpec
    params: Mapping[str, Any]
    seed: int
    preset: Preset
    budget: Budget
    device: str
    seal: Seal
    draws: bool = False
    again: bool = False
    trained: Trained | None = None
    task: Task = field(init=False)
    absent: str = field(init=False)
    key: str = field(init=False)

    def __post_init__(self) -> None:
        checksum, absent = data_checksum(self.variant.env_id, _text(self.variant.env_kwargs))
        task = make_task(self.variant, self.preset.name, checksum)
        for name, value in {"task": task, "absent": absent, "key": _key(self, task)}.items():
            object.__setattr__(self, name, value)

    @property
    def label(self) -> str:
        """Name of the agent with its overrides."""
        return label(self.agent.name, self.params)

    @property
    def all_params(self) -> dict[str, Any]:
        """Hyper-parameters that the variant or the user set."""
        return {**self.variant.params(self.agent.base), **self.params}

    @property
    def test_size(self) -> TestSize:
        """How large its test is."""
        return self.variant.test_sizes[self.preset.name]

    @property
    def identity(self) -> Identity:
        """What names the record."""
        return Identity(self.preset.name, self.variant.id, self.label, self.seed)

    def __str__(self) -> str:
        return f"{self.variant.id} {self.label} seed {self.seed}"

    def path(self, out: Path) -> Path:
        """Where the record belongs."""
        return record_path(out, self.identity)


def make_task(variant: Variant, preset: str, checksum: str | None) -> Task:
    """What all records of a variant under a preset share."""
    size = variant.test_sizes[preset]
    return Task(
        preset=preset,
        variant=variant.id,
        question=HOMEWORKS[variant.homework],
        room=variant.room,
        family=variant.family,
        environment=variant.env_id,
        env_kwargs=dict(variant.env_kwargs),
        data_checksum=checksum,
        test_envs=size.num_envs,
        test_episodes=size.episodes,
        scores=variant.scores,
        anchors=variant.anchors,
        headline=variant.headline,
        published=variant.published,
        pass_return=variant.pass_return,
    )


@cache
def data_checksum(env_id: str, env_kwargs: str) -> tuple[str | None, str]:
    """sha256 of the data behind an environment, if it is known, and why they cannot be read here.

    Args:
        env_id: Gymnasium id.
        env_kwargs: its keyword arguments, as JSON: a checksum is computed once per run.
    """
    environment, arguments = ENVIRONMENTS[env_id], json.loads(env_kwargs)
    checksum = None
    try:
        checksum = environment.data_checksum(**arguments)
        environment.require_data(**arguments)
    except MissingData as missing:
        return checksum, str(missing)
    return checksum, ""


def _key(cell: Cell, task: Task) -> str:
    content = {
        "task": task.digest,
        "agent": cell.agent.fingerprint,
        "params": cell.all_params,
        "budget": [cell.budget.env_steps, str(cell.budget.seconds)],
        "seed": cell.seed,
        "device": cell.device,
        "seal": cell.seal.fingerprint,
        "trained": cell.trained.checksum if cell.trained else None,
    }
    return hashlib.sha256(_text(content).encode()).hexdigest()


def _text(content: Mapping[str, Any]) -> str:
    return json.dumps(content, sort_keys=True)
