"""What the commands of the command line do; `cli` holds their options and help."""

from __future__ import annotations

import sys
from pathlib import Path

from rich.console import Console

from mlds_bench.agents.inspection import check_agents
from mlds_bench.agents.params import parse_params
from mlds_bench.agents.registry import resolve, rooms_of
from mlds_bench.benchmarks.cli.printing import print_page
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.seal import take_seal
from mlds_bench.benchmarks.plan.suite import parse_seeds, plan
from mlds_bench.benchmarks.run.events import Observer
from mlds_bench.benchmarks.run.runner import Summary, run, standing
from mlds_bench.common.names import unknown_name
from mlds_bench.envs.registry import ENVIRONMENTS, ROOMS
from mlds_bench.leaderboard.homeworks import front_page
from mlds_bench.leaderboard.results import read_results
from mlds_bench.leaderboard.tables import leaderboard, leaderboards, write_tables

SHOWN_VARIANTS = 2
"""Of so many variants a run prints the tables at its end."""


def run_cells(
    names: list[str],
    *,
    agents: str | None,
    preset: str,
    seeds: str | None,
    params: list[str],
    out: Path,
    workers: int | None,
    device: str,
    retry: bool,
    dry_run: bool,
) -> int:
    """The command ``run``; returns the exit code."""
    seal = take_seal()
    cells = plan(
        names,
        preset=preset,
        agents=split_names(agents),
        seeds=parse_seeds(seeds) if seeds else None,
        params=parse_params(params),
        device=checked_device(device),
        seal=seal,
    )
    if params:
        _check_params(cells, are_named=agents is not None)
    if dry_run:
        return _print_plan(cells, out, retry=retry)
    from mlds_bench.benchmarks.cli.progress import Lines, Panel
    from mlds_bench.benchmarks.run.engines import CannotSave

    console = Console(stderr=True)
    observer: Observer = Panel(console) if console.is_terminal else Lines(console)
    try:
        summary = run(cells, out, observer=observer, workers=workers, retry=retry)
    except CannotSave as error:
        print(f"mlds-bench: cannot save, so the run ends: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print(
            "mlds-bench: interrupted; the same command continues where it stopped", file=sys.stderr
        )
        return 130
    _print_results(cells, out)
    return _print_summary(summary, out, console)


def _print_summary(summary: Summary, out: Path, console: Console) -> int:
    """What the run came to, and what failed; returns the exit code."""
    failed, count = len(summary.failed), len(summary.made)
    done = f"{count} cell{'s' * (count != 1)} run in {summary.seconds:.0f} s"
    kept = "; --retry runs failed cells again" if summary.failed_before else ""
    tables = f"all tables: mlds-bench table {out}"
    console.print(
        f"{done}, {failed} failed; records in {out}, {tables}{kept}",
        highlight=False,
        soft_wrap=True,
    )
    for record in summary.failed_before:
        line = f"failed before: {record.variant} {record.agent} seed {record.seed}: {record.state}"
        console.print(f"{line}: {record.reason}", highlight=False, markup=False, soft_wrap=True)
    return 1 if failed else 0


def _print_results(cells: list[Cell], out: Path) -> None:
    """Tables of one or two variants; of more, one row per homework. All are written to disk."""
    if not cells:
        return
    preset, variants = cells[0].preset.name, {cell.variant.id for cell in cells}
    results = read_results(out).only(
        lambda result: result.task.preset == preset and result.task.variant in variants
    )
    title = f"{preset} in {out}"
    few = len(variants) <= SHOWN_VARIANTS
    page = (
        leaderboard(results, title=title, front=False) if few else front_page(results, title=title)
    )
    print_page(page)
    write_tables(out)


def split_names(text: str | None) -> list[str] | None:
    """Names between commas; None for no choice."""
    if text is None:
        return None
    names = [name.strip() for name in text.split(",") if name.strip()]
    if not names:
        raise UsageError("--agents names no agent (mlds-bench list agents)")
    return names


def checked_device(device: str) -> str:
    """A torch device that is there."""
    if device == "cpu":
        return device
    import torch

    try:
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:
        line = str(error).strip().splitlines()[0]
        raise UsageError(f"device {device!r} cannot be used here: {line}") from None
    return device


def _check_params(cells: list[Cell], *, are_named: bool) -> None:
    """Refuse hyper-parameters that one of the chosen agents does not know."""
    if not are_named:
        raise UsageError("-p sets hyper-parameters of the agents you name with --agents")
    specs = {cell.agent.target: cell.agent for cell in cells}
    check_agents(list(specs.values()), cells[0].params if cells else {})


def _print_plan(cells: list[Cell], out: Path, *, retry: bool) -> int:
    for cell in cells:
        state, _ = standing(cell, out, retry=retry)
        print(f"{state:9} {cell}  {cell.budget.env_steps} steps  {cell.path(out)}")
    count = sum(standing(cell, out, retry=retry)[0] != "finished" for cell in cells)
    print(f"{len(cells)} cell{'s' * (len(cells) != 1)}, {count} to run")
    return 0


def show_tables(out: Path, *, write: bool) -> None:
    """The command ``table``."""
    for page in leaderboards(out).values():
        print_page(page)
    if write:
        files = " ".join(str(path) for path in write_tables(out))
        print(f"written: {files}", file=sys.stderr)


def plot(
    out: Path,
    *,
    agents: list[str] | None,
    variants: list[str] | None,
    axis: str | None,
    figures: Path | None,
    form: str,
) -> None:
    """The command ``plot``."""
    from mlds_bench.benchmarks.plan.reference import published_curves
    from mlds_bench.common.data.store import TornData
    from mlds_bench.leaderboard.plots import AXES, write_curves

    try:
        published = published_curves()
    except TornData as error:
        print(f"mlds-bench: without published curves: {error}", file=sys.stderr)
        published = {}
    written = write_curves(
        out,
        published,
        agents=agents,
        variants=variants,
        against=(axis,) if axis else AXES,
        folder=figures,
        form=form,
    )
    for path in written:
        print(path)


def compare(a: str, b: str, out: Path) -> None:
    """The command ``compare``."""
    from mlds_bench.leaderboard.compare import compare as compared
    from mlds_bench.leaderboard.compare import find_side

    print_page(compared(find_side(a, out), find_side(b, out)))


def watch(name: str, agent: str, *, seed: int, params: list[str], out: Path) -> None:
    """The command ``watch``."""
    from mlds_bench.benchmarks.cli.watch import watch as watched

    values = parse_params(params)
    print(watched(name, agent, params=values, out=out, seed=seed, seal=take_seal()))


def check(agent: str, env_id: str | None, params: list[str]) -> int:
    """The command ``check``; returns the exit code."""
    from mlds_bench.agents.contract.check import AgentViolation, check_agent

    env_id = env_id or _first_environment(agent)
    if env_id not in ENVIRONMENTS:
        raise UsageError(unknown_name("environment", env_id, list(ENVIRONMENTS)))
    spec, values = resolve(agent, ENVIRONMENTS[env_id].room), parse_params(params)
    try:
        passed = check_agent(spec, env_id, values)
    except AgentViolation as violation:
        print(f"mlds-bench: {spec.name} in {env_id}: {violation}", file=sys.stderr)
        return 1
    for name in passed:
        print(f"ok  {name}")
    print(f"{spec.name} keeps the agent contract in {env_id}")
    return 0


def _first_environment(agent: str) -> str:
    """The first environment that an agent plays in: of its room, if it is built in for one."""
    rooms = rooms_of(agent) or list(ROOMS)
    return next(name for name, env in ENVIRONMENTS.items() if env.room in rooms)
