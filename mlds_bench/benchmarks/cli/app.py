"""The command line. Each command imports what it needs when it runs: help is instant."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mlds_bench.benchmarks.cli.data import app as data_app
from mlds_bench.benchmarks.plan.presets import DEFAULT_PRESET

OUT = Path("runs")

app = typer.Typer(
    name="mlds-bench",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Eleven deep-learning homeworks as environments, with agents and leaderboards.

**First steps**

    mlds-bench run all                              everything, preset quick

    mlds-bench run hw1-1 --agents deep,sb3:PPO      two agents on one homework

    mlds-bench run hw1-1/sinc --agents ./mine.py    an agent of your own, from a file

    mlds-bench table                                the results so far
""",
)
app.add_typer(data_app, name="data")


def _print_version(wanted: bool) -> None:
    if wanted:
        import mlds_bench

        print(f"mlds-bench {mlds_bench.__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Show the version and exit."
        ),
    ] = False,
) -> None:
    """What stands before a command. The help of the program is that of ``app``."""


Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the records.")]
PresetName = Annotated[
    str, typer.Option("--preset", help="smoke, quick, standard or course (list presets).")
]
Params = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        "-p",
        metavar="NAME=VALUE",
        help="A hyper-parameter, or a switch's NAME; repeatable.",
    ),
]


@app.command()
def run(
    names: Annotated[
        list[str], typer.Argument(metavar="NAME...", help=r"all, hw1-1, hw1-1/sinc, 'hw1-\*/s\*'")
    ],
    agents: Annotated[
        str | None,
        typer.Option(
            "--agents", "-a", help="Names, comma-separated: deep, sb3:PPO, ./mine.py, pkg.mod:Mine."
        ),
    ] = None,
    preset: PresetName = DEFAULT_PRESET,
    seeds: Annotated[str | None, typer.Option(help="0-4 or 0,2,5; default: the preset's.")] = None,
    param: Params = None,
    out: Out = OUT,
    workers: Annotated[
        int | None, typer.Option(min=1, help="Cells at a time; default: one per core.")
    ] = None,
    device: Annotated[str, typer.Option(help="torch device of the agents: cpu, cuda.")] = "cpu",
    retry: Annotated[bool, typer.Option("--retry", help="Run failed cells again, too.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Print the cells and where they stand; run nothing.")
    ] = False,
) -> None:
    """Run benchmarks; finished cells are kept, so the same command goes on after a stop.

    Exit codes: 0 all well, 1 a cell failed, 2 a mistake in the command.

    Example: mlds-bench run 'hw1-1/s*' -a deep,shallow --seeds 0-4 -p learning_rate=0.001
    """
    from mlds_bench.benchmarks.cli import commands

    raise typer.Exit(
        commands.run_cells(
            names,
            agents=agents,
            preset=preset,
            seeds=seeds,
            params=param or [],
            out=out,
            workers=workers,
            device=device,
            retry=retry,
            dry_run=dry_run,
        )
    )


@app.command("list")
def list_(
    kind: Annotated[
        str, typer.Argument(help="homeworks, variants, envs, agents or presets; default all.")
    ] = "all",
) -> None:
    """List what there is.

    Example: mlds-bench list agents
    """
    from mlds_bench.benchmarks.cli import listing

    listing.list_names(kind)


@app.command()
def show(
    name: Annotated[
        str, typer.Argument(help="A homework, variant, environment, agent, preset or record file.")
    ],
) -> None:
    """Show one thing in full.

    Example: mlds-bench show hw1-1/sinc
    """
    from mlds_bench.benchmarks.cli import listing

    listing.show(name)


@app.command()
def check(
    agent: Annotated[str, typer.Argument(help="A name in any of the ways `run` takes.")],
    env: Annotated[
        str | None,
        typer.Option(help="Environment to check it in (list envs); default: its room's first."),
    ] = None,
    param: Params = None,
) -> None:
    """Run the agent contract on a tiny budget, before anyone spends hours.

    Example: mlds-bench check ./mine.py
    """
    from mlds_bench.benchmarks.cli import commands

    raise typer.Exit(commands.check(agent, env, param or []))


@app.command()
def watch(
    name: Annotated[str, typer.Argument(metavar="VARIANT", help="As in hw4-1/pong.")],
    agent: Annotated[str, typer.Argument(help="A name in any of the ways `run` takes.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the episode.")] = 0,
    param: Params = None,
    out: Out = OUT,
) -> None:
    """Play an episode with what an agent has learned, and write pictures of it.

    Example: mlds-bench watch hw4-1/pong ppo
    """
    from mlds_bench.benchmarks.cli import commands

    commands.watch(name, agent, seed=seed, params=param or [], out=out)


@app.command()
def table(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the records.")] = OUT,
    write: Annotated[
        bool, typer.Option("--write/--no-write", help="Also write .md, .csv, .json, .tex files.")
    ] = True,
) -> None:
    """Print the results as a table, and write it as Markdown, CSV, JSON and LaTeX.

    Example: mlds-bench table results
    """
    from mlds_bench.benchmarks.cli import commands

    commands.show_tables(out, write=write)


@app.command()
def plot(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the records.")] = OUT,
) -> None:
    """Draw the learning curves of every variant, against steps and against time.

    Example: mlds-bench plot results
    """
    from mlds_bench.benchmarks.cli import commands

    commands.plot(out)


@app.command()
def compare(
    a: Annotated[str, typer.Argument(help="An agent, or a folder of records.")],
    b: Annotated[str, typer.Argument(help="Another.")],
    out: Out = OUT,
) -> None:
    """Compare two agents, or two folders of records, over what both have done.

    Example: mlds-bench compare deep shallow
    """
    from mlds_bench.benchmarks.cli import commands

    commands.compare(a, b, out)


@app.command()
def doctor() -> None:
    """Look at this machine: versions, cores, memory, and whether everything works.

    Example: mlds-bench doctor
    """
    from mlds_bench.benchmarks.cli import doctor as examination

    raise typer.Exit(examination.examine())


def main() -> NoReturn:
    """Run the command line; a user's mistake is one line and exit code 2."""
    try:
        code = app(standalone_mode=False)
    except Exception as error:
        if not is_designed(error):
            raise
        text = getattr(error, "format_message", error.__str__)()
        if text:  # there is none where typer has printed the help instead
            print(f"mlds-bench: {' '.join(text.split())}", file=sys.stderr)
        sys.exit(2)
    sys.exit(code or 0)


def is_designed(error: Exception) -> bool:
    """Whether an error is written for the user: one of ours, or typer's for a wrong option."""
    ours = isinstance(error, (ValueError, OSError)) and type(error) not in (ValueError, OSError)
    return hasattr(error, "format_message") or (
        ours and type(error).__module__.startswith("mlds_bench.")
    )
