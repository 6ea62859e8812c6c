"""The improvements of deep Q-learning by name: hyper-parameters of `DqnAgent`, nothing else.

What each of them changes, and its source, is in `mlds_bench.agents.atari.dqn`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from mlds_bench.agents.atari.dqn import DqnAgent, DqnHyperparameters


@dataclass(frozen=True)
class DoubleDqnHyperparameters(DqnHyperparameters):
    """The online network chooses the action in the target."""

    double: bool = True


@dataclass(frozen=True)
class DuelingHyperparameters(DqnHyperparameters):
    """Value and advantages have separate heads."""

    dueling: bool = True


@dataclass(frozen=True)
class PrioritizedHyperparameters(DqnHyperparameters):
    """Transitions are drawn in proportion to their last error."""

    prioritized_replay_alpha: float = 0.6


@dataclass(frozen=True)
class NoisyHyperparameters(DqnHyperparameters):
    """Exploration comes from noise in the weights."""

    noisy: bool = True


@dataclass(frozen=True)
class C51Hyperparameters(DqnHyperparameters):
    """A categorical distribution over 51 returns."""

    n_atoms: int = 51


@dataclass(frozen=True)
class NStepHyperparameters(DqnHyperparameters):
    """Targets add the rewards of three steps before they bootstrap."""

    n_step: int = 3


@dataclass(frozen=True)
class RainbowHyperparameters(DqnHyperparameters):
    """All improvements together."""

    double: bool = True
    dueling: bool = True
    prioritized_replay_alpha: float = 0.5
    noisy: bool = True
    n_atoms: int = 51
    n_step: int = 3


class DoubleDqnAgent(DqnAgent):
    """Double DQN: one network chooses the action, the other values it."""

    hyperparameters: ClassVar[type] = DoubleDqnHyperparameters


class DuelingAgent(DqnAgent):
    """DQN with separate heads for value and advantages."""

    hyperparameters: ClassVar[type] = DuelingHyperparameters


class PrioritizedAgent(DqnAgent):
    """DQN with prioritized replay."""

    hyperparameters: ClassVar[type] = PrioritizedHyperparameters


class NoisyAgent(DqnAgent):
    """DQN that explores by noise in its weights instead of random actions."""

    hyperparameters: ClassVar[type] = NoisyHyperparameters


class C51Agent(DqnAgent):
    """Categorical DQN: a distribution over returns."""

    hyperparameters: ClassVar[type] = C51Hyperparameters


class NStepAgent(DqnAgent):
    """DQN with three-step targets."""

    hyperparameters: ClassVar[type] = NStepHyperparameters


class RainbowAgent(DqnAgent):
    """Double, dueling, prioritized, noisy, categorical DQN with three-step targets."""

    hyperparameters: ClassVar[type] = RainbowHyperparameters
