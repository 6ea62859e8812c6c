"""Every optimizer under the contract of agents, and its name in the registry."""

from __future__ import annotations

from typing import Any

import pytest

from mlds_bench.agents.contract.check import check_agent
from mlds_bench.agents.registry import builtin, resolve

NAMES = list(builtin("landscape"))


@pytest.mark.parametrize("name", NAMES)
def test_agents_keep_the_contract(name: str) -> None:
    """Any batch size, the same under its seed, saved and loaded."""
    options: dict[str, Any] = {"problem": "quadratic"}
    check_agent(resolve(name), "mlds/LossLandscape-v0", env_kwargs=options)


@pytest.mark.parametrize("name", NAMES)
def test_the_registry_and_the_class_agree_on_the_name(name: str) -> None:
    """The class calls itself what the registry calls it."""
    assert vars(resolve(name).load())["name"] == name


@pytest.mark.parametrize("name", ["es", "random-search"])
def test_searches_play_with_the_gradient_hidden(name: str) -> None:
    """The same contract without a gradient."""
    options: dict[str, Any] = {"problem": "quadratic", "gradient": False}
    check_agent(resolve(name), "mlds/LossLandscape-v0", env_kwargs=options)
