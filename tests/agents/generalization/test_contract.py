"""Every agent of the room under the contract of agents."""

from __future__ import annotations

import pytest

from mlds_bench.agents.contract.check import check_agent
from mlds_bench.agents.generalization import AGENTS
from mlds_bench.agents.registry import resolve

SEARCHES = ("grid", "random-settings", "successive-halving", "gaussian-process")


@pytest.mark.parametrize("name", AGENTS)
def test_agents_keep_the_contract(name: str) -> None:
    """Any batch size, the same under its seed, saved and loaded."""
    is_search = name in SEARCHES
    env_id = "mlds/HyperparameterSearch-v0" if is_search else "mlds/ModelSelection-v0"
    check_agent(resolve(name, "generalization"), env_id)
