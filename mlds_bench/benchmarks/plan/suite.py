"""From names to cells: which variants, which agents, which seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache, partial
from typing import Any

from mlds_bench.agents.params import label
from mlds_bench.agents.registry import AgentSpec, UnknownAgent, resolve, rooms_of
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.presets import PRESETS, Preset
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.trained import Trained, find_committed
from mlds_bench.benchmarks.plan.variant import Run, Variant
from mlds_bench.benchmarks.plan.variants import HOMEWORKS, VARIANTS
from mlds_bench.common.names import unknown_name

ALL = "all"


def select_runs(patterns: Sequence[str], preset: str) -> list[tuple[Variant, Run]]:
    """The variants that the patterns name, in the order of the list, each with what it runs.

    Args:
        patterns: ``all``, a homework (``hw1-1``), a variant (``hw1-1/sinc``), or either with
            wildcards (``'hw1-*/s*'``). Variants of a family are named one by one or by wildcards
            of variants (``'hw1-2/xor-*'``). What ``all`` runs of a variant may be less than what
            its name runs.
        preset: name of the preset.
    """
    named = {variant.id for variant in select_variants([p for p in patterns if p != ALL])}
    chosen = []
    for name, variant in VARIANTS.items():
        runs = variant.runs[preset]
        run = runs.alone if name in named else runs.in_all if ALL in patterns else None
        if run is not None:
            chosen.append((variant, run))
    return chosen


def select_variants(patterns: Sequence[str]) -> list[Variant]:
    """The variants that any of the patterns names, in the order of the list."""
    chosen: set[str] = set()
    for pattern in patterns:
        names = {
            name
            for name, variant in VARIANTS.items()
            if fnmatchcase(name, pattern)
            or (not variant.family and (pattern == ALL or fnmatchcase(variant.homework, pattern)))
        }
        if not names:
            raise UsageError(
                f"{unknown_name('variant', pattern, [ALL, *HOMEWORKS, *VARIANTS])} "
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

    Args:
        patterns: see `select_runs`.
        preset: name of the preset.
        agents: names in any of the five ways; by default those of each variant. A name that is
            built in for some rooms plays in the variants of these.
        seeds: by default those of each variant.
        params: hyper-parameters for every agent.
        device: torch device of the agents.
        seal: what the test split's seeds come from.
    """
    chosen, rows = select_preset(preset), select_runs(patterns, preset)
    players = _resolve_all([variant for variant, _ in rows], agents) if agents else _own(rows)
    return [
        Cell(
            variant=variant,
            agent=spec,
            params=dict(params or {}),
            seed=seed,
            preset=chosen,
            budget=variant.budget(chosen.name, spec.base),
            device=device,
            seal=seal,
            draws=chosen.pictures and seed == row_seeds[0],
            trained=trained,
        )
        for variant, run in rows
        for row_seeds in [tuple(seeds if seeds is not None else run.seeds)]
        for spec in players[variant.id]
        for trained in [_find_trained(variant, spec, params or {})]
        for seed in row_seeds
    ]


def _own(rows: Sequence[tuple[Variant, Run]]) -> dict[str, list[AgentSpec]]:
    return {v.id: [resolve(name, v.room) for name in run.agents] for v, run in rows}


def _resolve_all(variants: Sequence[Variant], names: Sequence[str]) -> dict[str, list[AgentSpec]]:
    """The named agents in each variant; a name has to play in one of them at least."""
    players: dict[str, list[AgentSpec]] = {variant.id: [] for variant in variants}
    for name in dict.fromkeys(names):
        rooms = rooms_of(name)
        read = cache(partial(resolve, name))  # the files of an agent are read once per run
        fitting = [v for v in variants if not rooms or v.room in rooms]
        if not fitting:
            there = ", ".join(dict.fromkeys(variant.id for variant in variants))
            raise UnknownAgent(f"agent {name!r} plays in {', '.join(rooms)}, not in {there}")
        for variant in fitting:
            players[variant.id].append(read(variant.room if rooms else None))
    return players


def _find_trained(variant: Variant, agent: AgentSpec, params: Mapping[str, Any]) -> Trained | None:
    if not agent.is_pretrained:
        return None
    return find_committed(variant, label(agent.base, params))
