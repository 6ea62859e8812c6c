"""What the commands do: run, table, compare, check."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from mlds_bench.leaderboard.results import read_results
from tests.benchmarks.cli.asking import MINE, RUN, Answer, Ask


def test_a_wrong_agent_in_compare_gets_the_nearest(ask: Ask, out: Path) -> None:
    """Among those that have records."""
    answer = ask("compare", "random", "constnat", "-o", out)
    assert (answer.code, answer.said) == (2, "")
    assert re.fullmatch(r"mlds-bench: [^\n]*did you mean 'constant'[^\n]*\n", answer.error)


def test_a_torn_record_is_left_out_and_named(ask: Ask, out: Path, tmp_path: Path) -> None:
    """The others make the table, and a note says which file is torn."""
    shutil.copytree(out, tmp_path / "copy")
    torn = tmp_path / "copy/smoke/hw1-1/sinc/random/seed-0.json"
    torn.write_bytes(torn.read_bytes()[:100])
    answer = ask("table", "copy")
    assert answer.code == 0
    assert len(re.findall(r"smoke/hw1-1/sinc/random/seed-0\.json: ", answer.said)) == 1
    assert re.search(r"^\| random ", answer.said, re.M)
    assert torn.stat().st_size == 100


def test_plots_are_chosen_and_go_where_they_should(ask: Ask, out: Path, tmp_path: Path) -> None:
    """Agents, variants, one axis, a folder, a format for papers."""
    answer = ask(
        *("plot", out, "-a", "constant", "--variants", "hw1-1", "--axis", "time"),
        *("--format", "SVG", "-o", tmp_path / "figures"),
    )
    path = tmp_path / "figures/smoke/hw1-1-sinc.svg"
    assert (answer.code, answer.said) == (0, f"{path}\n")
    answer = ask("plot", out, "-a", "constnat", "-o", tmp_path / "figures")
    assert answer.code == 2
    assert answer.error == "mlds-bench: unknown agent 'constnat': did you mean 'constant'?\n"


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


def planned(answer: Answer) -> list[str]:
    """The cells of a dry run, as they are named."""
    return re.findall(r"^\w+ +(.+?)  \d+ steps", answer.said, re.M)


def test_repeated_options_add_up(ask: Ask) -> None:
    """None of them drops another."""
    given = ("-a", "deep", "-a", "shallow", "--seeds", "0", "--seeds", "3", "-p", "batch_size=8")
    answer = ask(*RUN, *given, "-p", "learning_rate=0.1", "--dry-run")
    assert (answer.code, answer.error) == (0, "")
    assert planned(answer) == [
        f"hw1-1/sinc {agent}@batch_size=8,learning_rate=0.1 seed {seed}"
        for agent in ("deep", "shallow")
        for seed in (0, 3)
    ]


def test_agents_are_named_as_tables_print_them(ask: Ask, tmp_path: Path) -> None:
    """With settings, under a name of one's own, by a folder."""
    (tmp_path / "here").mkdir()
    for name in ("a", "b"):
        (tmp_path / "here" / f"{name}.py").write_text(MINE)
    named = "constant@action=0.5,half=./here/a.py,./here/"
    answer = ask(*RUN, "-a", named, "--seeds", "0", "--dry-run")
    assert planned(answer) == [
        f"hw1-1/sinc {agent} seed 0"
        for agent in ("constant@action=0.5", "half", "a.py:Mine", "b.py:Mine")
    ]


def test_a_file_that_is_no_python_is_a_row(ask: Ask, tmp_path: Path) -> None:
    """The others run, whatever way they are named."""
    (tmp_path / "here").mkdir()
    (tmp_path / "here/broken.py").write_text("class A:\n    def act(self, obs) return 1\n")
    (tmp_path / "here/mine.py").write_text(MINE)
    answer = ask(*RUN, "-a", "./here/", "--preset", "smoke", "--seeds", "0")
    assert answer.code == 1
    assert "hw1-1/sinc broken.py seed 0: failed: " in answer.error
    assert "broken.py, line 2: expected ':'" in answer.error
    assert [result.state for result in read_results("runs")] == ["failed", "ok"]


def test_plot_takes_the_names_of_run(ask: Ask, tmp_path: Path) -> None:
    """Between commas and in several options, a file by its place."""
    (tmp_path / "mine.py").write_text(
        MINE + "    def learn(self, env, budget):\n        env.reset()\n"
        "        while True: env.step(env.action_space.sample())\n"
    )
    settings = ("-a", "half=./mine.py,./mine.py", "--preset", "smoke", "--seeds", "0")
    assert ask("run", "hw1-1/sinc", *settings).code == 0
    two = ("--variants", "hw1-1/sinc", "--variants", "hw1-1")
    answer = ask("plot", "-a", "half", "-a", "./mine.py,h*", *two)
    assert (answer.code, answer.error) == (0, "")
    assert answer.said == "runs/curves/smoke/hw1-1-sinc.png\n"


def test_compare_takes_the_names_of_run(ask: Ask, tmp_path: Path) -> None:
    """A file, a name with settings in any order, a name of one's own though its file is gone."""
    (tmp_path / "mine.py").write_text(MINE)
    settings = ("--preset", "smoke", "--seeds", "0")
    agents = "./mine.py,half=./mine.py,constant@action=0.5"
    assert ask("run", "hw1-1/sinc", "-a", agents, *settings).code == 0
    for a, b in (("./mine.py", "constant@action=0.5"), ("half", "mine.py:Mine")):
        answer = ask("compare", a, b)
        assert (answer.code, answer.error) == (0, "")
        assert "hw1-1/sinc" in answer.said
    (tmp_path / "mine.py").unlink()
    assert ask("compare", "half", "mine.py:Mine").code == 0


def test_references_stand_beside_own_results(ask: Ask, out: Path, tmp_path: Path) -> None:
    """As rows that say where they are from; nothing is written."""
    assert ask(*RUN, "-a", "constant,spline", "--preset", "smoke", "--seeds", "0").code == 0
    before = sorted(tmp_path.rglob("*"))
    answer = ask("table", "runs", "--with", out)
    assert (answer.code, answer.error) == (0, "")
    for agent in ("constant", "spline", r"constant \(out, smoke\)", r"random \(out, smoke\)"):
        assert len(re.findall(rf"^\| {agent} +\|", answer.said, re.M)) == 1
    assert sorted(tmp_path.rglob("*")) == before
    assert ask("run", "hw1-1/sgn", "-a", "constant", "--preset", "smoke", "-o", "sgn").code == 0
    apart = ask("table", "sgn", "--with", out)
    assert (apart.code, apart.said) == (2, "")
    assert f"sgn and {out} share no variant" in apart.error


def test_a_run_of_one_cell(ask: Ask, tmp_path: Path) -> None:
    """Lines on stderr, the table on stdout, the record on disk, exit code 0."""
    (tmp_path / "mine.py").write_text(MINE)
    answer = ask(*RUN, "-a", "./mine.py", "--preset", "smoke", "-o", "here")
    assert answer.code == 0
    assert answer.error.splitlines()[0] == "1 cell to run"
    assert "[1/1] hw1-1/sinc mine.py:Mine seed 0: log10_mse -1.0" in answer.error
    assert re.search(r"^1 cell run in \d+ s, 0 failed; records in here, ", answer.error, re.M)
    assert answer.error.endswith("all tables: mlds-bench table here\n")
    assert re.search(r"^\| mine\.py:Mine +\| +-1\.0", answer.said, re.M)
    assert [result.state for result in read_results("here")] == ["ok"]


def headings(answer: Answer) -> list[str]:
    return re.findall(r"^## (.*)", answer.said, re.M)


def test_a_run_of_two_variants_prints_their_tables(ask: Ask, tmp_path: Path) -> None:
    """Of what it ran, and of nothing else in its folder; all tables go to disk."""
    settings = ("-a", "constant", "--preset", "smoke")
    assert ask("run", "hw1-1/square", *settings).code == 0
    answer = ask("run", "hw1-1/s[ig]n*", *settings)
    shown = headings(answer)
    assert any(heading.startswith("hw1-1/sinc (") for heading in shown)
    assert any(heading.startswith("hw1-1/sgn (") for heading in shown)
    assert "hw1-1/square" not in answer.said
    assert "hw1-1/square" in (tmp_path / "runs/smoke.md").read_text()
    for suffix in (".csv", ".json", ".tex"):
        assert (tmp_path / "runs/smoke").with_suffix(suffix).stat().st_size


def test_a_run_of_more_prints_a_row_per_homework(ask: Ask, tmp_path: Path) -> None:
    """The rest is on disk, and the last line says where."""
    answer = ask("run", "hw1-1", "-a", "constant,spline", "--preset", "smoke", "--seeds", "0")
    assert answer.code == 0
    assert headings(answer)[:1] == ["homeworks"]
    assert len(re.findall(r"^\| hw1-1 ", answer.said, re.M)) == 1
    assert not any(heading.startswith("hw1-1/") for heading in headings(answer))
    assert "hw1-1/product" in (tmp_path / "runs/smoke.md").read_text()
    assert answer.error.endswith("all tables: mlds-bench table runs\n")


def test_failed_cells_are_exit_code_1_every_time(ask: Ask, tmp_path: Path) -> None:
    """Also when nothing was run again; what to do is said."""
    (tmp_path / "mine.py").write_text(MINE.replace("obs * 0", "obs / None"))
    arguments = (*RUN, "-a", "./mine.py", "--preset", "smoke")
    first = ask(*arguments)
    assert first.code == 1
    assert re.search(r"^\[1/1\] .*mine\.py-Mine/seed-0/log\.txt\)$", first.error, re.M)
    answer = ask(*arguments)
    assert answer.code == 1
    assert "0 cells to run, 1 finished before" in answer.error
    assert "--retry runs failed cells again" in answer.error
    assert "failed before: hw1-1/sinc mine.py:Mine seed 0: failed: TypeError" in answer.error
    log = "runs/smoke/hw1-1/sinc/mine.py-Mine/seed-0/log.txt"
    assert f"(traceback and prints: {log})" in answer.error
    assert "TypeError" in (tmp_path / log).read_text()


def test_finished_cells_are_run_again_with_an_option(ask: Ask, tmp_path: Path) -> None:
    """A run that had nothing to do says so, and the plan shows what the option does."""
    (tmp_path / "mine.py").write_text(MINE)
    arguments = (*RUN, "-a", "./mine.py", "--preset", "smoke")
    assert "--again" not in ask(*arguments).error
    assert "--again runs finished cells once more" in ask(*arguments).error
    assert ask(*arguments, "--again", "--dry-run").said.startswith("again ")
    assert "1 cell run" in ask(*arguments, "--again").error


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
    (result,) = read_results("runs")
    assert result.record.agent == "constant@action=0.5"
    assert result.record.training.params == {"action": 0.5}


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


def test_check_passes_a_good_agent_and_fails_a_bad_one(ask: Ask, tmp_path: Path) -> None:
    """Exit codes 0 and 1, the bad one's fault in one line."""
    (tmp_path / "mine.py").write_text(MINE)
    assert ask("check", "./mine.py").code == 0
    (tmp_path / "mine.py").write_text(MINE.replace("obs * 0", "obs[:1] * 0"))
    answer = ask("check", "./mine.py")
    assert answer.code == 1
    assert re.fullmatch(r"mlds-bench: mine\.py:Mine in mlds/[^\n]+\n", answer.error)


def test_check_takes_a_variant_and_shows_a_traceback(ask: Ask, tmp_path: Path) -> None:
    """Where an agent plays may be named as for run; the traceback comes on request."""
    answer = ask("check", "constant", "--env", "hw1-1/sgn")
    assert (answer.code, answer.error) == (0, "")
    assert answer.said.endswith("constant keeps the agent contract in hw1-1/sgn\n")
    assert "ok  builds\n" in answer.said
    (tmp_path / "mine.py").write_text(MINE.replace("obs * 0", "1 / 0"))
    answer = ask("check", "./mine.py")
    assert answer.code == 1
    assert answer.error.endswith("; --traceback shows where\n")
    assert "ok  builds\n" in answer.said
    answer = ask("check", "./mine.py", "--traceback")
    assert answer.error.startswith("Traceback")
    assert "ZeroDivisionError: division by zero\n" in answer.error
    assert "did you mean 'hw1-1/sinc'" in ask("check", "constant", "--env", "hw1-1/snc").error


def test_check_says_what_keeps_nothing(ask: Ask, tmp_path: Path) -> None:
    """Instead of a line about saving."""
    (tmp_path / "mine.py").write_text(MINE)
    said = ask("check", "./mine.py").said
    assert "--  keeps nothing: no save()\n" in said
    assert "saves" not in said


@pytest.mark.parametrize(
    ("agent", "environment"),
    [
        ("random", "mlds/FunctionFitting-v0"),
        ("spline", "mlds/FunctionFitting-v0"),
        ("gd", "mlds/LossLandscape-v0"),
        ("pretrained:gd", "mlds/LossLandscape-v0"),
    ],
)
def test_an_agent_is_checked_in_its_own_room(ask: Ask, agent: str, environment: str) -> None:
    """Without ``--env``: in the first environment of the room that has an agent of its name."""
    answer = ask("check", agent)
    assert (answer.code, answer.error) == (0, "")
    assert answer.said.endswith(f"keeps the agent contract in {environment}\n")


def test_an_agent_is_not_checked_where_it_does_not_play(ask: Ask) -> None:
    """One line that says where it does."""
    answer = ask("check", "gd", "--env", "mlds/Pong-v0")
    assert (answer.code, answer.said) == (2, "")
    assert answer.error == "mlds-bench: agent 'gd' plays in landscape, not in atari\n"
