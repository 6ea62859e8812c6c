"""What there is, listed and shown."""

from __future__ import annotations

import json
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest

from mlds_bench.agents import registry
from mlds_bench.agents.fitting import AGENTS
from mlds_bench.agents.registry import builtin
from mlds_bench.benchmarks.plan.presets import PRESETS
from mlds_bench.benchmarks.plan.variants import HOMEWORKS, VARIANTS
from mlds_bench.envs.registry import ENVIRONMENTS
from tests.benchmarks.cli.asking import MINE, Ask


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
        ("hw1-2", "12 variants, not part of all: hw1-2/xor-relu-h2 and so on"),
        ("hw1-1/sinc", "pass_mark"),
        ("hw1-1/sinc", "log10_mse      lower is better, the primary score"),
        ("hw1-1/sinc", "spline, sb3:PPO; seeds 0, 1, 2, 3, 4\n"),
        ("hw1-1/sinc", "test: 65,537 instances, 1 episode each"),
        ("hw4-1/pong", "as a part of all: random, ppo, pretrained:ppo; seed 0\n"),
        ("hw4-1/pong", "as a part of all: nothing\n"),
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


@pytest.mark.parametrize("name", ENVIRONMENTS)
def test_an_environment_is_shown_without_indents(ask: Ask, name: str) -> None:
    """Its docstring, as if it stood alone: the next paragraph begins at the margin, too."""
    answer = ask("show", name)
    lines = answer.said.splitlines()
    assert lines[:2] == [name, ""]
    for part in ("Observation: ", "Action: ", "Reward: ", "Oracle: ", "Scores: "):
        assert any(line.startswith(part) for line in lines), part


def test_an_agent_of_several_rooms_is_shown_in_each(
    ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One name, two classes: each with its own source."""
    monkeypatch.setitem(AGENTS, "gd", "mlds_bench.agents.fitting.networks:DeepAgent")
    builtin.cache_clear()
    try:
        answer = ask("show", "gd")
    finally:
        monkeypatch.undo()
        builtin.cache_clear()
    sources = [line for line in answer.said.splitlines() if line.startswith("source ")]
    assert sources == [
        "source mlds_bench.agents.fitting.networks:DeepAgent",
        "source mlds_bench.agents.landscape.first_order:GdAgent",
    ]


def test_nonsense_is_a_short_line(ask: Ask) -> None:
    """Not every name that there is."""
    answer = ask("show", "nope")
    assert (answer.code, answer.said) == (2, "")
    assert answer.error == (
        "mlds-bench: unknown name 'nope': mlds-bench list prints all there are\n"
    )


def test_show_sums_a_record_up(ask: Ask, out: Path) -> None:
    """Score, state, cost and what lies beside it; ``--json`` prints the whole."""
    file = out / "smoke/hw1-1/sinc/random/seed-0.json"
    answer = ask("show", file)
    assert answer.code == 0
    assert answer.said.startswith(
        "record     hw1-1/sinc random seed 0, preset smoke\nstate      ok\nscore      log10_mse "
    )
    assert "(normalized " in answer.said
    assert '"agent"' not in answer.said
    assert len(answer.said.splitlines()) < 20
    assert json.loads(ask("show", file, "--json").said)["agent"] == "random"
    bad = ask("show", out / "smoke/hw1-1/sinc/bad.py-Bad/seed-0.json").said
    assert "state      failed: ValueError: no" in bad
    assert "seed-0: log.txt" in bad
    assert "variant    hw1-1/sinc" in ask("show", out / "smoke/hw1-1/sinc/variant.json").said


def test_json_is_of_records_alone(ask: Ask) -> None:
    """One line for whoever wants JSON of an agent."""
    answer = ask("show", "deep", "--json")
    assert (answer.code, answer.said) == (2, "")
    assert "--json shows the file of a record" in answer.error


def test_the_plugins_are_listed(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Also those that cannot be used, with the reason."""
    players = "mlds_bench.agents.baselines.players:RandomAgent"
    points = [
        EntryPoint("clever", players, "mlds_bench.agents"),
        EntryPoint("deep", players, "mlds_bench.agents"),
        EntryPoint("torn", "no_such_package:Agent", "mlds_bench.agents"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    said = " ".join(ask("list", "agents").said.split())
    assert "clever plug-in " in said
    assert f"deep plug-in not used: a built-in agent has this name; write {players}" in said
    assert "torn plug-in the plug-in 'torn' (no_such_package:Agent) is broken" in said
    answer = ask("show", "torn")
    assert (answer.code, answer.said) == (2, "")
    assert answer.error.startswith("mlds-bench: the plug-in 'torn' (no_such_package:Agent) is ")
    assert answer.error.count("\n") == 1
    told = ask("run", "hw1-1/sinc", "-a", "deep,shallow", "--dry-run").error
    assert told == (
        "mlds-bench: the plug-in 'deep' is not used: a built-in agent has this name; "
        f"write {players} instead\n"
    )


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("import no_such_package", "cannot be imported: ModuleNotFoundError: No module named"),
        ("x = (", "net.py, line 1: '(' was never closed"),
        ("x = " + "-" * 20_000 + "1", "net.py is nested too deeply for Python"),
        ("from .helper import x", "so write from helper import x without the dot"),
    ],
)
def test_a_file_that_cannot_be_shown_is_one_line(
    ask: Ask, tmp_path: Path, text: str, line: str
) -> None:
    """And nothing else is said."""
    (tmp_path / "net.py").write_text(f"{text}\n{MINE}")
    answer = ask("show", "./net.py")
    assert (answer.code, answer.said) == (2, "")
    assert line in answer.error
    assert answer.error.count("\n") == 1


def test_a_file_tells_the_parameters_of_its_constructor(ask: Ask, tmp_path: Path) -> None:
    """With their defaults, as ``-p`` takes them."""
    (tmp_path / "net.py").write_text(
        "class Net:\n"
        '    """A net of mine."""\n'
        "    def __init__(self, width, seed, hidden=64): ...\n"
        "    def act(self, obs): ...\n"
    )
    said = ask("show", "./net.py").said
    assert said.startswith("net.py:Net: A net of mine.\n")
    assert said.endswith("  -p width=VALUE\n  -p hidden=64\n")
