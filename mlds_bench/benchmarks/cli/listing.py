"""What there is, listed and shown; nothing heavy is imported."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path

from rich.table import Table

from mlds_bench.agents.inspection import known_defaults
from mlds_bench.agents.params import parse_label
from mlds_bench.agents.registry import (
    EVERYWHERE,
    AgentSpec,
    UnknownAgent,
    agent_names,
    builtin,
    plugin_names,
    plugin_notes,
    resolve,
    rooms_of,
)
from mlds_bench.benchmarks.cli.records import show_file
from mlds_bench.benchmarks.cli.terminal import console
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.presets import DEFAULT_PRESET, PRESETS
from mlds_bench.benchmarks.plan.suite import not_built
from mlds_bench.benchmarks.plan.variant import Run, Variant
from mlds_bench.benchmarks.plan.variants import HOMEWORKS, VARIANTS
from mlds_bench.common.names import unknown_name
from mlds_bench.envs.registry import ENVIRONMENTS, ROOMS

Rows = Iterable[tuple[str, ...]]


def _homeworks() -> Rows:
    return HOMEWORKS.items()


def _variants() -> Rows:
    """One row per variant, then one per family."""
    for variant in VARIANTS.values():
        if not variant.family:
            yield variant.id, variant.summary + _part_of_all(variant), ", ".join(variant.agents)
    for homework, family in dict.fromkeys((v.homework, v.family) for v in VARIANTS.values()):
        members = [v for v in VARIANTS.values() if (v.homework, v.family) == (homework, family)]
        if family:
            summary = f"{len(members)} variants, not part of all: {members[0].id} and so on"
            yield f"{homework}/{family}", summary, ", ".join(members[0].agents)


def _part_of_all(variant: Variant) -> str:
    """What `all` runs of a variant at the default preset, where that is not all of it."""
    runs = variant.runs[DEFAULT_PRESET]
    if runs.in_all == runs.alone:
        return ""
    return f" (all runs {', '.join(runs.in_all.agents)})" if runs.in_all else " (not in all)"


def _envs() -> Rows:
    return ((env.id, env.summary) for env in ENVIRONMENTS.values())


def _agents() -> Rows:
    for room in (EVERYWHERE, *ROOMS):
        where = "every room" if room == EVERYWHERE else room
        yield from ((name, where, summary_of(spec)) for name, spec in builtin(room).items())
    notes = plugin_notes()
    for name in plugin_names():
        yield name, "plug-in", notes.get(name) or summary_of(resolve(name))
    yield "sb3:PPO", "every room", "any Stable-Baselines3 algorithm: sb3:A2C, sb3:SAC, sb3:TD3, ..."
    yield "pretrained:ppo", "", "any of these, with what lies beside its committed records"
    yield "./mine.py", "", "an agent of your own: a file with one class that has act()"
    yield "pkg.mod:Mine", "", "an agent of your own: a class of an installed package"
    yield "./agents/", "", "the agents in the files of a folder; './*/agent.py' in quotes, too"
    yield "small=./net.py@hidden=8", "", "an agent of your own under a name and settings of yours"
    yield "deep@learning_rate=0.003", "", "any of these with settings, as tables print it"


def _presets() -> Rows:
    return ((preset.name, preset.summary) for preset in PRESETS.values())


KINDS: dict[str, Callable[[], Rows]] = {
    "homeworks": _homeworks,
    "variants": _variants,
    "envs": _envs,
    "agents": _agents,
    "presets": _presets,
}


def list_names(kind: str) -> None:
    """The command ``list``."""
    if kind not in (*KINDS, "all"):
        raise UsageError(unknown_name("list", kind, ["all", *KINDS]))
    for name in KINDS if kind == "all" else [kind]:
        table = Table(box=None, show_header=False, padding=(0, 2, 0, 0), title=None)
        for index, row in enumerate(KINDS[name]()):
            if not index:
                for column in range(len(row)):
                    table.add_column(no_wrap=column == 0, overflow="fold")
            table.add_row(*row)
        screen = console()
        if kind == "all":
            screen.print(name, style="bold")
        screen.print(table)


def summary_of(spec: AgentSpec) -> str:
    """First line of an agent's class docstring, read from its source."""
    if spec.problem:
        return spec.problem
    for source in spec.sources.values():
        try:
            body = ast.parse(source.content).body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue  # loading it says what is wrong
        for node in body:
            if isinstance(node, ast.ClassDef) and node.name == spec.class_name:
                return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def show(name: str, *, as_json: bool = False) -> None:
    """The command ``show``."""
    if name.endswith(".json") and Path(name).exists():
        show_file(Path(name), as_json=as_json)
        return
    if as_json:
        raise UsageError(f"--json shows the file of a record, and {name} is none")
    for known, shown in SHOWN.items():
        if name in known:
            shown(name)
            return
    try:
        _show_agent(parse_label(name)[0])
    except UnknownAgent as error:
        raise UsageError(_nothing_of_that_name(name, error)) from None


def _nothing_of_that_name(name: str, error: UnknownAgent) -> str:
    """The nearest name of any kind, or what is wrong with the file or path of an agent."""
    if ":" in name or name.endswith(".py") or name in plugin_names():
        return str(error)
    if line := not_built(name):
        return line
    known = [n for names in SHOWN for n in names] + agent_names()
    line = unknown_name("name", name, known)
    return line if "?" in line else f"unknown name {name!r}: mlds-bench list prints all there are"


def _show_homework(name: str) -> None:
    print(f"{name}: {HOMEWORKS[name]}")
    rows = [row for row in _variants() if row[0].startswith(f"{name}/")]
    width = max(len(row[0]) for row in rows)
    for row in rows:
        print(f"  {row[0]:{width}}  {row[1]}")


def _show_variant(name: str) -> None:
    variant = VARIANTS[name]
    print(f"{variant.id}: {variant.summary}")
    print(f"environment  {variant.env_id} {dict(variant.env_kwargs)}")
    print("scores")
    for score in variant.scores:
        direction = "higher" if score.higher_is_better else "lower"
        mark = "" if score.mark is None else f", mark {score.mark:g}"
        primary = ", the primary score" if score == variant.primary else mark
        print(f"  {score.name:14} {direction} is better{primary}")
    print("presets")
    for preset in PRESETS:
        _show_runs(variant, preset)
    print("anchors")
    for field_name in type(variant.anchors).model_fields:
        anchor = getattr(variant.anchors, field_name)
        print(f"  {field_name:10} {anchor.value:9.4f}  {anchor.source}")
    for figure in variant.published:
        print(f"  published  {figure.value:9.4f}  {figure.label}: {figure.source}")


def _show_runs(variant: Variant, preset: str) -> None:
    """What a preset runs: agents and seeds, budgets, the size of the test."""
    runs, size = variant.runs[preset], variant.test_sizes[preset]
    budgets = {agent: variant.budget(preset, agent) for agent in runs.alone.agents}
    usual = variant.budgets[preset]
    others = [f"{a} {b.env_steps:,}" for a, b in budgets.items() if b.env_steps != usual.env_steps]
    print(
        f"  {preset:10} {usual.env_steps:>13,} steps, at most {usual.seconds:g} s"
        f"{''.join(f'; {other}' for other in others)}"
    )
    print(f"  {'':10} {_told(runs.alone)}")
    if runs.in_all != runs.alone:
        print(f"  {'':10} as a part of all: {_told(runs.in_all)}")
    each = f"{size.episodes} episode{'s' * (size.episodes != 1)} each"
    print(f"  {'':10} test: {size.num_envs:,} instances, {each}")


def _told(run: Run | None) -> str:
    if run is None:
        return "nothing"
    seeds = f"seed{'s' * (len(run.seeds) != 1)} {', '.join(map(str, run.seeds))}"
    return f"{', '.join(run.agents)}; {seeds}"


def _show_environment(name: str) -> None:
    cls = ENVIRONMENTS[name].batched_class
    print(f"{name}\n\n{inspect.cleandoc(cls.__doc__ or '')}")


def _show_preset(name: str) -> None:
    preset = PRESETS[name]
    for field in fields(preset):
        print(f"{field.name:14} {getattr(preset, field.name)}")


def _show_agent(name: str) -> None:
    rooms = rooms_of(name)
    for spec in [resolve(name, room) for room in rooms] or [resolve(name)]:
        defaults = known_defaults(spec)
        print(f"{spec.name}: {summary_of(spec)}")
        print(f"source {spec.target}")
        for hyperparameter, default in defaults.items():
            print(f"  -p {hyperparameter}={default or 'VALUE'}")


SHOWN: dict[tuple[str, ...], Callable[[str], None]] = {
    tuple(HOMEWORKS): _show_homework,
    tuple(VARIANTS): _show_variant,
    tuple(ENVIRONMENTS): _show_environment,
    tuple(PRESETS): _show_preset,
}
