"""Agents as a user names them: between commas, in tables, in folders."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.players import (
    expand_agents,
    find_player,
    find_players,
    split_agents,
)

AGENT = "class Mine:\n    def act(self, obs):\n        return obs * 0\n"


@pytest.mark.parametrize(
    ("texts", "names"),
    [
        (["deep,shallow"], ["deep", "shallow"]),
        (["deep", "shallow, spline"], ["deep", "shallow", "spline"]),
        (["deep@a=1,b=2,shallow"], ["deep@a=1,b=2", "shallow"]),
        (["deep@hidden=[8,8],b=2"], ["deep@hidden=[8,8],b=2"]),
        (['deep@name="a,b",shallow'], ['deep@name="a,b"', "shallow"]),
        (["deep@a=1,mine=./mine.py"], ["deep@a=1", "mine=./mine.py"]),
        (["deep@a=1,mine=mine.py:Mine@b=2"], ["deep@a=1", "mine=mine.py:Mine@b=2"]),
        (["deep,b=2"], ["deep", "b=2"]),
    ],
)
def test_names_are_split_at_the_commas_between_them(texts: list[str], names: list[str]) -> None:
    """And not at those inside a label."""
    assert split_agents(texts) == names


@pytest.mark.parametrize("texts", [[","], ["", " "]])
def test_no_name_at_all_is_refused(texts: list[str]) -> None:
    """With where to find some."""
    with pytest.raises(UsageError, match="mlds-bench list agents"):
        split_agents(texts)


def test_a_name_with_settings_is_a_player(tmp_path: Path) -> None:
    """Its own settings win; a file has the name that it is given."""
    (tmp_path / "net.py").write_text(AGENT)
    deep = find_player("deep@learning_rate=0.1", "fitting", {"learning_rate": 1, "batch_size": 8})
    assert deep.label == "deep@batch_size=8,learning_rate=0.1"
    assert find_player(f"small={tmp_path}/net.py@hidden=8", None, {}).label == "small@hidden=8"


def test_a_folder_stands_for_the_agents_in_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Helpers and hidden files are left out; a folder named like an agent hides none."""
    monkeypatch.chdir(tmp_path)
    for name in ("b.py", "a.py", "_c.py"):
        (tmp_path / name).write_text(AGENT)
    (tmp_path / "helper.py").write_text("class Net:\n    pass\n")
    (tmp_path / "deep").mkdir()
    assert expand_agents(["./", "deep"]) == ["a.py", "b.py", "deep"]
    assert expand_agents([f"{tmp_path}/@x=1"]) == [f"{tmp_path}/{n}.py@x=1" for n in "ab"]
    with pytest.raises(UsageError, match=r"\./deep: no file of an agent there"):
        expand_agents(["./deep"])


def test_a_tilde_within_a_path_is_no_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And the home of nobody is a name like any other."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "~t.py").write_text(AGENT)
    assert expand_agents(["./~t.py", "~nobody-at-all/x.py"]) == ["./~t.py", "~nobody-at-all/x.py"]
    assert find_player("./~t.py", "fitting", {}).label == "~t.py:Mine"


def test_wildcards_stand_for_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where folders are wildcards they name the agents, whether one is found or many."""
    monkeypatch.chdir(tmp_path)
    for name in ("ann", "bob b"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "agent.py").write_text(AGENT)
    assert expand_agents(["./*/agent.py"]) == ["ann=ann/agent.py", "bob-b=bob b/agent.py"]
    assert expand_agents(["a*/agent.py:Mine@x=1"]) == ["ann=ann/agent.py:Mine@x=1"]
    assert expand_agents(["ann/*.py", "deep@hidden=[8]"]) == ["ann/agent.py", "deep@hidden=[8]"]
    assert expand_agents([f"{tmp_path}/*/agent.py"])[0] == f"ann={tmp_path}/ann/agent.py"
    with pytest.raises(UsageError, match=r"z\*\.py: no file of an agent there"):
        expand_agents(["z*.py"])
    players = find_players(["*/agent.py"], {"hw1-1/sinc": "fitting"}, {"x": 1})
    assert [player.label for player in players["hw1-1/sinc"]] == ["ann@x=1", "bob-b@x=1"]
