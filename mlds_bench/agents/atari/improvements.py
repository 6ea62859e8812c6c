"""The improvements of deep Q-learning under their names: settings of `DqnAgent`, nothing else.

What each changes, and its source, stands in `mlds_bench.agents.atari.dqn`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlds_bench.agents.atari.dqn import DqnAgent, DqnHyperparameters


@dataclass(frozen=True)
class DoubleDqnHyperparameters(DqnHyperparameters):
    """The online network chooses the action of the target."""

    double: bool = True


@dataclass(frozen=True)
class DuelingHyperparameters(DqnHyperparameters):
    """Value and advantages have heads of their own."""

    dueling: bool = True


@dataclass(frozen=True)
class PrioritizedHyperparameters(DqnHyperparameters):
    """Transitions are drawn by their last error."""

    priority_exponent: float = 0.6


@dataclass(frozen=True)
class NoisyHyperparameters(DqnHyperparameters):
    """Noise in the weights explores."""

    noisy: bool = True


@dataclass(frozen=True)
class C51Hyperparameters(DqnHyperparameters):
    """A distribution over 51 returns."""

    atoms: int = 51


@dataclass(frozen=True)
class NStepHyperparameters(DqnHyperparameters):
    """Rewards of three steps before the estimate."""

    steps: int = 3


@dataclass(frozen=True)
class RainbowHyperparameters(DqnHyperparameters):
    """All of them."""

    double: bool = True
    dueling: bool = True
    priority_exponent: float = 0.5
    noisy: bool = True
    atoms: int = 51
    steps: int = 3


class DoubleDqnAgent(DqnAgent):
    """Double DQN: one network chooses the action, the other values it."""

    hyperparameters: ClassVar[type] = DoubleDqnHyperparameters


class DuelingAgent(DqnAgent):
    """DQN whose network says value and advantages apart."""

    hyperparameters: ClassVar[type] = DuelingHyperparameters


class PrioritizedAgent(DqnAgent):
    """DQN with prioritized replay."""

    hyperparameters: ClassVar[type] = PrioritizedHyperparameters


class NoisyAgent(DqnAgent):
    """DQN that explores by noise in its weights."""

    hyperparameters: ClassVar[type] = NoisyHyperparameters


class C51Agent(DqnAgent):
    """Categorical DQN: a distribution over returns."""

    hyperparameters: ClassVar[type] = C51Hyperparameters


class NStepAgent(DqnAgent):
    """DQN with targets of three steps."""

    hyperparameters: ClassVar[type] = NStepHyperparameters


class RainbowAgent(DqnAgent):
    """Double, dueling, prioritized, noisy, distributional and of three steps."""

    hyperparameters: ClassVar[type] = RainbowHyperparameters
