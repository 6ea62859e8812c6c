"""Every policy of this room under the contract of agents, and its name in the registry."""

from __future__ import annotations

from typing import Any

import pytest

from mlds_bench.agents.contract.check import Subject, check_subject
from mlds_bench.agents.registry import builtin, resolve
from tests.agents.atari.catch import Catch
from tests.agents.toyground import Ground

SMALL: dict[str, dict[str, Any]] = {
    "reinforce": {},
    "a2c": {"convolutions": [[8, 4, 4]]},
    "acktr": {"convolutions": [[8, 4, 4]]},
    "trpo": {"convolutions": [[8, 4, 4]]},
    "ppo": {"convolutions": [[8, 4, 4]]},
}


@pytest.mark.parametrize("name", SMALL)
def test_agents_keep_the_contract(name: str) -> None:
    """Any batch size, the same under its seed, saved and loaded, ended by its budget."""
    params = SMALL[name] | {"num_envs": 16, "num_steps": 8, "hidden": 16}
    check_subject(Subject(resolve(name).load(), Ground(Catch), params=params))


@pytest.mark.parametrize("name", SMALL)
def test_the_registry_and_the_class_agree_on_the_name(name: str) -> None:
    """The class calls itself what the registry calls it."""
    assert vars(resolve(name).load())["name"] == name
    assert name in builtin("atari")
