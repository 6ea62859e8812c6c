"""One episode, watched: which agent, what is written, and what cannot be."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from mlds_bench.agents.registry import UnknownAgent
from mlds_bench.benchmarks.cli.watch import watch
from mlds_bench.benchmarks.plan.errors import UsageError
from mlds_bench.benchmarks.plan.seal import Seal
from mlds_bench.benchmarks.plan.variants import VARIANTS
from tests.benchmarks.plan.test_trained import keep

MINE = """
class Mine:
    def __init__(self, button=0):
        self.button = button
    def learn(self, env, budget):
        pass
    def save(self, folder):
        (folder / "weights.txt").write_text(str(self.button))
    def load(self, folder):
        self.button = int((folder / "weights.txt").read_text())
    def act(self, obs):
        return [self.button] * len(obs)
"""
SETTINGS: dict[str, Any] = {"params": {}, "seed": 0, "seal": Seal()}


def test_a_game_is_written_as_an_animation(tmp_path: Path) -> None:
    """An agent that learns nothing needs no record."""
    told = watch("hw4-1/pong", "random", out=tmp_path, **SETTINGS).splitlines()
    assert re.fullmatch(r"random on hw4-1/pong: mean_return -\d+", told[0])
    assert told[1:] == [
        str(tmp_path / "watch/hw4-1-pong/random" / name) for name in ("game.gif", "view.png")
    ]
    with Image.open(told[1]) as animation:
        assert animation.is_animated  # type: ignore[attr-defined]


def test_the_same_seed_shows_the_same_game(tmp_path: Path) -> None:
    shown = []
    for number, seed in enumerate((1, 1, 2)):
        settings = SETTINGS | {"seed": seed}
        told = watch("hw4-2/breakout", "random", out=tmp_path / str(number), **settings)
        shown.append(Path(told.splitlines()[1]).read_bytes())
    assert shown[0] == shown[1] != shown[2]


def test_an_optimizer_is_watched_on_its_landscape(tmp_path: Path) -> None:
    """Any room that draws: here the paths of a test of one run."""
    settings = SETTINGS | {"params": {"learning_rate": 0.05}}
    told = watch("hw1-2/deep-linear", "adam", out=tmp_path, **settings).splitlines()
    assert told[0].startswith("adam on hw1-2/deep-linear: solved_share ")
    assert {Path(line).name for line in told[1:]} >= {"descent.png", "surface.png"}
    assert all("adam@learning_rate=0.05" in line for line in told[1:])


def test_what_an_agent_of_yours_has_learned_is_found_in_your_runs(tmp_path: Path) -> None:
    """By the name that its record has; with other settings it has learned nothing."""
    (tmp_path / "mine.py").write_text(MINE)
    mine = str(tmp_path / "mine.py")
    scores = {"mean_return": 1.0}
    keep(tmp_path, "2", variant="hw4-1/pong", agent=mine, scores=scores)
    told = watch("hw4-1/pong", mine, out=tmp_path, **SETTINGS).splitlines()
    assert ", as it came out of quick/hw4-1/pong/mine.py-Mine/seed-0: mean_return -" in told[0]
    other = SETTINGS | {"params": {"button": 3}}
    with pytest.raises(
        UsageError, match="has not learned hw4-1/pong yet with button=3: mlds-bench"
    ):
        watch("hw4-1/pong", mine, out=tmp_path, **other)


def test_an_agent_that_keeps_nothing_is_not_sent_to_run_again(tmp_path: Path) -> None:
    """It would have nothing to show afterwards, either."""
    (tmp_path / "mine.py").write_text(MINE.replace("def save", "def _save"))
    with pytest.raises(UsageError, match=r"keeps nothing of what it learns, for it has no save"):
        watch("hw4-1/pong", str(tmp_path / "mine.py"), out=tmp_path, **SETTINGS)


def test_an_agent_is_watched_by_what_tables_print(tmp_path: Path) -> None:
    """With the settings in its name."""
    told = watch("hw1-2/deep-linear", "adam@learning_rate=0.05", out=tmp_path, **SETTINGS)
    assert "hw1-2-deep-linear/adam@learning_rate=0.05/" in told


@pytest.mark.parametrize(
    ("variant", "agent", "line"),
    [
        ("hw4-1/pung", "ppo", "did you mean 'hw4-1/pong'"),
        ("hw4-3", "ppo", "one variant can be watched at a time, hw4-3 is 2"),
        ("all", "ppo", "one variant can be watched at a time, all is 34"),
        ("hw4-1/pong", "deep", "agent 'deep' plays in fitting, not in atari"),
        (
            "hw4-2/breakout",
            "reinforce",
            "reinforce has not learned hw4-2/breakout yet: mlds-bench run hw4-2/breakout -a rein",
        ),
    ],
)
def test_what_cannot_be_watched_is_one_line(
    variant: str, agent: str, line: str, tmp_path: Path
) -> None:
    with pytest.raises((UsageError, UnknownAgent), match=re.escape(line)):
        watch(variant, agent, out=tmp_path, **SETTINGS)


def test_a_fit_is_watched_on_the_whole_grid(tmp_path: Path) -> None:
    """Its score is that of a test, and not of one point."""
    told = watch("hw1-1/sinc", "random", out=tmp_path, **SETTINGS).splitlines()
    assert told[1:] == [str(tmp_path / "watch/hw1-1-sinc/random/fit.png")]
    anchor = VARIANTS["hw1-1/sinc"].anchors.random.value
    assert float(told[0].rpartition(" ")[2]) == pytest.approx(anchor, abs=0.02)


@pytest.mark.parametrize(
    ("act", "line"),
    [
        ("raise KeyError('ball')", "failed on hw4-1/pong: KeyError: 'ball'; mlds-bench check"),
        ("return obs", "action must hold integers|action has shape"),
        ("return [9]", r"action\[0\] is 9, outside 0..5"),
    ],
)
def test_an_agent_that_fails_says_so_in_one_line(act: str, line: str, tmp_path: Path) -> None:
    """Its own error with the way to its place, ours as they are."""
    path = tmp_path / "mine.py"
    path.write_text(f"class Mine:\n    def act(self, obs):\n        {act}\n")
    with pytest.raises(ValueError, match=line) as error:
        watch("hw4-1/pong", str(path), out=tmp_path, **SETTINGS)
    assert "\n" not in str(error.value)
