from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import EntryPoint
from pathlib import Path

import pytest
import stable_baselines3

from mlds_bench.agents import registry
from mlds_bench.agents.registry import (
    EVERYWHERE,
    AgentSpec,
    UnknownAgent,
    agent_names,
    builtin,
    plugin_notes,
    resolve,
    rooms_of,
)
from mlds_bench.envs.registry import ROOMS

PLAYERS = "mlds_bench.agents.baselines.players"
BUILTIN = {name: spec for room in (EVERYWHERE, *ROOMS) for name, spec in builtin(room).items()}

SHORT_AGENT = """
import helper_{0}
class Mine:
    def act(self, obs):
        return helper_{0}.zeros(obs)
"""


@pytest.fixture
def agent_file(tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """An agent in a file, with a sibling that only this test has."""
    mark = abs(hash(request.node.name))
    (tmp_path / "my_agent.py").write_text(SHORT_AGENT.format(mark))
    (tmp_path / f"helper_{mark}.py").write_text("def zeros(obs): return [0 for _ in obs]\n")
    return tmp_path / "my_agent.py"


def line_of(name: str) -> str:
    with pytest.raises(UnknownAgent) as error:
        resolve(name)
    line = str(error.value)
    assert "\n" not in line
    return line


def test_any_name_may_be_pretrained() -> None:
    """The same class under another name; a wrong name behind the prefix is corrected."""
    spec = resolve("pretrained:deep")
    assert (spec.name, spec.is_pretrained) == ("pretrained:deep", True)
    assert (spec.target, spec.fingerprint) == (BUILTIN["deep"].target, resolve("deep").fingerprint)
    assert not resolve("deep").is_pretrained
    assert "did you mean 'deep'" in line_of("pretrained:dep")


def test_planning_loads_neither_torch_nor_the_agents() -> None:
    """Names of every kind resolve and hash in a process that has not imported torch."""
    code = """
import sys
from mlds_bench.agents.registry import agent_names, resolve
for name in ("random", "sb3:PPO", "mlds_bench.agents.baselines.players:RandomAgent"):
    resolve(name).source_hash
agent_names()
heavy = {"torch", "stable_baselines3", "mlds_bench.agents.baselines.players"} & set(sys.modules)
assert not heavy, heavy
"""
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("name", BUILTIN)
def test_every_builtin_name_stands_for_an_agent(name: str) -> None:
    """Its class is there, and its sources are files of the agents package alone."""
    spec = resolve(name)
    assert (spec.name, spec.kind, spec) == (name, "builtin", BUILTIN[name])
    assert callable(spec.load().act)  # type: ignore[attr-defined]
    assert {"mlds_bench.agents.base", spec.module} <= set(spec.sources)
    assert all(module.startswith("mlds_bench.agents") for module in spec.sources)


def test_the_algorithms_of_stable_baselines3_are_read_without_importing_it() -> None:
    """The names are those of the algorithm classes that the package exports."""
    base = stable_baselines3.common.base_class.BaseAlgorithm
    exported = [getattr(stable_baselines3, name) for name in stable_baselines3.__all__]
    algorithms = {c.__name__ for c in exported if isinstance(c, type) and issubclass(c, base)}
    named = {n.removeprefix("sb3:") for n in agent_names() if n.startswith("sb3:")}
    assert named == algorithms == {"A2C", "DDPG", "DQN", "PPO", "SAC", "TD3"}


def test_an_sb3_name_resolves_to_its_class() -> None:
    """sb3:PPO is the adapter's class around PPO; its hash knows the installed version."""
    spec = resolve("sb3:PPO")
    assert spec.kind == "sb3"
    assert spec.load().algorithm is stable_baselines3.PPO  # type: ignore[attr-defined]
    assert {"mlds_bench.agents.sb3.agent", "mlds_bench.agents.sb3.vec_env"} <= set(spec.sources)


def test_the_hash_of_an_sb3_agent_changes_with_the_installed_version(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Results of another Stable-Baselines3 are stale; those of a built-in are not."""
    before = [resolve(name).fingerprint for name in ("sb3:PPO", "random")]
    monkeypatch.setattr(registry, "_sb3_version", lambda: "0.0")
    after = [resolve(name).fingerprint for name in ("sb3:PPO", "random")]
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_an_installed_plugin_is_known_by_its_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """An entry point of the group is an agent; a built-in of the same name comes first."""
    points = [
        EntryPoint(
            "clever", "mlds_bench.agents.baselines.players:RandomAgent", "mlds_bench.agents"
        ),
        EntryPoint("random", "elsewhere:Other", "mlds_bench.agents"),
    ]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    spec = resolve("clever")
    assert (spec.name, spec.kind) == ("clever", "plugin")
    assert spec.load().__name__ == "RandomAgent"
    assert resolve("random").kind == "builtin"
    assert "clever" in agent_names()
    assert line_of("cleverr") == "unknown agent 'cleverr': did you mean 'clever'?"
    assert plugin_notes() == {
        "random": "not used: a built-in agent has this name; write elsewhere:Other instead"
    }


@pytest.mark.parametrize(
    ("values", "line"),
    [
        (
            ["no_such_package.mod:A"],
            "is broken: no_such_package.mod:A: no package 'no_such_package'",
        ),
        (
            ["no_colon"],
            "(no_colon) is broken: 'no_colon' is no agent: a class is named as package.",
        ),
        ([f"{PLAYERS}:Nobody"], "unknown class 'Nobody'"),
        (["a:A", "b:B"], "several packages have a plug-in 'clever': name one by a:A and b:B"),
    ],
)
def test_a_broken_plugin_is_one_line(
    monkeypatch: pytest.MonkeyPatch, values: list[str], line: str
) -> None:
    """And stands in the notes."""
    points = [EntryPoint("clever", value, "mlds_bench.agents") for value in values]
    monkeypatch.setattr(registry, "entry_points", lambda group: points)
    assert line in line_of("clever")
    assert line in plugin_notes()["clever"]


def test_a_dotted_path_names_a_class(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """pkg.mod:MyAgent is found without importing it, and hashed over its own package."""
    package = tmp_path / "dotted_package"
    package.mkdir()
    (package / "__init__.py").write_text("")
    (package / "agents.py").write_text("from . import part\nclass Mine:\n    def act(self, o): ...")
    (package / "part.py").write_text("")
    monkeypatch.syspath_prepend(tmp_path)
    spec = resolve("dotted_package.agents:Mine")
    assert "dotted_package" not in sys.modules
    before = spec.source_hash
    assert spec.load().__name__ == "Mine"
    (package / "part.py").write_text("x = 1")
    assert resolve("dotted_package.agents:Mine").source_hash != before
    assert line_of("dotted_package.agent:Mine").endswith("did you mean 'dotted_package.agents'?")
    assert line_of("dotted_package.agents:Mein").endswith("did you mean 'Mine'?")


def test_a_file_is_loaded_with_its_siblings(agent_file: Path) -> None:
    """The agent imports what lies beside it."""
    spec = resolve(str(agent_file))
    assert (spec.name, spec.kind) == ("my_agent.py:Mine", "file")
    agent = spec.load()()
    assert agent.act([1, 2]) == [0, 0]
    assert resolve(f"{agent_file}:Mine") == spec


def test_the_hash_of_a_file_follows_its_siblings_and_not_its_folder(
    agent_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """An edit of a sibling changes the hash; moving both to another folder does not."""
    before = resolve(str(agent_file)).source_hash
    moved = tmp_path_factory.mktemp("moved")
    for path in agent_file.parent.glob("*.py"):
        (moved / path.name).write_bytes(path.read_bytes())
    assert resolve(str(moved / "my_agent.py")).source_hash == before
    sibling = next(agent_file.parent.glob("helper_*.py"))
    sibling.write_text(sibling.read_text() + "changed = True\n")
    assert resolve(str(agent_file)).source_hash != before


def test_relative_paths_are_made_absolute(
    agent_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers run elsewhere: the target does not depend on the folder one stands in."""
    monkeypatch.chdir(agent_file.parent)
    spec = resolve("./my_agent.py")
    assert spec == resolve("my_agent.py:Mine")
    assert Path(spec.module).is_absolute()


def test_a_file_that_raises_when_loaded_leaves_nothing_behind(tmp_path: Path) -> None:
    """What the agent's own code raises passes through; no half module stays."""
    path = tmp_path / "broken.py"
    path.write_text("class A:\n    def act(self, o): ...\nraise RuntimeError('on import')")
    modules = set(sys.modules)
    with pytest.raises(RuntimeError, match="on import"):
        resolve(str(path)).load()
    assert not any("broken" in name for name in set(sys.modules) - modules)


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("randm", "unknown agent 'randm': did you mean 'random'?"),
        ("PPO", "unknown agent 'PPO': did you mean 'ppo' or 'sb3:PPO'?"),
        ("TD3", "unknown agent 'TD3': did you mean 'sb3:TD3'?"),
        ("sb3:ppo", "unknown agent 'sb3:ppo': did you mean 'sb3:PPO'?"),
        ("sb3:HER", "unknown agent 'sb3:HER': did you mean 'sb3:"),
        ("zzz", "or give ./my_agent.py or package.module:MyAgent"),
        ("no_such_package.mod:A", "no package 'no_such_package' is installed; for a file write"),
        ("sys:A", "no package 'sys'"),
        ("mlds_bench.agents.baselines.players:RandomAgnt", "did you mean 'RandomAgent'?"),
        ("mlds_bench.agents.baseline:A", "did you mean 'mlds_bench.agents.baselines'?"),
        ("", "unknown agent ''"),
    ],
)
def test_a_wrong_name_gets_the_nearest_right_one(name: str, line: str) -> None:
    """Every way of naming an agent has its own one line for a typo."""
    assert line in line_of(name)


def test_a_wrong_file_gets_the_nearest_right_one(agent_file: Path) -> None:
    """A missing file, an empty folder and a wrong class are told apart."""
    folder = agent_file.parent
    assert line_of(str(folder / "my_agnt.py")).endswith(f"did you mean '{agent_file}'?")
    assert line_of(f"{agent_file}:Mein").endswith("unknown class 'Mein': did you mean 'Mine'?")
    assert "nor any .py beside it" in line_of(str(folder / "empty" / "a.py"))


def test_a_file_may_be_given_a_name(agent_file: Path) -> None:
    """It stands in records; a name that is taken, and another kind of agent, are refused."""
    spec = resolve(f"mine={agent_file}")
    assert (spec.name, spec.kind) == ("mine", "file")
    assert spec.load() is not None
    assert spec.source_hash == resolve(str(agent_file)).source_hash
    assert resolve(f"mine={PLAYERS}:RandomAgent").name == "mine"
    assert "there is an agent 'deep', so choose another name" in line_of(f"deep={agent_file}")
    assert "only a file or package.module:MyAgent is given a name" in line_of("mine=deep")
    odd = agent_file.with_name("a=b.py")
    odd.write_text(agent_file.read_text())
    assert resolve(str(odd)).name == "a=b.py:Mine"


def test_paths_that_are_no_files_are_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link to itself, a folder, a pipe, a home of nobody."""
    monkeypatch.chdir(tmp_path)
    Path("loop.py").symlink_to("loop.py")
    Path("folder.py").mkdir()
    os.mkfifo("pipe.py")
    assert line_of("./loop.py") == "./loop.py is a link that leads to no file"
    assert line_of("./folder.py").startswith("./folder.py is a folder: an agent is a file")
    assert line_of("./pipe.py") == "./pipe.py is no regular file"
    assert (
        line_of("~nobody_here/t.py") == "there is no file ~nobody_here/t.py, nor any .py beside it"
    )
    Path("~t.py").write_text(SHORT_AGENT.format(1))
    assert resolve("./~t.py").name == resolve("~t.py").name == "~t.py:Mine"


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("def f(:", "a.b.py, line 1: invalid syntax"),
        ("x = " + "-" * 20_000 + "1", "a.b.py is nested too deeply for Python"),
        ("from .helper import X", "so write from helper import X without the dot"),
    ],
)
def test_a_file_that_is_no_python_is_an_agent_that_cannot_be_loaded(
    tmp_path: Path, text: str, line: str
) -> None:
    """It does not end a run: planning needs its name and its hash, and loading it is one line."""
    path = tmp_path / "a.b.py"
    path.write_text(text)
    spec = resolve(str(path))
    assert (spec.name, resolve(f"{path}:Mine").name) == ("a.b.py", "a.b.py:Mine")
    assert len(spec.source_hash) == 64
    with pytest.raises(UnknownAgent, match=r"^[^\n]*$") as error:
        spec.load()
    assert line in str(error.value)


def test_a_dot_in_the_name_of_a_file_is_no_package(tmp_path: Path) -> None:
    """``my.agent.py`` is an agent, too."""
    (tmp_path / "my.agent.py").write_text("class Mine:\n    def act(self, obs): return 3\n")
    assert resolve(str(tmp_path / "my.agent.py")).load()().act([]) == 3


def test_what_is_no_agent_is_refused_when_it_is_loaded() -> None:
    """A class without act, a function, and a name that has gone get one line."""
    for target, line in {
        "pathlib:Path": "must be a class with an act method",
        "json:dumps": "must be a class with an act method",
        "pathlib:Pth": "did you mean 'Path'?",
    }.items():
        with pytest.raises(UnknownAgent, match=r"^[^\n]*$") as error:
            AgentSpec(target, "dotted", target).load()
        assert line in str(error.value)


def test_names_are_those_of_a_room() -> None:
    """Baselines play everywhere; a name that plays elsewhere says so."""
    assert resolve("random", "fitting") == resolve("random", "atari") == resolve("random")
    assert resolve("ppo", "atari") == resolve("ppo")
    assert rooms_of("pretrained:ppo") == ["atari"]
    assert rooms_of("random") == []
    with pytest.raises(UnknownAgent, match="agent 'ppo' plays in atari, not in fitting"):
        resolve("ppo", "fitting")
    assert "ppo" not in agent_names("fitting")
    assert {"random", "deep", "sb3:PPO"} <= set(agent_names("fitting"))


def test_the_source_that_was_read_is_what_runs(agent_file: Path) -> None:
    """An edit between planning and learning changes neither the code nor its hash."""
    spec = resolve(str(agent_file))
    before = spec.source_hash
    (helper,) = agent_file.parent.glob("helper_*.py")
    helper.write_text("def zeros(obs): return [9 for _ in obs]\n")
    agent_file.write_text("raise SystemExit(0)\n")
    assert spec.load()().act([1, 2]) == [0, 0]
    assert spec.source_hash == before


def test_a_file_finds_what_lies_beside_it(tmp_path: Path) -> None:
    """`__file__` is the file's own place."""
    (tmp_path / "weights.txt").write_text("7")
    (tmp_path / "mine.py").write_text(
        "from pathlib import Path\n"
        "class Mine:\n"
        "    def act(self, obs): return Path(__file__).with_name('weights.txt').read_text()\n"
    )
    assert resolve(str(tmp_path / "mine.py")).load()().act([]) == "7"


def test_what_stands_in_a_key() -> None:
    """Versions of what has one, the source of what has none; a comment changes neither."""
    assert resolve("deep").fingerprint == {"name": "deep", "version": resolve("deep").version}
    assert set(resolve("sb3:PPO").fingerprint) == {"name", "version", "stable_baselines3"}
    dotted = resolve(f"{PLAYERS}:RandomAgent")
    assert dotted.fingerprint == {"name": dotted.base, "source": dotted.source_hash}
