"""From names to cells: which variants, which agents, which seeds, and the key of each cell."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from pathlib import Path
from typing import Any

from mlds_bench.agents.base import Budget
from mlds_bench.agents.params import label
from mlds_bench.agents.registry import PRETRAINED, AgentSpec, resolve
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.presets import PRESETS, Preset
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.trained import Trained, find_committed
from mlds_bench.benchmarks.plan.variant import Variant
from mlds_bench.benchmarks.plan.variants import HOMEWORKS, VARIANTS
from mlds_bench.common.names import unknown_name
from mlds_bench.envs.registry import ENVIRONMENTS
from mlds_bench.leaderboard.record import Identity, record_path


@dataclass(frozen=True)
class Cell:
    """Variant x agent x seed, with all that its result depends on.

    Attributes:
        draws: whether pictures are made of its test; no result depends on it.
        trained: what a pretrained agent plays with, if there is any.
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
    trained: Trained | None = None

    @property
    def label(self) -> str:
        """Name of the agent with its overrides."""
        return label(self.agent.name, self.params)

    @property
    def identity(self) -> Identity:
        """What names the record."""
        return Identity(self.preset.name, self.variant.id, self.label, self.seed)

    def __str__(self) -> str:
        return f"{self.variant.id} {self.label} seed {self.seed}"

    def path(self, out: Path) -> Path:
        """Where the record belongs."""
        return record_path(out, self.identity)

    @cached_property
    def data_checksum(self) -> str:
        """sha256 of the data the environment is made of."""
        return ENVIRONMENTS[self.variant.env_id].data_checksum(**self.variant.env_kwargs)

    @cached_property
    def key(self) -> str:
        """Hash of all that a finished result depends on; another key makes it stale."""
        content = {
            "environment": self.variant.env_id,
            "env_kwargs": dict(self.variant.env_kwargs),
            "data": self.data_checksum,
            "agent": self.agent.source_hash(),
            "params": dict(self.params),
            "budget": [self.budget.env_steps, str(self.budget.seconds)],
            "test": [self.variant.test_instances, self.variant.test_episodes],
            "anchors": self.variant.anchors.model_dump(mode="json"),
            "primary": self.variant.primary,
            "seed": self.seed,
            "device": self.device,
            "seal": self.seal.fingerprint,
        }
        if self.trained:
            content["trained"] = self.trained.checksum
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


def select_variants(patterns: Sequence[str]) -> list[Variant]:
    """The variants that any of the patterns names, in the order of the list.

    Args:
        patterns: ``all``, a homework (``hw1-1``), a variant (``hw1-1/sinc``), or either with
            wildcards (``'hw1-*/s*'``). Variants of a family are named one by one or by wildcards
            of variants (``'hw1-2/xor-*'``); long ones are not part of ``all``, but for their
            previews (see `plan`).
    """
    chosen: set[str] = set()
    for pattern in patterns:
        names = {
            name
            for name, variant in VARIANTS.items()
            if fnmatchcase(name, pattern)
            or (not variant.family and not variant.long and pattern == "all")
            or (not variant.family and fnmatchcase(variant.homework, pattern))
        }
        if not names:
            raise UsageError(
                f"{unknown_name('variant', pattern, ['all', *HOMEWORKS, *VARIANTS])} "
                "(mlds-bench list variants)"
            )
        chosen |= names
    return [variant for name, variant in VARIANTS.items() if name in chosen]


def select_preset(name: str) -> Preset:
    """A preset by name."""
    if name not in PRESETS:
        raise UsageError(unknown_name("preset", name, list(PRESETS)))
    return PRESETS[name]


def parse_seeds(text: str) -> tuple[int, ...]:
    """``0-4`` or ``0,2,5`` or ``0-2,11037`` as seeds, in that order, each once."""
    seeds: list[int] = []
    for part in text.split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"seeds are written 0-4 or 0,2,5, got {text!r}")
        seeds += range(int(first), int(last or first) + 1)
        if dash and int(last) < int(first):
            raise UsageError(f"the seeds {part} run backwards: write {last}-{first}")
    return tuple(dict.fromkeys(seeds))


def plan(
    patterns: Sequence[str],
    *,
    preset: str,
    agents: Sequence[str] | None = None,
    seeds: Sequence[int] | None = None,
    params: Mapping[str, Any] | None = None,
    device: str = "cpu",
    seal: Seal,
) -> list[Cell]:
    """The cells of a run, in the order they are shown.

    Of long variants ``all`` runs the preview, under the first seed, where the preset has previews.

    Args:
        patterns: see `select_variants`.
        preset: name of the preset.
        agents: names in any of the five ways; by default those of each variant.
        seeds: by default those of the variant or of the preset.
        params: hyper-parameters for every agent.
        device: torch device of the agents.
        seal: what the test split's seeds come from.
    """
    chosen, variants = select_preset(preset), select_variants(patterns)
    rows = [
        (variant, tuple(agents or variant.agents), _seeds(variant, chosen, seeds))
        for variant in variants
    ]
    if "all" in patterns and chosen.previews:
        previewed = [variant for variant in VARIANTS.values() if variant not in variants]
        rows += [(v, _preview(v, agents), _seeds(v, chosen, seeds)[:1]) for v in previewed]
    specs = {name: resolve(name) for _, names, _ in rows for name in names}
    return [
        Cell(
            variant=variant,
            agent=specs[name],
            params=dict(params or {}),
            seed=seed,
            preset=chosen,
            budget=variant.budget(chosen.name, specs[name].name),
            device=device,
            seal=seal,
            draws=chosen.pictures and seed == row_seeds[0],
            trained=_find_trained(variant, specs[name], params or {}),
        )
        for variant, names, row_seeds in rows
        for name in dict.fromkeys(names)
        for seed in row_seeds
    ]


def _find_trained(variant: Variant, agent: AgentSpec, params: Mapping[str, Any]) -> Trained | None:
    if not agent.is_pretrained:
        return None
    return find_committed(variant, label(agent.name.removeprefix(PRETRAINED), params))


def _seeds(variant: Variant, preset: Preset, seeds: Sequence[int] | None) -> tuple[int, ...]:
    """Those asked for, or else the variant's own for this preset, or else the preset's."""
    return tuple(seeds if seeds is not None else variant.seeds.get(preset.name, preset.seeds))


def _preview(variant: Variant, agents: Sequence[str] | None) -> tuple[str, ...]:
    """The preview of a variant, or those of the agents asked for that are in it."""
    return tuple(name for name in variant.preview if name in (agents or variant.preview))
