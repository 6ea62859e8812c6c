"""The commands ``data list``, ``data get`` and ``data check``."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress, TaskID

    from mlds_bench.common.data.catalogue import DataFile
    from mlds_bench.common.data.download import Report

app = typer.Typer(
    no_args_is_help=True,
    rich_markup_mode="markdown",
    help="""Find, fetch and check data sets.

Sets are looked for below MLDS_BENCH_DATA, if that is set, and then in your cache folder; they are
fetched into the first of the two.

Example: mlds-bench data get mnist
""",
)


@app.command("list")
def list_() -> None:
    """List the data sets: what they are, their licenses, and which are here.

    Example: mlds-bench data list
    """
    from rich.table import Table

    from mlds_bench.benchmarks.cli.terminal import console
    from mlds_bench.common.data.catalogue import CATALOGUE

    table = Table(box=None, padding=(0, 2, 0, 0))
    for heading in ("name", "state", "license", "what it is"):
        table.add_column(heading, no_wrap=heading == "name", overflow="fold")
    for data in CATALOGUE.values():
        table.add_row(data.name, _state(data.name), data.license, data.summary)
    console().print(table)


def _state(name: str) -> str:
    from mlds_bench.common.data.store import MissingData, TornData, find

    try:
        return f"here: {find(name)}"
    except TornData:
        return f"not whole: mlds-bench data check {name}"
    except MissingData:
        return "not here"


@app.command()
def get(
    names: Annotated[list[str], typer.Argument(metavar="NAME", help="As in mlds-bench data list.")],
) -> None:
    """Fetch data sets; what is here already is kept, and a stopped download goes on.

    Exit codes: 0 all are here, 1 one could not be fetched, 2 a mistake in the command.

    Example: mlds-bench data get mnist fashion_mnist
    """
    from mlds_bench.benchmarks.cli.terminal import Interrupted
    from mlds_bench.common.data.catalogue import find_set
    from mlds_bench.common.data.download import DownloadFailed

    failed = False
    for data in [find_set(name) for name in names]:
        try:
            print(f"{data.name}: {_get(data.name)}")
        except DownloadFailed as error:
            failed = True
            print(
                f"mlds-bench: {data.name} could not be fetched: {error}; mlds-bench data get "
                f"{data.name} continues where it stopped",
                file=sys.stderr,
            )
        except KeyboardInterrupt:
            line = "interrupted; the same command continues the download"
            raise Interrupted(line) from None
    raise typer.Exit(1 if failed else 0)


def _get(name: str) -> Path:
    """Fetch one set with its progress: bars on a terminal, one line per file elsewhere."""
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    from mlds_bench.benchmarks.cli.terminal import console, is_live
    from mlds_bench.common.data.store import get as get_set

    screen = console(stderr=True)
    if not is_live(screen):
        return get_set(name, _print_line)
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        DownloadColumn(),
        TransferSpeedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=screen) as progress:
        return get_set(name, _bars(progress))


def _print_line(file: DataFile, size: int) -> None:
    if size == file.size:
        print(f"{file.path}: {size:,} bytes", file=sys.stderr)


def _bars(progress: Progress) -> Report:
    """Shows each file as a bar of its own."""
    tasks: dict[str, TaskID] = {}

    def report(file: DataFile, size: int) -> None:
        if file.path not in tasks:
            tasks[file.path] = progress.add_task(file.path, total=file.size)
        progress.update(tasks[file.path], completed=size)

    return report


@app.command()
def check(
    names: Annotated[
        list[str] | None,
        typer.Argument(metavar="NAME", help="Default: all of which anything is here."),
    ] = None,
) -> None:
    """Read every file of data sets again, and name those that are damaged or absent.

    Exit codes: 0 all files are whole, 1 one is not, 2 a mistake in the command.

    Example: mlds-bench data check mnist
    """
    from mlds_bench.common.data.catalogue import CATALOGUE, find_set
    from mlds_bench.common.data.store import ABSENT
    from mlds_bench.common.data.store import check as check_set

    failed = False
    for data in [find_set(name) for name in names or CATALOGUE]:
        folder, findings = check_set(data.name)
        problems = [finding for finding in findings if finding.problem]
        if not names and all(finding.problem == ABSENT for finding in findings):
            print(f"{data.name}: not here")
        elif problems:
            failed = True
            for finding in problems:
                print(f"{finding.path}: {finding.problem}")
            print(
                f"{data.name}: not whole; mlds-bench data get {data.name} fetches what is missing"
            )
        else:
            print(f"{data.name}: {len(findings)} files whole in {folder}")
    raise typer.Exit(1 if failed else 0)
