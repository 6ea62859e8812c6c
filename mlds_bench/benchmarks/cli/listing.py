"""What there is, listed and shown; nothing heavy is imported."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import fields
from pathlib import Path

from rich.console import Console
from rich.table import Table

from mlds_bench.agents.registry import BUILTIN, AgentSpec, UnknownAgent, resolve
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.variant import Variant
from mlds_bench.benchmarks.plan.variants import HOMEWORKS, VARIANTS
from mlds_bench.common.names import unknown_name
from mlds_bench.envs.registry import ENVIRONMENTS
from mlds_bench.leaderboard.record import read_record

Rows = Iterable[tuple[str, ...]]


def _homeworks() -> Rows:
    return HOMEWORKS.items()


def _variants() -> Rows:
    """A row a variant, and then one a family."""
    for variant in VARIANTS.values():
        if not variant.family:
            where = f" ({_part_of_all(variant)})" if variant.long else ""
            yield variant.id, variant.summary + where, ", ".join(variant.agents)
    for homework, family in dict.fromkeys((v.homework, v.family) for v in VARIANTS.values()):
        members = [v for v in VARIANTS.values() if (v.homework, v.family) == (homework, family)]
        if family:
            summary = f"{len(members)} variants, not part of all: {members[0].id} and so on"
            yield f"{homework}/{family}", summary, ", ".join(members[0].agents)


def _part_of_all(variant: Variant) -> str:
    some = f"of it all runs {', '.join(variant.preview)}" if variant.preview else "not part of all"
    return f"long: {some}"


def _envs() -> Rows:
    return ((env.id, env.summary) for env in ENVIRONMENTS.values())


def _agents() -> Rows:
    yield from ((name, summary_of(resolve(name))) for name in BUILTIN)
    yield "sb3:PPO", "any Stable-Baselines3 algorithm: sb3:A2C, sb3:SAC, sb3:TD3, ..."
    yield "pretrained:ppo", "any of these, with what lies beside its committed records"
    yield "./mine.py", "an agent of your own: a file with one class that has act()"
    yield "pkg.mod:Mine", "an agent of your own: a class of an installed package"


def _presets() -> Rows:
    return ((p.name, p.summary, f"seeds {', '.join(map(str, p.seeds))}") for p in PRESETS.values())


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
        console = Console()
        if kind == "all":
            console.print(f"[bold]{name}[/bold]")
        console.print(table)


def summary_of(spec: AgentSpec) -> str:
    """First line of an agent's class docstring, read from its source."""
    for path in spec.sources.values():
        for node in ast.parse(path.read_bytes()).body:
            if isinstance(node, ast.ClassDef) and node.name == spec.class_name:
                return (ast.get_docstring(node) or "").partition("\n")[0]
    return ""


def show(name: str) -> None:
    """The command ``show``."""
    if name.endswith(".json") and Path(name).exists():
        print(read_record(name).model_dump_json(indent=1))
        return
    for known, shown in SHOWN.items():
        if name in known:
            shown(name)
            return
    try:
        _show_agent(name)
    except UnknownAgent:
        known_names = [n for known in SHOWN for n in known] + list(BUILTIN)
        raise UsageError(unknown_name("name", name, known_names)) from None


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
    direction = "higher" if variant.higher_is_better else "lower"
    print(f"score        {variant.primary}, {direction} is better, on {_test_set(variant)}")
    print(f"agents       {', '.join(variant.agents)}")
    print("budgets")
    for preset in PRESETS:
        budgets = {a: variant.budget(preset, a).env_steps for a in variant.agents}
        usual = variant.budgets[preset]
        others = {a: steps for a, steps in budgets.items() if steps != usual.env_steps}
        extra = "".join(f"; {agent} {steps:,}" for agent, steps in others.items())
        print(f"  {preset:10} {usual.env_steps:>13,} steps, at most {usual.seconds:g} s{extra}")
    print("anchors")
    for field_name in type(variant.anchors).model_fields:
        anchor = getattr(variant.anchors, field_name)
        print(f"  {field_name:10} {anchor.value:9.4f}  {anchor.source}")
    for figure in variant.published:
        print(f"  published  {figure.value:9.4f}  {figure.label}: {figure.source}")


def _test_set(variant: Variant) -> str:
    return f"{variant.test_instances:,} instances x {variant.test_episodes} episodes"


def _show_environment(name: str) -> None:
    cls = ENVIRONMENTS[name].batched_class
    print(f"{name}\n\n{cls.__doc__}")


def _show_preset(name: str) -> None:
    preset = PRESETS[name]
    for field in fields(preset):
        print(f"{field.name:14} {getattr(preset, field.name)}")


def _show_agent(name: str) -> None:
    spec = resolve(name)
    print(f"{spec.name}: {summary_of(spec)}")
    print(f"source {spec.target}")
    for line in hyperparameter_lines(spec.load()):
        print(f"  {line}")


def hyperparameter_lines(cls: type) -> list[str]:
    """Name, default and type of each hyper-parameter that a class is known to take."""
    settings = getattr(cls, "hyperparameters", None)
    if settings is None:
        return []
    return [f"-p {f.name}={f.default!r}" for f in fields(settings)]


SHOWN: dict[tuple[str, ...], Callable[[str], None]] = {
    tuple(HOMEWORKS): _show_homework,
    tuple(VARIANTS): _show_variant,
    tuple(ENVIRONMENTS): _show_environment,
    tuple(PRESETS): _show_preset,
}
