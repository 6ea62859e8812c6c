from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from mlds_bench.agents.adapter import AgentAdapter, build_player, env_options
from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget
from tests.agents.toyground import Ground
from tests.envs.toys import Walk


class OnlyAct:
    def act(self, obs: Any) -> Any:
        return obs + 1


class Complete:
    num_envs = 4

    def __init__(self) -> None:
        self.calls: list[str] = []

    def act(self, obs: Any) -> Any:
        self.calls.append("act")
        return obs

    def learn(self, env: Any, budget: Budget) -> None:
        self.calls.append(f"learn {env.num_envs} {budget.env_steps}")

    def reset(self, done: Any) -> None:
        self.calls.append(f"reset {done.tolist()}")

    def save(self, folder: Path) -> None:
        self.calls.append(f"save {folder}")

    def load(self, folder: Path) -> None:
        self.calls.append(f"load {folder}")


def use(adapter: AgentAdapter) -> Any:
    adapter.learn(Walk(num_envs=2), Budget(8))
    adapter.reset(np.array([True, False]))
    adapter.save(Path("a"))
    adapter.load(Path("a"))
    return adapter.act(np.zeros(2))


def test_an_agent_needs_nothing_but_act() -> None:
    """What is missing does nothing."""
    adapter = AgentAdapter(OnlyAct())
    np.testing.assert_array_equal(use(adapter), [1, 1])
    assert adapter.num_envs == 1


def test_what_an_agent_has_is_called() -> None:
    """Every method gets its arguments, and the wishes are read."""
    agent = Complete()
    adapter = AgentAdapter(agent)
    use(adapter)
    assert agent.calls == ["learn 2 8", "reset [True, False]", "save a", "load a", "act"]
    assert adapter.num_envs == 4


def test_the_base_class_fits_too() -> None:
    """An agent of ours goes through the same door."""
    walk = Walk()
    agent = Agent(
        observation_space=walk.single_observation_space, action_space=walk.single_action_space
    )
    agent.num_envs = 7
    assert AgentAdapter(agent).num_envs == 7


@pytest.mark.parametrize("number", [0, -1, 2.0, "4", True, None])
def test_a_batch_size_must_be_a_whole_number(number: Any) -> None:
    """One line names the class and the value."""
    agent = OnlyAct()
    agent.num_envs = number  # type: ignore[attr-defined]
    with pytest.raises(ValueError, match=r"OnlyAct.num_envs must be a whole number, at least 1"):
        AgentAdapter(agent)


@pytest.mark.parametrize("options", [["view"], {1: 2}, None])
def test_options_must_map_names(options: Any) -> None:
    """One line names the class and the value."""
    wishful = type("Wishful", (OnlyAct,), {"env_options": options})
    with pytest.raises(ValueError, match=r"Wishful\.env_options must map names to values"):
        env_options(wishful)


def test_a_view_may_follow_the_hyperparameters() -> None:
    """A function of what was set by name, in the class and in its instances."""

    class Choosy(OnlyAct):
        @staticmethod
        def env_options(params: Any) -> dict[str, Any]:
            return {"size": 42} if params.get("small") else {}

    assert env_options(Choosy) == {}
    assert env_options(Choosy, {"small": True}) == {"size": 42}
    assert build_player(Choosy, Ground(Walk), seed=0).env_options == {}


def test_a_number_of_numpys_is_a_whole_number_too() -> None:
    """np.int64 becomes an int, so that records hold plain numbers."""
    agent = OnlyAct()
    agent.num_envs = np.int64(3)  # type: ignore[attr-defined]
    number = AgentAdapter(agent).num_envs
    assert (number, type(number)) == (3, int)
