"""The command line. Each command imports what it needs when it runs: help is instant."""

from __future__ import annotations

import atexit
import signal
import sys
from pathlib import Path
from typing import Annotated, NoReturn

import typer

from mlds_bench.benchmarks.cli import terminal
from mlds_bench.benchmarks.cli.data import app as data_app
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.presets import DEFAULT_PRESET
from mlds_bench.common.interrupts import INTERRUPTED

OUT = Path("runs")
LONG = {"-o": "--out", "-a": "--agents", "-p": "--param"}
"""Short options and their long names."""
ADDING = ("--agents", "--seeds", "--param")
"""Options that may be given several times, and then add up."""

app = typer.Typer(
    name="mlds-bench",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode="markdown",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="""Eleven deep-learning homeworks as environments, with agents and leaderboards.

**First steps**

    mlds-bench run all                              everything, at preset quick

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
    """Options that come before a command. The help of the program is that of ``app``."""


Out = Annotated[Path, typer.Option("--out", "-o", help="Folder of the run and its records.")]
PresetName = Annotated[
    str,
    typer.Option("--preset", help="smoke, quick, standard or course: mlds-bench list presets."),
]
Agents = Annotated[
    list[str] | None,
    typer.Option(
        "--agents",
        "-a",
        metavar="NAME,...",
        help="deep, sb3:PPO, ./mine.py, pkg.mod:Mine, a folder (./agents/), what tables print "
        "(deep@learning_rate=0.003), or a file with a name of yours (small=./net.py@hidden=8). "
        "Repeatable. Default: those of each variant.",
    ),
]
Params = Annotated[
    list[str] | None,
    typer.Option(
        "--param",
        "-p",
        metavar="NAME=VALUE",
        help="Set a hyper-parameter; a NAME alone switches it on. Repeatable.",
    ),
]


@app.command()
def run(
    names: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME",
            help=r"all, a homework (hw1-1), a variant (hw1-1/sinc), or wildcards ('hw1-\*/s\*').",
        ),
    ],
    agents: Agents = None,
    preset: PresetName = DEFAULT_PRESET,
    seeds: Annotated[
        list[str] | None,
        typer.Option(help="0-4 or 0,2,5. Repeatable. Default: those of each variant."),
    ] = None,
    param: Params = None,
    out: Out = OUT,
    workers: Annotated[
        int | None, typer.Option(min=1, help="How many cells run at once. Default: one per core.")
    ] = None,
    device: Annotated[str, typer.Option(help="Torch device for the agents: cpu, cuda.")] = "cpu",
    retry: Annotated[bool, typer.Option("--retry", help="Run failed cells again as well.")] = False,
    again: Annotated[
        bool,
        typer.Option(
            "--again",
            help="Run finished cells once more: when an agent reads a file that has changed.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="List the cells and their state; run nothing.")
    ] = False,
) -> None:
    """Run benchmarks. Finished cells are kept: the same command continues after a stop.

    A finished cell runs again when its agent's code or settings change. Files that an agent reads
    count as well if its class, or its file, names them: files = ["weights.npy"].

    Exit codes: 0 all went well, 1 a cell failed, 2 a mistake in the command, 130 interrupted.

    Example: mlds-bench run 'hw1-1/s*' -a deep,shallow --seeds 0-4 -p learning_rate=0.001
    """
    from mlds_bench.benchmarks.cli import commands

    raise typer.Exit(
        commands.run_cells(
            names,
            agents=agents or [],
            preset=preset,
            seeds=seeds or [],
            params=param or [],
            out=out,
            workers=workers,
            device=device,
            retry=retry,
            again=again,
            dry_run=dry_run,
        )
    )


@app.command("list")
def list_(
    kind: Annotated[
        str, typer.Argument(metavar="KIND", help="homeworks, variants, envs, agents or presets.")
    ] = "all",
) -> None:
    """List homeworks, variants, environments, agents and presets.

    Example: mlds-bench list agents
    """
    from mlds_bench.benchmarks.cli import listing

    listing.list_names(kind)


@app.command()
def show(
    name: Annotated[
        str,
        typer.Argument(
            metavar="NAME", help="A homework, variant, environment, agent, preset or record file."
        ),
    ],
    as_json: Annotated[
        bool, typer.Option("--json", help="Print all that a record holds, as JSON.")
    ] = False,
) -> None:
    """Show one of them in full, or what the record of a cell says.

    Example: mlds-bench show hw1-1/sinc
    """
    from mlds_bench.benchmarks.cli import listing

    listing.show(name, as_json=as_json)


@app.command()
def check(
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="An agent, named as for run.")],
    env: Annotated[
        str | None,
        typer.Option(
            help="Where to check it: an environment or a variant. Default: the first of its room."
        ),
    ] = None,
    param: Params = None,
    traceback: Annotated[
        bool, typer.Option("--traceback", help="Show the traceback of what the agent raises.")
    ] = False,
) -> None:
    """Check that an agent keeps the agent contract, on a tiny budget, before you spend hours.

    Example: mlds-bench check ./mine.py
    """
    from mlds_bench.benchmarks.cli import commands

    raise typer.Exit(commands.check(agent, env, param or [], traceback=traceback))


@app.command()
def watch(
    name: Annotated[str, typer.Argument(metavar="VARIANT", help="A variant: hw4-1/pong.")],
    agent: Annotated[str, typer.Argument(metavar="AGENT", help="An agent, named as for run.")],
    seed: Annotated[int, typer.Option(min=0, help="Seed of the episode.")] = 0,
    param: Params = None,
    out: Out = OUT,
) -> None:
    """Let a trained agent play one episode, and write pictures of it.

    Example: mlds-bench watch hw4-1/pong ppo
    """
    from mlds_bench.benchmarks.cli import commands

    commands.watch(name, agent, seed=seed, params=param or [], out=out)


@app.command()
def table(
    out: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the run.")] = OUT,
    write: Annotated[
        bool, typer.Option("--write/--no-write", help="Also write .md, .csv, .json and .tex files.")
    ] = True,
    references: Annotated[
        Path | None,
        typer.Option(
            "--with",
            metavar="FOLDER",
            help="Show the records of another folder beside them, results say; writes nothing.",
        ),
    ] = None,
) -> None:
    """Print the tables of a run, and write them as Markdown, CSV, JSON and LaTeX.

    Example: mlds-bench table runs --with results
    """
    from mlds_bench.benchmarks.cli import commands

    if references:
        commands.show_beside(out, references)
    else:
        commands.show_tables(out, write=write)


@app.command()
def plot(
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="Folder of the run.")] = OUT,
    agents: Annotated[
        list[str] | None,
        typer.Option("--agents", "-a", help="Labels or wildcards, as in tables. Default: all."),
    ] = None,
    variants: Annotated[
        list[str] | None,
        typer.Option("--variants", help="Names or wildcards, or homeworks. Default: all."),
    ] = None,
    axis: Annotated[
        str | None, typer.Option(help="steps or time. Default: a panel for each.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", help="Folder for the figures. Default: curves in FOLDER."),
    ] = None,
    form: Annotated[str, typer.Option("--format", help="png, pdf or svg.")] = "png",
) -> None:
    """Draw the learning curves of every variant, over steps and over time.

    Example: mlds-bench plot results -a deep -a shallow --variants hw1-1/sinc --format pdf
    """
    from mlds_bench.benchmarks.cli import commands

    commands.plot(
        folder, agents=agents, variants=variants, axis=axis, figures=out, form=form.lower()
    )


@app.command()
def compare(
    a: Annotated[str, typer.Argument(metavar="A", help="An agent, or a folder of records.")],
    b: Annotated[str, typer.Argument(metavar="B", help="The other agent, or folder.")],
    out: Out = OUT,
) -> None:
    """Compare two agents, or two folders of records, over the variants that both have run.

    Example: mlds-bench compare deep shallow
    """
    from mlds_bench.benchmarks.cli import commands

    commands.compare(a, b, out)


@app.command()
def doctor() -> None:
    """Examine this machine: versions, cores, memory, and whether everything works.

    Example: mlds-bench doctor
    """
    from mlds_bench.benchmarks.cli import doctor as examination

    raise typer.Exit(examination.examine())


def main() -> NoReturn:
    """Run the command line; a user's mistake is one line and exit code 2."""
    with terminal.prepared():
        code = _answer()
    # What is left is to tidy up: Ctrl-C may end that, without a traceback.
    atexit.register(signal.signal, signal.SIGINT, signal.SIG_DFL)
    sys.exit(code)


def _answer() -> int:
    """Run a command; its exit code."""
    try:
        _refuse_twice(sys.argv[1:])
        code = app(standalone_mode=False) or 0
        if code == INTERRUPTED:  # what typer makes of Ctrl-C
            terminal.complain("interrupted")
        return code
    except (KeyboardInterrupt, typer.Abort):
        terminal.complain("interrupted")
        return INTERRUPTED
    except terminal.Interrupted as end:
        terminal.complain(str(end))
        return INTERRUPTED
    except terminal.Terminated as end:
        terminal.complain(
            f"ended by {end.signal.name}; the same command continues where it stopped"
        )
        return 128 + end.signal
    except Exception as error:
        text = designed(error)
        if text is None:
            raise
        if text:  # there is none where typer has printed the help instead
            terminal.complain(text)
        return 2


def designed(error: Exception) -> str | None:
    """The line of an error that is meant for the user; None where the error is a bug.

    Such are ours, typer's for a wrong option, and what the operating system refuses.
    """
    if hasattr(error, "format_message"):
        return str(error.format_message())
    is_ours = type(error).__module__.startswith("mlds_bench.")
    if is_ours and isinstance(error, (ValueError, OSError)):
        return str(error)
    return terminal.told(error) if isinstance(error, OSError) else None


def _refuse_twice(arguments: list[str]) -> None:
    """An option with one value is given once: the first of two would be dropped silently."""
    seen = set[str]()
    for argument in arguments:
        if argument == "--":
            return
        if not argument.startswith("-"):
            continue
        name = argument.partition("=")[0] if argument.startswith("--") else argument[:2]
        name = LONG.get(name, name)
        if name in seen and name not in ADDING:
            raise UsageError(f"{name} is given twice: once is enough")
        seen.add(name)
