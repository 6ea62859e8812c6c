"""The named agents: what each changes, and that it learns."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from mlds_bench.agents.atari.dqn import DqnAgent, DqnHyperparameters
from mlds_bench.agents.atari.improvements import (
    C51Agent,
    DoubleDqnAgent,
    DuelingAgent,
    NoisyAgent,
    NStepAgent,
    PrioritizedAgent,
    RainbowAgent,
)
from tests.agents.atari.makers import SMALL, learn, make_agent, mean_return

CHANGES: dict[type[DqnAgent], dict[str, Any]] = {
    DqnAgent: {},
    DoubleDqnAgent: {"double": True},
    DuelingAgent: {"dueling": True},
    PrioritizedAgent: {"prioritized_replay_alpha": 0.6},
    NoisyAgent: {"noisy": True},
    C51Agent: {"n_atoms": 51},
    NStepAgent: {"n_step": 3},
    RainbowAgent: {
        "double": True,
        "dueling": True,
        "prioritized_replay_alpha": 0.5,
        "noisy": True,
        "n_atoms": 51,
        "n_step": 3,
    },
}


@pytest.mark.parametrize("cls", CHANGES)
def test_an_improvement_changes_its_part_alone(cls: type[DqnAgent]) -> None:
    """All other settings are those of plain DQN."""
    assert asdict(cls.hyperparameters()) == asdict(DqnHyperparameters()) | CHANGES[cls]


@pytest.mark.parametrize("cls", CHANGES)
def test_every_agent_learns_to_catch(cls: type[DqnAgent]) -> None:
    """Nine balls in ten; at random it is one in five."""
    agent = make_agent(cls, **SMALL)
    learn(agent, 9600)
    assert mean_return(agent) > 0.8
