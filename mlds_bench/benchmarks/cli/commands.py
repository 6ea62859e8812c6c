"""What the commands of the command line do; `cli` holds their options and help."""

from __future__ import annotations

import shlex
import sys
import warnings
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from textwrap import shorten
from typing import Any

from rich.console import Console

from mlds_bench.agents.inspection import check_settings
from mlds_bench.agents.params import label, parse_label, parse_params
from mlds_bench.agents.registry import AgentSpec, UnknownAgent, plugin_notes, rooms_of
from mlds_bench.benchmarks.cli import terminal
from mlds_bench.benchmarks.cli.printing import print_page
from mlds_bench.benchmarks.cli.progress import reason_with_log
from mlds_bench.benchmarks.plan.cell import Cell
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.players import find_player, split_agents
from mlds_bench.benchmarks.plan.seal import take_seal
from mlds_bench.benchmarks.plan.suite import parse_seeds, plan
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.benchmarks.run.events import Observer
from mlds_bench.benchmarks.run.runner import Summary, run, standing
from mlds_bench.common.names import unknown_name
from mlds_bench.envs.registry import ENVIRONMENTS, ROOMS
from mlds_bench.leaderboard.homeworks import front_page
from mlds_bench.leaderboard.references import leaderboards_beside
from mlds_bench.leaderboard.results import read_results
from mlds_bench.leaderboard.tables import leaderboard, leaderboards, write_tables

OURS = ("builtin", "sb3")
"""Kinds of agents whose code does nothing when it is imported."""
SHOWN_VARIANTS = 2
"""Of so many variants a run prints the tables at its end."""
LONGEST_REASON = 120
"""Characters of what torch says of a device."""


def run_cells(
    names: list[str],
    *,
    agents: list[str],
    preset: str,
    seeds: list[str],
    params: list[str],
    out: Path,
    workers: int | None,
    device: str,
    retry: bool,
    again: bool,
    dry_run: bool,
) -> int:
    """The command ``run``; returns the exit code."""
    cells = plan(
        names,
        preset=preset,
        agents=split_agents(agents) if agents else None,
        seeds=parse_seeds(*seeds) if seeds else None,
        params=parse_params(params),
        device=checked_device(device),
        seal=take_seal(),
    )
    if params and not agents:
        raise UsageError("-p sets hyper-parameters of the agents you name with --agents")
    _check_params(cells)
    _tell_of_plugins(cell.agent.base for cell in cells)
    if dry_run:
        return _print_plan(cells, out, retry=retry, again=again)
    from mlds_bench.benchmarks.cli.progress import Lines, Panel
    from mlds_bench.benchmarks.run.engines import CannotSave

    screen = terminal.console(stderr=True)
    observer: Observer = Panel(screen, out) if terminal.is_live(screen) else Lines(screen, out)
    try:
        summary = run(cells, out, observer=observer, workers=workers, retry=retry, again=again)
    except CannotSave as error:
        terminal.complain(f"cannot save, so the run ends: {error}")
        return 1
    except KeyboardInterrupt:
        line = "interrupted; the same command continues where it stopped"
        raise terminal.Interrupted(line) from None
    _print_results(cells, out)
    return _print_summary(summary, out, screen)


def _print_summary(summary: Summary, out: Path, screen: Console) -> int:
    """What the run came to, and what failed; returns the exit code."""
    failed, count = len(summary.failed), len(summary.made)
    done = f"{count} cell{'s' * (count != 1)} run in {summary.seconds:.0f} s"
    kept = "; --retry runs failed cells again" if summary.failed_before else ""
    if summary.found and not summary.made:
        kept += "; --again runs finished cells once more"
    tables = f"all tables: mlds-bench table {shlex.quote(str(out))}"
    line = f"{done}, {failed} failed; records in {out}, {tables}{kept}"
    screen.print(line, soft_wrap=True)
    for record in summary.failed_before:
        line = f"failed before: {record.variant} {record.agent} seed {record.seed}"
        screen.print(f"{line}: {reason_with_log(record, out)}", soft_wrap=True)
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
    _write_tables(out)  # first: whoever reads what is printed may stop reading
    print_page(page)


def _write_tables(out: Path) -> list[Path]:
    with _writing(out, f"mlds-bench table {shlex.quote(str(out))} --no-write only prints"):
        return write_tables(out)


@contextmanager
def _writing(out: Path, advice: str) -> Iterator[None]:
    """What the operating system refuses, said with the folder and a way out."""
    try:
        yield
    except OSError as error:
        raise UsageError(f"cannot write to {out}: {terminal.told(error)}; {advice}") from None


def checked_device(device: str) -> str:
    """A torch device that is there, and holds numbers (``meta`` holds none)."""
    if device == "cpu":
        return device
    if device.startswith("cpu:"):
        raise UsageError(f"device {device!r}: there is one, write cpu")
    import torch

    try:
        torch.zeros(1, device=device).item()
    except (RuntimeError, AssertionError) as error:
        line = shorten(str(error), LONGEST_REASON, placeholder=" ...")
        raise UsageError(f"device {device!r} cannot be used here: {line}") from None
    return device


def _tell_of_plugins(names: Iterable[str]) -> None:
    """Of each agent that a plug-in of the same name was meant for, perhaps."""
    notes = plugin_notes()
    for name in sorted({*names} & notes.keys()):
        terminal.complain(f"the plug-in {name!r} is {notes[name]}")


def _check_params(cells: list[Cell]) -> None:
    """Refuse hyper-parameters that the agent they are set for does not know.

    Our own agents are asked about in one process: each process imports PyTorch anew.
    """
    groups: dict[str, dict[str, tuple[AgentSpec, Mapping[str, Any]]]] = {}
    for cell in cells:
        if cell.params:
            params = label("", cell.params)
            group = groups.setdefault("" if cell.agent.kind in OURS else params, {})
            group[f"{cell.agent.target}{params}"] = (cell.agent, cell.params)
    for group in groups.values():
        check_settings(list(group.values()))


def _print_plan(cells: list[Cell], out: Path, *, retry: bool, again: bool) -> int:
    for cell in cells:
        state, _ = standing(cell, out, retry=retry, again=again)
        print(f"{state:9} {cell}  {cell.budget.env_steps} steps  {cell.path(out)}")
    count = sum(standing(cell, out, retry=retry, again=again)[0] != "finished" for cell in cells)
    print(f"{len(cells)} cell{'s' * (len(cells) != 1)}, {count} to run")
    return 0


def show_tables(out: Path, *, write: bool) -> None:
    """The command ``table``."""
    for page in leaderboards(out).values():
        print_page(page)
    if write:
        files = " ".join(map(str, _write_tables(out)))
        print(f"written: {files}", file=sys.stderr)


def show_beside(out: Path, references: Path) -> None:
    """The command ``table --with``."""
    for page in leaderboards_beside(out, references).values():
        print_page(page)


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
        terminal.complain(f"without published curves: {error}")
        published = {}
    with _skipping(), _writing(figures or out, "-o names another folder for the figures"):
        written = write_curves(
            out,
            published,
            agents=[recorded_name(name) for name in split_agents(agents)] if agents else None,
            variants=variants,
            against=(axis,) if axis else AXES,
            folder=figures,
            form=form,
        )
    for path in written:
        print(path)


@contextmanager
def _skipping() -> Iterator[None]:
    """What is skipped with a warning, told as lines of ours."""
    with warnings.catch_warnings(record=True) as skipped:
        warnings.simplefilter("always", UserWarning)
        try:
            yield
        finally:
            for warning in skipped:
                terminal.complain(str(warning.message))


def compare(a: str, b: str, out: Path) -> None:
    """The command ``compare``."""
    from mlds_bench.leaderboard.compare import compare as compared
    from mlds_bench.leaderboard.compare import find_side

    sides = (find_side(recorded_name(name), out) for name in (a, b))
    print_page(compared(*sides))


def recorded_name(text: str) -> str:
    """What records call an agent that is named in any of the ways of ``run``.

    A folder, and a name that nobody can find here (its file has moved, say), stay as they are.
    """
    if Path(text).is_dir():
        return text
    try:
        return find_player(text, None, {}).label
    except UnknownAgent:
        name, params = parse_label(text)
        return label(name, params)


def watch(name: str, agent: str, *, seed: int, params: list[str], out: Path) -> None:
    """The command ``watch``."""
    from mlds_bench.benchmarks.cli.watch import watch as watched

    values = parse_params(params)
    print(watched(name, agent, params=values, out=out, seed=seed, seal=take_seal()))


def check(agent: str, where: str | None, params: list[str], *, traceback: bool) -> int:
    """The command ``check``; returns the exit code."""
    from mlds_bench.agents.contract.apart import check_apart
    from mlds_bench.agents.contract.check import AgentViolation

    variant = VARIANTS.get(where or "")
    env_id = variant.env_id if variant else where or _first_environment(parse_label(agent)[0])
    if env_id not in ENVIRONMENTS:
        known = [*ENVIRONMENTS, *VARIANTS]
        raise UsageError(unknown_name("environment or variant", env_id, known))
    player = find_player(agent, ENVIRONMENTS[env_id].room, parse_params(params))
    spec = player.spec
    _tell_of_plugins([spec.base])
    given = variant.params(spec.base) if variant else {}
    place = variant.id if variant else env_id
    try:
        check_apart(
            spec,
            env_id,
            {**given, **player.params},
            env_kwargs=variant.env_kwargs if variant else {},
            report=_print_check,
        )
    except AgentViolation as violation:
        if traceback:
            print(violation.traceback, file=sys.stderr, end="")
        hint = "" if traceback or not violation.traceback else "; --traceback shows where"
        terminal.complain(f"{spec.name} in {place}: {violation}{hint}")
        return 1
    print(f"{spec.name} keeps the agent contract in {place}")
    return 0


def _print_check(rule: str, line: str | None) -> None:
    """A rule that is kept, as soon as it is known."""
    if line is not None:
        print(f"ok  {line}" if line == rule else f"--  {line}", flush=True)


def _first_environment(agent: str) -> str:
    """The first environment that an agent plays in: of its room, if it is built in for one."""
    rooms = rooms_of(agent) or list(ROOMS)
    return next(name for name, env in ENVIRONMENTS.items() if env.room in rooms)
