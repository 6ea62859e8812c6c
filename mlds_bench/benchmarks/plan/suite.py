"""From names to cells: which variants, which agents, which seeds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from mlds_bench.agents.params import label
from mlds_bench.agents.registry import AgentSpec
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.players import Player, find_player, find_players
from mlds_bench.benchmarks.plan.presets import PRESETS, Preset
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.trained import Trained, find_committed
from mlds_bench.benchmarks.plan.variant import Run, Variant
from mlds_bench.benchmarks.plan.variants import HOMEWORKS, VARIANTS
from mlds_bench.common.names import unknown_name
from mlds_bench.leaderboard.record import Identity, slug

ALL = "all"
MOST_SEEDS = 10_000
LARGEST_SEED = 2**31 - 1
PLANNED = ("hw2-1", "hw2-2", "hw3-1", "hw3-2", "hw3-3")
"""Homeworks of the course that nobody has built yet, or that had not been when this was written."""


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
            raise UsageError(_no_variant(pattern))
        chosen |= names
    return [variant for name, variant in VARIANTS.items() if name in chosen]


def not_built(name: str) -> str:
    """One line for a homework of the course, or a variant of it, that is yet to come; or ""."""
    homework = name.partition("/")[0]
    if homework not in PLANNED or homework in HOMEWORKS:
        return ""
    return f"{homework} is not built yet: it follows; there are {', '.join(HOMEWORKS)}"


def _no_variant(pattern: str) -> str:
    """One line for a pattern that names nothing."""
    if line := not_built(pattern):
        return line
    if pattern.endswith(".py"):
        return f"{pattern} is no variant: agents stand behind -a, wildcards in quotes: -a './*.py'"
    line = unknown_name("variant", pattern, [ALL, *HOMEWORKS, *VARIANTS])
    return f"{line} (mlds-bench list variants)"


def select_preset(name: str) -> Preset:
    """A preset by name."""
    if name not in PRESETS:
        raise UsageError(unknown_name("preset", name, list(PRESETS)))
    return PRESETS[name]


def parse_seeds(*texts: str) -> tuple[int, ...]:
    """``0-4`` or ``0,2,5`` or ``0-2,11037`` as seeds, in that order, each once.

    Args:
        texts: of one option or of several, which add up.
    """
    seeds: dict[int, None] = {}
    for part in ",".join(texts).split(","):
        first, dash, last = part.strip().partition("-")
        if not first.isdecimal() or (dash and not last.isdecimal()):
            raise UsageError(f"seeds are written 0-4 or 0,2,5, got {' '.join(texts)!r}")
        low, high = _seed(first), _seed(last or first)
        if high < low:
            raise UsageError(f"the seeds {part} run backwards: write {last}-{first}")
        if len(seeds) + high - low >= MOST_SEEDS:
            raise UsageError(f"at most {MOST_SEEDS:,} seeds fit into a run, got {part}")
        seeds |= dict.fromkeys(range(low, high + 1))
    return tuple(seeds)


def _seed(digits: str) -> int:
    if len(digits) > len(str(LARGEST_SEED)) or int(digits) > LARGEST_SEED:
        shown = digits if len(digits) < 20 else f"{digits[:17]}..."
        raise UsageError(f"a seed is at most {LARGEST_SEED}, got {shown}")
    return int(digits)


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
        agents: names in any of the ways of `players`; by default those of each variant. A name
            that is built in for some rooms plays in the variants of these.
        seeds: by default those of each variant.
        params: hyper-parameters for every agent; those in an agent's own name win.
        device: torch device of the agents.
        seal: what the test split's seeds come from.

    Raises:
        UsageError: a wrong name, or two agents that would share their records.
        UnknownAgent: a name that is no agent.
    """
    chosen, rows = select_preset(preset), select_runs(patterns, preset)
    players = _players(rows, agents, params or {})
    cells = [
        Cell(
            variant=variant,
            agent=player.spec,
            params=dict(player.params),
            seed=seed,
            preset=chosen,
            budget=variant.budget(chosen.name, player.spec.base),
            device=device,
            seal=seal,
            draws=chosen.pictures and seed == row_seeds[0],
            trained=trained,
        )
        for variant, run in rows
        for row_seeds in [tuple(seeds if seeds is not None else run.seeds)]
        for player in players[variant.id]
        for trained in [_find_trained(variant, player.spec, player.params)]
        for seed in row_seeds
    ]
    _refuse_shared_paths(cells)
    return cells


def _players(
    rows: Sequence[tuple[Variant, Run]], names: Sequence[str] | None, params: Mapping[str, Any]
) -> dict[str, list[Player]]:
    """Who plays each variant: the named agents, or those that it runs."""
    if names:
        return find_players(names, {variant.id: variant.room for variant, _ in rows}, params)
    return {
        variant.id: [find_player(name, variant.room, params) for name in run.agents]
        for variant, run in rows
    }


def _refuse_shared_paths(cells: Sequence[Cell]) -> None:
    """Two agents under one name would be averaged, and overwrite each other's records."""
    taken: dict[Identity, Cell] = {}
    for cell in cells:
        place = cell.identity._replace(agent=slug(cell.label))
        other = taken.setdefault(place, cell)
        if other is not cell:
            a, b = _place(other), _place(cell)
            raise UsageError(
                f"{a} and {b} would share the records of {place.agent!r}: give one a name of its "
                f"own, -a NAME={b}"
            )


def _place(cell: Cell) -> str:
    """Where an agent comes from: its file, or its label."""
    if cell.agent.kind != "file":
        return cell.label
    path = Path(cell.agent.module)
    near = path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path
    return f"{near}:{cell.agent.class_name}{cell.label.removeprefix(cell.agent.name)}"


def _find_trained(variant: Variant, agent: AgentSpec, params: Mapping[str, Any]) -> Trained | None:
    if not agent.is_pretrained:
        return None
    return find_committed(variant, label(agent.base, params))
