"""The command line: what it does, and how it takes mistakes."""

from __future__ import annotations

import re
import shutil
import sys
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from mlds_bench.benchmarks.cli import app as cli
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.variants import HOMEWORKS, VARIANTS
from mlds_bench.envs.registry import ENVIRONMENTS
from mlds_bench.leaderboard.record import read_records
from tests.benchmarks.short import run_quietly, short_cells
from tests.processes import python

COMMANDS = ("run", "list", "show", "check", "watch", "table", "plot", "compare", "data", "doctor")
RUN = ("run", "hw1-1/sinc")
MINE = "class Mine:\n    def act(self, obs):\n        return obs * 0\n"


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a small run: two good agents and a bad one."""
    folder = tmp_path_factory.mktemp("run")
    (folder / "bad.py").write_text("class Bad:\n    def act(self, obs): raise ValueError('no')\n")
    out = folder / "out"
    run_quietly(short_cells("random", "constant", folder / "bad.py", seeds=[0, 1]), out)
    return out


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands run in an empty folder."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")


class Answer:
    """What `main` answered."""

    def __init__(self, code: int, said: str, error: str) -> None:
        self.code, self.said, self.error = code, said, error


class Ask:
    """Calls `main` as the shell does."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
        self._monkeypatch, self._capsys = monkeypatch, capsys

    def __call__(self, *arguments: str | Path) -> Answer:
        self._monkeypatch.setattr(sys, "argv", ["mlds-bench", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            cli.main()
        assert isinstance(ended.value.code, int)
        captured = self._capsys.readouterr()
        return Answer(ended.value.code, captured.out, captured.err)


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Ask:
    return Ask(monkeypatch, capsys)


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
    "workers": ((*RUN, "--workers", "0"), "greater than or equal to 1"),
    "file": ((*RUN, "-a", "./mien.py"), "did you mean 'mine.py'"),
    "class in file": ((*RUN, "-a", "./mine.py:Mien"), "did you mean 'Mine'"),
    "file with a syntax error": ((*RUN, "-a", "./broken.py"), "broken.py, line 2: "),
    "file without a class": ((*RUN, "-a", "./empty.py"), "empty.py has no class"),
    "unwritable folder": ((*RUN, "-a", "random", "-o", "mine.py/below"), "cannot write to mine.py"),
    "list": (("list", "variant"), "did you mean 'variants'"),
    "show": (("show", "hw1-1/sinx"), "did you mean 'hw1-1/sinc'"),
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
    arguments, hint = MISTAKES[mistake]
    answer = ask(*arguments)
    assert answer.code == 2
    assert answer.said == ""
    assert re.fullmatch(r"mlds-bench: [^\n]+\n", answer.error)
    assert hint in answer.error
    assert not (tmp_path / "runs").exists()


def test_a_wrong_agent_in_compare_gets_the_nearest(ask: Ask, out: Path) -> None:
    """Among those that have records."""
    answer = ask("compare", "random", "constnat", "-o", out)
    assert (answer.code, answer.said) == (2, "")
    assert re.fullmatch(r"mlds-bench: [^\n]*nearest is 'constant'[^\n]*\n", answer.error)


@pytest.mark.parametrize("command", [(*RUN, "-a", "random", "--preset", "smoke", "-o"), ("table",)])
def test_a_torn_record_is_one_line(
    ask: Ask, out: Path, tmp_path: Path, command: tuple[str, ...]
) -> None:
    """It names the file; nothing is run over it."""
    shutil.copytree(out, tmp_path / "copy")
    torn = tmp_path / "copy/smoke/hw1-1/sinc/random/seed-0.json"
    torn.write_bytes(torn.read_bytes()[:100])
    answer = ask(*command, tmp_path / "copy")
    assert (answer.code, answer.said) == (2, "")
    assert re.fullmatch(r"mlds-bench: [^\n]*random/seed-0\.json[^\n]*\n", answer.error)
    assert torn.stat().st_size == 100


def test_an_error_of_ours_keeps_its_traceback(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug is no usage error."""

    def broken(kind: str) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("mlds_bench.benchmarks.cli.listing.list_names", broken)
    with pytest.raises(ValueError, match="a bug"):
        ask("list")


def test_a_dry_run_prints_the_cells_and_runs_nothing(ask: Ask, tmp_path: Path) -> None:
    """Where each stands, its budget and its file."""
    answer = ask(*RUN, "-a", "random,deep", "--seeds", "0-1", "--preset", "smoke", "--dry-run")
    assert (answer.code, answer.error) == (0, "")
    *cells, total = answer.said.splitlines()
    assert [line.split("  ")[0].split()[0] for line in cells] == ["new"] * 4
    assert "hw1-1/sinc deep seed 1  64000 steps" in cells[3]
    assert cells[3].endswith("runs/smoke/hw1-1/sinc/deep/seed-1.json")
    assert total == "4 cells, 4 to run"
    assert list(tmp_path.iterdir()) == []


def test_a_dry_run_tells_stale_cells(ask: Ask, out: Path) -> None:
    """The records of the small run were made with another budget."""
    answer = ask(
        *RUN, "-a", "random", "--seeds", "0-2", "--preset", "smoke", "-o", out, "--dry-run"
    )
    assert [line.split()[0] for line in answer.said.splitlines()] == ["stale", "stale", "new", "3"]


def test_a_run_of_one_cell(ask: Ask, tmp_path: Path) -> None:
    """Lines on stderr, the table on stdout, the record on disk, exit code 0."""
    (tmp_path / "mine.py").write_text(MINE)
    answer = ask(*RUN, "-a", "./mine.py", "--preset", "smoke", "-o", "here")
    assert answer.code == 0
    assert answer.error.splitlines()[0] == "1 cell to run"
    assert "[1/1] hw1-1/sinc mine.py:Mine seed 0: log10_mse -1.0" in answer.error
    assert re.search(r"^1 cell run in \d+ s, 0 failed; records in here$", answer.error, re.M)
    assert re.search(r"^\| mine\.py:Mine +\| +-1\.0", answer.said, re.M)
    assert [record.state for record in read_records("here")] == ["ok"]


def test_failed_cells_are_exit_code_1_every_time(ask: Ask, tmp_path: Path) -> None:
    """Also when nothing was run again; what to do is said."""
    (tmp_path / "mine.py").write_text(MINE.replace("obs * 0", "obs / None"))
    arguments = (*RUN, "-a", "./mine.py", "--preset", "smoke")
    assert ask(*arguments).code == 1
    answer = ask(*arguments)
    assert answer.code == 1
    assert "0 cells to run, 1 finished before" in answer.error
    assert "--retry runs failed cells again" in answer.error
    assert "failed before: hw1-1/sinc mine.py:Mine seed 0: failed: TypeError" in answer.error


def test_a_run_that_cannot_save_is_exit_code_1(ask: Ask, tmp_path: Path) -> None:
    """One line more than usual, and no traceback."""
    folder = tmp_path / "runs/smoke/hw1-1/sinc"
    folder.mkdir(parents=True)
    (folder / "random").write_text("in the way")
    answer = ask(*RUN, "-a", "random", "--preset", "smoke")
    assert answer.code == 1
    assert "mlds-bench: cannot save, so the run ends: " in answer.error
    assert "Traceback" not in answer.error


def test_parameters_reach_the_agent(ask: Ask) -> None:
    """And stand in the label and in the record."""
    assert ask(*RUN, "-a", "constant", "-p", "action=0.5", "--preset", "smoke").code == 0
    (record,) = read_records("runs")
    assert record.agent == "constant@action=0.5"
    assert record.agent_params == {"action": 0.5}


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


def test_version_is_one_line() -> None:
    """It needs no command, and ends well."""
    shown = CliRunner().invoke(cli.app, ["--version"])
    assert (shown.exit_code, shown.output) == (0, f"mlds-bench {version('mlds-bench')}\n")


def test_list_names_everything(ask: Ask) -> None:
    """All kinds at once, or one."""
    everything = ask("list").said
    single = [name for name, variant in VARIANTS.items() if not variant.family]
    families = {f"{v.homework}/{v.family}" for v in VARIANTS.values() if v.family}
    for name in (
        *HOMEWORKS,
        *single,
        *families,
        *ENVIRONMENTS,
        *PRESETS,
        "spline",
        "sb3:PPO",
        "./mine.py",
    ):
        assert name in everything
    variants = ask("list", "variants").said
    assert all(name in variants for name in (*single, *families))
    assert "spline  " not in ask("list", "presets").said


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("hw1-1", "hw1-1/product"),
        ("hw1-1/sinc", "pass_mark"),
        ("hw1-1/sinc", "deep (course)"),
        ("mlds/FunctionFitting-v0", "End of episode:"),
        ("smoke", "memory_mb"),
        ("deep", "-p learning_rate=0.001"),
        ("constant", "Plays one action"),
        ("sb3:PPO", "sb3:PPO"),
        ("./mine.py", "An agent of mine"),
    ],
)
def test_show_tells_the_most_of_each_kind(ask: Ask, tmp_path: Path, name: str, told: str) -> None:
    """Homework, variant, environment, preset, agents of every way."""
    (tmp_path / "mine.py").write_text(MINE.replace(":\n", ':\n    """An agent of mine."""\n', 1))
    answer = ask("show", name)
    assert (answer.code, answer.error) == (0, "")
    assert told in answer.said


def test_show_prints_a_record(ask: Ask, out: Path) -> None:
    """Checked, and in full."""
    answer = ask("show", out / "smoke/hw1-1/sinc/random/seed-0.json")
    assert answer.code == 0
    assert '"agent": "random"' in answer.said


def test_table_prints_and_writes(ask: Ask, out: Path, tmp_path: Path) -> None:
    """Every agent a row, the failed one with its state; files beside the preset's folder."""
    shutil.copytree(out, tmp_path / "copy")
    answer = ask("table", "copy")
    assert answer.code == 0
    for agent in ("random", "constant", r"bad\.py:Bad"):
        assert re.search(rf"^\| {agent} ", answer.said, re.M)
    assert "failed" in answer.said
    for suffix in (".md", ".csv", ".json", ".tex"):
        assert (tmp_path / f"copy/smoke{suffix}").stat().st_size
    assert not (out / "smoke.md").exists()
    assert ask("table", out, "--no-write").said == answer.said.replace("copy", str(out))
    assert not (out / "smoke.md").exists()


def test_compare_prints_who_is_better(ask: Ask, out: Path) -> None:
    """Two agents of one folder, and two folders."""
    answer = ask("compare", "random", "constant", "-o", out)
    assert (answer.code, answer.error) == (0, "")
    assert "hw1-1/sinc" in answer.said
    assert ask("compare", out, out).code == 0


def test_doctor_finds_everything_in_order(ask: Ask) -> None:
    """It runs a cell, too."""
    answer = ask("doctor")
    assert answer.code == 0, answer.said
    assert "everything works" in answer.said
    assert "FAILED" not in answer.said
    assert re.search(r"^data +.+ \(below .+\)$", answer.said, re.M)


def test_doctor_says_what_is_broken(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The finding stands in a line of its own; exit code 1."""
    from mlds_bench.benchmarks.cli import doctor

    def broken() -> str:
        raise RuntimeError("a wheel\nis off")

    monkeypatch.setattr(doctor, "TESTS", {"wheels": broken, "disk": doctor.TESTS["disk"]})
    answer = ask("doctor")
    assert answer.code == 1
    assert re.search(r"^FAILED +wheels: RuntimeError: a wheel is off$", answer.said, re.M)
    assert "1 of 2 do not work" in answer.said


def test_check_passes_a_good_agent_and_fails_a_bad_one(ask: Ask, tmp_path: Path) -> None:
    """Exit codes 0 and 1, the bad one's fault in one line."""
    (tmp_path / "mine.py").write_text(MINE)
    assert ask("check", "./mine.py").code == 0
    (tmp_path / "mine.py").write_text(MINE.replace("obs * 0", "obs[:1] * 0"))
    answer = ask("check", "./mine.py")
    assert answer.code == 1
    assert re.fullmatch(r"mlds-bench: mine\.py:Mine in mlds/[^\n]+\n", answer.error)


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
