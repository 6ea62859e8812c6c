"""What the tutorials promise, done word for word."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from mlds_bench.agents.contract.check import check_agent
from mlds_bench.agents.registry import resolve
from mlds_bench.envs.registry import ENVIRONMENTS

TUTORIALS = Path(__file__).parents[1] / "docs/tutorials"
PAGE = (TUTORIALS / "first_pong_agent.md").read_text(encoding="utf-8")
FOLLOWER, BANDIT = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


def load(code: str, folder: Path) -> Any:
    (folder / "mine.py").write_text(code)
    return resolve(str(folder / "mine.py")).load()


def points(cls: Any, games: int, decisions: int) -> float:
    """Mean reward of a decision."""
    env = ENVIRONMENTS["mlds/Pong-v0"].make(num_envs=games, split="test", **cls.env_options)
    observation, _ = env.reset(seed=0)
    agent, total = cls(), 0.0
    for _ in range(decisions):
        observation, reward, *_ = env.step(agent.act(observation))
        total += float(reward.mean())
    return total / decisions


@pytest.mark.parametrize("code", [FOLLOWER, BANDIT])
def test_the_agents_keep_the_contract(code: str, tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(code)
    check_agent(resolve(str(tmp_path / "mine.py")), "mlds/Pong-v0")


def test_ten_lines_lose_more_slowly_than_chance(tmp_path: Path) -> None:
    """Random actions lose a point every fifty decisions, the follower one every hundred or more."""
    lines = [line for line in FOLLOWER.splitlines() if line.strip()]
    assert len(lines) <= 10
    lost = -points(load(FOLLOWER, tmp_path), games=4, decisions=500)
    assert 0.0 < lost < 0.013


@pytest.mark.parametrize("path", sorted(set(re.findall(r"\]\(([\w/.]+)", PAGE))))
def test_links_lead_somewhere(path: str) -> None:
    assert (TUTORIALS / path).exists()


def test_commands_are_those_of_the_command_line() -> None:
    commands = set(re.findall(r"^mlds-bench (\w+)", PAGE, re.MULTILINE))
    assert commands == {"watch", "check", "run", "show", "compare"}
    for agent in re.findall(r"-a ([\w:]+) ", PAGE):
        assert resolve(agent).name == agent
