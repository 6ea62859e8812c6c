"""The commands ``data list``, ``data get`` and ``data check``."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pytest
from rich.console import Console
from typer.testing import CliRunner, Result

from mlds_bench.benchmarks.cli import app as cli
from mlds_bench.benchmarks.cli import data as commands
from mlds_bench.benchmarks.cli.terminal import Interrupted
from mlds_bench.common.data import download, store
from mlds_bench.common.data.catalogue import CATALOGUE
from tests.common.data.makers import SIZE, A, B, Server, put, serving, toy_set
from tests.leaderboard.factory import game_result
from tests.leaderboard.factory import store as keep


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The chosen folder; the cache is another, and both are empty."""
    monkeypatch.setenv("MLDS_BENCH_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("COLUMNS", "500")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(store, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(download, "PAUSE", 0.0)
    return tmp_path / "data"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with serving() as running:
        monkeypatch.setitem(CATALOGUE, "toy", toy_set(running.url))
        yield running


def ask(*arguments: str) -> Result:
    """What ``mlds-bench data`` answers."""
    return CliRunner().invoke(cli.app, ["data", *arguments])


@pytest.mark.parametrize("command", ["list", "get", "check"])
def test_help_has_an_example(command: str) -> None:
    shown = ask(command, "--help")
    assert shown.exit_code == 0
    assert re.search(rf"Example: mlds-bench data {command}\b", shown.output)


def test_list_says_what_is_here(root: Path, server: Server) -> None:
    """Name, license and state of every set; a torn one names its command."""
    assert re.search(r"^toy +not here +CC0 +random bytes *$", ask("list").output, re.M)
    folder = put(CATALOGUE["toy"], root)
    answer = ask("list")
    assert answer.exit_code == 0
    assert re.search(rf"^toy +here: {folder} +CC0", answer.output, re.M)
    for name, data in CATALOGUE.items():
        assert re.search(rf"^{name} .*{re.escape(data.license)}", answer.output, re.M)
    (folder / "a.bin").unlink()
    assert "not whole: mlds-bench data check toy" in ask("list").output


def test_get_fetches_and_says_where(root: Path, server: Server) -> None:
    """A line per file as it comes; the folder on stdout; once more, and nothing comes."""
    answer = ask("get", "toy")
    assert (answer.exit_code, answer.stdout) == (0, f"toy: {root / 'toy'}\n")
    assert answer.stderr == f"a.bin: {SIZE:,} bytes\nb.bin: {SIZE:,} bytes\n"
    assert (root / "toy" / "b.bin").read_bytes() == B
    again = ask("get", "toy")
    assert (again.exit_code, again.stdout, again.stderr) == (0, answer.stdout, "")


def test_get_of_several_ends_with_1_if_one_fails(
    root: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The others are fetched; the failure is one line with what to do."""
    monkeypatch.setitem(CATALOGUE, "gone", toy_set(f"{server.url}gone/", name="gone"))
    answer = ask("get", "gone", "toy")
    assert answer.exit_code == 1
    assert answer.stdout == f"toy: {root / 'toy'}\n"
    assert re.match(
        r"mlds-bench: gone could not be fetched: http[^\n]+404[^\n]+; "
        r"mlds-bench data get gone continues where it stopped\n",
        answer.stderr,
    )


def test_a_wrong_name_fetches_nothing(server: Server) -> None:
    """All names are looked at first."""
    assert ask("get", "toy", "mnits").exit_code != 0
    assert server.asked == []


def test_get_can_be_interrupted(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(file: object, size: int) -> None:
        if size:
            raise KeyboardInterrupt

    monkeypatch.setattr(commands, "_print_line", stop)
    answer = ask("get", "toy")
    assert isinstance(answer.exception, Interrupted)
    assert str(answer.exception) == "interrupted; the same command continues the download"


def test_a_terminal_shows_bars(root: Path, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    def terminal(*, stderr: bool) -> Console:
        return Console(file=sys.stderr if stderr else None, force_terminal=True, width=120)

    monkeypatch.setattr("mlds_bench.benchmarks.cli.terminal.console", terminal)
    monkeypatch.setattr("mlds_bench.benchmarks.cli.terminal.is_live", lambda screen: True)
    answer = ask("get", "toy")
    assert answer.exit_code == 0
    assert "300.0/300.0 kB" in answer.stderr
    assert "b.bin" in answer.stderr


def test_check_reads_the_files_and_names_the_damaged(root: Path, server: Server) -> None:
    """One per line; exit code 1 until they are fetched."""
    folder = put(CATALOGUE["toy"], root)
    assert ask("check", "toy").stdout == f"toy: 2 files whole in {folder}\n"
    assert ask("check", "toy").exit_code == 0
    (folder / "a.bin").write_bytes(A[:10])
    (folder / "b.bin").unlink()
    answer = ask("check", "toy")
    assert answer.exit_code == 1
    assert answer.stdout.splitlines() == [
        f"{folder}/a.bin: has 10 of 300,000 bytes, expected sha256 {sha256(A).hexdigest()[:8]}...",
        f"{folder}/b.bin: absent",
        "toy: not whole; mlds-bench data get toy fetches what is missing",
    ]
    assert ask("get", "toy").exit_code == ask("check", "toy").exit_code == 0


def test_check_without_names_looks_at_what_is_here(root: Path, server: Server) -> None:
    """What nobody fetched is no mistake, unless it is asked for by name."""
    answer = ask("check")
    assert (answer.exit_code, "mnist: not here\n" in answer.stdout) == (0, True)
    assert ask("check", "mnist").exit_code == 1
    (put(CATALOGUE["toy"], root) / "a.bin").unlink()
    answer = ask("check")
    assert answer.exit_code == 1
    assert f"{root}/toy/a.bin: absent\n" in answer.stdout


def test_plot_goes_on_without_torn_published_curves(root: Path, tmp_path: Path) -> None:
    """And says so in one line."""
    keep(tmp_path / "runs", game_result([1.0, 2.0]))
    arguments = ["plot", str(tmp_path / "runs")]
    assert CliRunner().invoke(cli.app, arguments).stderr == ""
    (root / "atari_reference" / "dopamine").mkdir(parents=True)
    (root / "atari_reference" / "dopamine" / "pong.json.gz").write_bytes(b"torn")
    answer = CliRunner().invoke(cli.app, arguments)
    assert answer.exit_code == 0
    assert "hw4-1-pong.png" in answer.stdout
    assert re.fullmatch(
        r"mlds-bench: without published curves: [^\n]+pong\.json\.gz and 1 more: [^\n]+\n",
        answer.stderr,
    )
