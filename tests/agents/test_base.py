from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from gymnasium import spaces

from mlds_bench.agents.base import Agent, UnknownHyperparameter, make_hyperparameters


@dataclass(frozen=True)
class Settings:
    rate: float = 0.5
    width: int = 8
    name: str = "relu"
    fast: bool = False
    hidden: tuple[int, ...] = (8, 8)

    def __post_init__(self) -> None:
        if self.width < 1:
            raise ValueError(f"width must be at least 1, got {self.width}")


class Tuned(Agent):
    hyperparameters = Settings


def test_hyperparameters_are_converted() -> None:
    """A whole number does for a float, a list for a tuple; the rest stands at its default."""
    made = make_hyperparameters(Settings, {"rate": 1, "hidden": [4]})
    assert made == Settings(rate=1.0, hidden=(4,))
    assert isinstance(made.rate, float)


@pytest.mark.parametrize(
    ("values", "line"),
    [
        ({"rat": 1.0}, "unknown hyper-parameter 'rat': did you mean 'rate'"),
        ({"rate": "high"}, "hyper-parameter rate must be float, got 'high'"),
        ({"width": 1.5}, "hyper-parameter width must be int, got 1.5"),
        ({"width": True}, "hyper-parameter width must be int, got True"),
        ({"fast": 1}, "hyper-parameter fast must be bool, got 1"),
        ({"width": 0}, "width must be at least 1, got 0"),
    ],
)
def test_wrong_hyperparameters_get_one_line(values: dict[str, object], line: str) -> None:
    """A wrong name, kind or value is told by name, with the nearest right name."""
    with pytest.raises(UnknownHyperparameter) as error:
        make_hyperparameters(Settings, values)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_an_agent_keeps_what_it_was_built_with() -> None:
    """Spaces, seed, device and settings are attributes; learning does nothing until written."""
    box, discrete = spaces.Box(0, 1, (2,)), spaces.Discrete(3)
    agent = Tuned(observation_space=box, action_space=discrete, seed=3, device="cpu", width=2)
    assert (agent.observation_space, agent.action_space) == (box, discrete)
    assert (agent.seed, agent.device, agent.hyper) == (3, "cpu", Settings(width=2))
    with pytest.raises(NotImplementedError, match="Tuned has no act"):
        agent.act(np.zeros((1, 2)))
