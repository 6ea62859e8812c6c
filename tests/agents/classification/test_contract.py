"""Every agent of the room under the contract of agents, with probabilities and with classes."""

from __future__ import annotations

from typing import Any

import pytest

from mlds_bench.agents.contract.check import check_agent
from mlds_bench.agents.registry import builtin, resolve

ROOM = "mlds/Classification-v0"
NAMES = list(builtin("classification"))


@pytest.mark.parametrize("name", NAMES)
def test_agents_keep_the_contract(name: str) -> None:
    """Any batch size, the same under its seed, saved and loaded."""
    check_agent(resolve(name), ROOM, budget_steps=1)


@pytest.mark.parametrize("name", ["mlp", "knn", "domain-adversarial"])
def test_agents_keep_the_contract_where_they_must_say_classes(name: str) -> None:
    """Without probabilities, and where half of the images have no label."""
    options: dict[str, Any] = {"probabilities": False, "shift": "inverted"}
    check_agent(resolve(name), ROOM, env_kwargs=options, budget_steps=1)


def test_networks_with_dropout_and_statistics_keep_the_contract() -> None:
    """Dropout repeats under the seed; the statistics of batches are saved."""
    params = {"normalization": "batch", "dropout": 0.3, "activation": "selu", "skip": "highway"}
    check_agent(resolve("cnn-middle"), ROOM, params, budget_steps=1)
