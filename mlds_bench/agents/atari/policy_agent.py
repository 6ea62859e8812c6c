"""What the policy-gradient agents of this room share: the loop of playing and learning, and files.

An agent's own file holds its hyper-parameters, its network, and how it learns from a rollout.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import VectorEnv
from torch import nn

from mlds_bench.agents.atari.pace import Progress
from mlds_bench.agents.atari.rollouts import Player, Rollout, played
from mlds_bench.agents.atari.views import Shape, view_shape
from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.weights import load_weights, save_weights
from mlds_bench.common.bounds import above, at_least, between, whole

FILE = "policy.safetensors"


@dataclass(frozen=True)
class PolicyHyperparameters:
    """Hyper-parameters of every policy-gradient agent.

    Attributes:
        num_envs: environments played in parallel.
        num_steps: steps per environment in a rollout.
        learning_rate: initial value; it falls linearly to zero over the budget.
        gamma: discount factor per step.
        ent_coef: weight of the mean entropy (nats) in the objective.
        hidden: units of the hidden layer.
    """

    num_envs: int = 32
    num_steps: int = 64
    learning_rate: float = 1e-3
    gamma: float = 0.99
    ent_coef: float = 0.01
    hidden: int = 256

    def __post_init__(self) -> None:
        whole(1, num_envs=self.num_envs, num_steps=self.num_steps, hidden=self.hidden)
        between(0.0, 1.0, gamma=self.gamma)
        at_least(0.0, ent_coef=self.ent_coef)
        above(0.0, learning_rate=self.learning_rate)


class PolicyAgent(Agent):
    """Plays rollouts; a subclass learns from them."""

    hyper: PolicyHyperparameters
    name: ClassVar[str]

    def prepare(self) -> None:
        """Draw the initial weights."""
        shape, self.actions = view_shape(self.name, self.observation_space, self.action_space)
        self.num_envs = self.hyper.num_envs
        self.generator = torch.Generator().manual_seed(self.seed)
        self.network = self.make_network(shape).to(self.device)

    def draw_seed(self) -> int:
        """A seed for another generator, drawn from the agent's own."""
        return int(torch.randint(2**62, (1,), generator=self.generator))

    def make_network(self, shape: Shape) -> nn.Module:
        """A network that maps observations (B, C, H, W) to logits (B, A) and values (B,)."""
        raise NotImplementedError

    def start(self, player: Player) -> None:
        """Play whatever is needed before the first update."""

    def rollouts(self, player: Player) -> Iterator[Rollout]:
        """Rollouts to learn from, without end."""
        return played(player)

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """Learn from one rollout."""
        raise NotImplementedError

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Play and learn until the budget is spent."""
        progress = Progress(budget)
        player = Player(
            env,
            num_steps=self.hyper.num_steps,
            actions=self.actions,
            policy=self.network,
            device=self.device,
            generator=torch.Generator().manual_seed(self.draw_seed()),
        )
        self.start(player)
        for rollout in self.rollouts(player):
            progress.env_steps = rollout.env_steps
            self.improve(rollout, self.hyper.learning_rate * progress.remaining)

    @torch.inference_mode()
    def act(self, obs: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
        """The most probable actions (N,) for observations (N, C, H, W)."""
        logits = self.network(torch.from_numpy(obs).to(self.device))[0].cpu()
        actions: npt.NDArray[np.int64] = logits.argmax(1).numpy()
        return actions

    def save(self, folder: Path) -> None:
        """Write the weights of the network to ``policy.safetensors``."""
        save_weights(self.network, Path(folder) / FILE)

    def load(self, folder: Path) -> None:
        """Read the weights that `save` wrote.

        Raises:
            ValueError: if they belong to a different network; one line.
        """
        load_weights(self.network, Path(folder) / FILE, agent=self.name)
