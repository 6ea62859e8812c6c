"""The command line: its help, how it takes mistakes, and what it loads."""

from __future__ import annotations

import re
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlds_bench.benchmarks.cli import app as cli
from tests.benchmarks.cli.asking import MINE, RUN, Ask
from tests.processes import python

COMMANDS = ("run", "list", "show", "check", "watch", "table", "plot", "compare", "data", "doctor")


MISTAKES: dict[str, tuple[tuple[str, ...], str]] = {
    "variant": (("run", "hw1-1/sinx"), "did you mean 'hw1-1/sinc'"),
    "homework": (("run", "hw1_1"), "did you mean 'hw1-1'"),
    "agent": ((*RUN, "-a", "shalow"), "did you mean 'shallow'"),
    "one of the agents": ((*RUN, "-a", "deep,spine"), "did you mean 'spline'"),
    "no agent": ((*RUN, "-a", ","), "mlds-bench list agents"),
    "sb3 agent": ((*RUN, "-a", "sb3:PPPO"), "did you mean 'sb3:PPO'"),
    "dotted agent": ((*RUN, "-a", "numpi.x:A"), "no package 'numpi' is installed"),
    "dotted class": ((*RUN, "-a", "mlds_bench.agents.baselines.players:Random"), "'RandomAgent'"),
    "preset": ((*RUN, "--preset", "smoky"), "did you mean 'smoke'"),
    "seeds": ((*RUN, "--seeds", "0:4"), "seeds are written 0-4 or 0,2,5, got '0:4'"),
    "many seeds": ((*RUN, "--seeds", "0-999999999"), "at most 10,000 seeds"),
    "preset twice": (
        (*RUN, "--preset", "smoke", "--preset=quick"),
        "--preset is given twice",
    ),
    "folder twice": ((*RUN, "-o", "a", "--out", "b"), "--out is given twice"),
    "two variants": (("run", "sinc"), "did you mean 'hw1-1/sinc' or 'hw1-2/sinc'"),
    "homework to come": (("run", "hw2-1"), "hw2-1 is not built yet"),
    "agent of another room": (("run", "hw1-1", "-a", "ppo"), "'ppo' plays in atari, not in hw1-1"),
    "agents of one name": (
        (*RUN, "-a", "./mine.py", "-a", "below/mine.py"),
        "mine.py:Mine and below/mine.py:Mine would share the records of 'mine.py-Mine'",
    ),
    "hyper-parameter in a name": (
        (*RUN, "-a", "shallow,deep@learning_rat=0.1"),
        "did you mean 'learning_rate'",
    ),
    "name of a built-in agent": (
        (*RUN, "-a", "deep=./mine.py"),
        "there is an agent 'deep', so choose",
    ),
    "file behind the names": (("run", "hw1-1", "./mine.py"), "agents stand behind -a"),
    "empty folder of agents": ((*RUN, "-a", "./empty"), "no file of an agent there"),
    "backward seeds": ((*RUN, "--seeds", "4-0"), "write 0-4"),
    "hyper-parameter": (
        (*RUN, "-a", "deep", "-p", "learning_rat=0.1"),
        "did you mean 'learning_rate'",
    ),
    "hyper-parameter of one": (
        (*RUN, "-a", "deep,random", "-p", "learning_rate=0.1"),
        "RandomAgent: unknown hyper-parameter 'learning_rate'",
    ),
    "hyper-parameter without value": (
        (*RUN, "-a", "deep", "-p", "learning_rate"),
        "learning_rate must be float, got True",
    ),
    "hyper-parameter without name": ((*RUN, "-a", "deep", "-p", "=3"), "name=value"),
    "hyper-parameter of nobody": ((*RUN, "-p", "lr=1"), "--agents"),
    "device": ((*RUN, "--device", "gpu"), "device 'gpu' cannot be used here"),
    "absent device": ((*RUN, "--device", "cuda:99"), "device 'cuda:99' cannot be used here"),
    "device without numbers": ((*RUN, "--device", "meta"), "device 'meta' cannot be used here"),
    "fourth processor": ((*RUN, "--device", "cpu:3"), "there is one, write cpu"),
    "workers": ((*RUN, "--workers", "0"), "greater than or equal to 1"),
    "file": ((*RUN, "-a", "./mien.py"), "did you mean 'mine.py'"),
    "class in file": ((*RUN, "-a", "./mine.py:Mien"), "did you mean 'Mine'"),
    "folder as a file": (
        ("check", "./folder.py"),
        "./folder.py is a folder: an agent is a file",
    ),
    "value of a wrong kind": (
        (*RUN, "-a", "./typed.py", "-p", "x=abc"),
        "x must be int, got 'abc'",
    ),
    "value without an end": (
        (*RUN, "-a", "./typed.py", "-p", f"x={'[' * 50_000}"),
        "hyper-parameter x: its value is nested too deeply",
    ),
    "name that is taken": ((*RUN, "-a", "deep=./mine.py"), "there is an agent 'deep', so choose"),
    "checked file with a syntax error": (("check", "./broken.py"), "broken.py, line 2: "),
    "file without a class": ((*RUN, "-a", "./empty.py"), "empty.py has no class"),
    "unwritable folder": ((*RUN, "-a", "random", "-o", "mine.py/below"), "cannot write to mine.py"),
    "list": (("list", "variant"), "did you mean 'variants'"),
    "show": (("show", "hw1-1/sinx"), "did you mean 'hw1-1/sinc'"),
    "show homework to come": (("show", "hw2-1"), "hw2-1 is not built yet"),
    "show agent": (("show", "constnat"), "did you mean 'constant'"),
    "show torn record": (("show", "seed-0.json"), "seed-0.json"),
    "check": (("check", "deeep"), "did you mean 'deep'"),
    "check environment": (
        ("check", "random", "--env", "mlds/FunctionFiting-v0"),
        "did you mean 'mlds/FunctionFitting-v0'",
    ),
    "table of nothing": (("table", "empty"), "mlds-bench run"),
    "table of no folder": (("table", "nowhere"), "no such folder"),
    "compare in nothing": (("compare", "random", "constant", "-o", "empty"), "mlds-bench run"),
    "data": (("data", "get", "mnits"), "did you mean 'mnist'"),
    "data to check": (("data", "check", "fashion"), "did you mean 'fashion_mnist'"),
    "no data": (("data", "get"), "NAME"),
    "command": (("rum", "all"), "Did you mean 'run'"),
    "option": ((*RUN, "--agnts", "deep"), "--agents"),
    "missing name": (("run",), "NAME"),
    "missing value": ((*RUN, "-a"), "-a"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(ask: Ask, tmp_path: Path, mistake: str) -> None:
    """What, and the nearest right thing; nothing on stdout, no traceback, no folder made."""
    (tmp_path / "mine.py").write_text(MINE)
    (tmp_path / "broken.py").write_text("class A:\n    def act(self, obs) return 1\n")
    (tmp_path / "empty.py").write_text("ACTION = 1\n")
    (tmp_path / "seed-0.json").write_text('{"variant"')
    (tmp_path / "empty").mkdir()
    (tmp_path / "folder.py").mkdir()
    (tmp_path / "typed.py").write_text(f"{MINE}    def __init__(self, x=3): ...\n")
    (tmp_path / "below").mkdir()
    (tmp_path / "below/mine.py").write_text(MINE)
    arguments, hint = MISTAKES[mistake]
    answer = ask(*arguments)
    assert answer.code == 2
    assert answer.said == ""
    assert re.fullmatch(r"mlds-bench: [^\n]+\n", answer.error)
    assert hint in answer.error
    assert not (tmp_path / "runs").exists()


def test_an_error_of_ours_keeps_its_traceback(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is no usage error."""

    def broken(kind: str) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("mlds_bench.benchmarks.cli.listing.list_names", broken)
    with pytest.raises(ValueError, match="a bug"):
        ask("list")


@pytest.mark.parametrize("command", COMMANDS)
def test_help_has_an_example(command: str) -> None:
    """Of each command, by its own name."""
    shown = CliRunner().invoke(cli.app, [command, "--help"])
    assert shown.exit_code == 0
    assert re.search(rf"Example: mlds-bench {command}\b", shown.output)


def test_help_names_every_command(ask: Ask) -> None:
    """The list above is complete; without arguments there is help, too."""
    shown = CliRunner().invoke(cli.app, ["-h"]).output
    assert set(re.findall(r"^│ (\w+) ", shown, re.M)) == set(COMMANDS)
    assert "mlds-bench run all" in shown
    assert "mlds-bench run all" in (alone := ask()).said + alone.error


def test_help_says_what_the_version_option_does() -> None:
    """In the words of the field."""
    shown = CliRunner().invoke(cli.app, ["--help"]).output
    assert re.search(r"--version +<bool> +Show the version and exit\.", shown)


def test_version_is_one_line() -> None:
    """It needs no command, and ends well."""
    shown = CliRunner().invoke(cli.app, ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"mlds-bench {version('mlds-bench')}\n")


HEAVY = ("torch", "stable_baselines3", "pandas")
QUICK = f"""
import sys
from mlds_bench.benchmarks.cli import app as cli
{{command}}
heavy = [name for name in {HEAVY} if name in sys.modules]
assert not heavy, heavy
"""
COMMAND = """
sys.argv = ["mlds-bench", *{arguments}]
try:
    cli.main()
except SystemExit as end:
    assert not end.code, end.code
"""


@pytest.mark.parametrize(
    "arguments",
    [
        None,
        ["--help"],
        ["list"],
        ["data", "list"],
        ["show", "hw1-1/sinc"],
        ["run", "all", "--dry-run"],
        ["run", "hw1-1", "-a", "deep,sb3:PPO,./mine.py", "--dry-run"],
    ],
    ids=str,
)
def test_quick_commands_load_nothing_heavy(tmp_path: Path, arguments: list[str] | None) -> None:
    """No torch to import the command line, to list, or to plan."""
    (tmp_path / "mine.py").write_text(f"import torch\n{MINE}")
    command = COMMAND.format(arguments=arguments) if arguments else ""
    answer = python("-c", QUICK.format(command=command), cwd=tmp_path)
    assert answer.returncode == 0, answer.stderr
