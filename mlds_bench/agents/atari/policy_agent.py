"""What the policy gradients of this room share: the loop of play and improvement, and the files.

An agent's own file holds its settings, its network, and what it makes of a rollout.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import VectorEnv
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from mlds_bench.agents.atari.rollouts import Player, Rollout, played, sampled
from mlds_bench.agents.atari.views import Shape, view_shape
from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget
from mlds_bench.common.bounds import above, at_least, between, whole

FILE = "policy.safetensors"


@dataclass(frozen=True)
class PolicyHyperparameters:
    """Settings that all policy gradients have.

    Attributes:
        instances: environments played at a time.
        horizon: steps of each between two improvements of the policy.
        learning_rate: at the start; it falls to zero along a line over the budget.
        discount: gamma.
        entropy_weight: of the mean entropy in the loss.
        gradient_norm: the gradient is clipped to it.
        hidden: units of the layer that the policy stands on.
    """

    instances: int = 32
    horizon: int = 64
    learning_rate: float = 1e-3
    discount: float = 0.99
    entropy_weight: float = 0.01
    gradient_norm: float = 0.5
    hidden: int = 256

    def __post_init__(self) -> None:
        whole(1, instances=self.instances, horizon=self.horizon, hidden=self.hidden)
        between(0.0, 1.0, discount=self.discount)
        at_least(0.0, entropy_weight=self.entropy_weight)
        above(0.0, learning_rate=self.learning_rate, gradient_norm=self.gradient_norm)


class Progress:
    """How far the budget is spent, by steps or seconds, whichever is further."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._began = time.perf_counter()
        self.env_steps = 0

    @property
    def remaining(self) -> float:
        """The share that is left, 1 at first, 0 at the end."""
        seconds = (time.perf_counter() - self._began) / self._budget.seconds
        return max(1.0 - max(self.env_steps / max(self._budget.env_steps, 1), seconds), 0.0)


class PolicyAgent(Agent):
    """Plays rollouts and leaves to its subclass what to make of them."""

    hyper: PolicyHyperparameters
    name: ClassVar[str]

    def prepare(self) -> None:
        """Draw the initial weights."""
        shape, self.actions = view_shape(self.name, self.observation_space, self.action_space)
        self.num_envs = self.hyper.instances
        self.generator = torch.Generator().manual_seed(self.seed)
        self.network = self.make_network(shape).to(self.device)

    def draw_seed(self) -> int:
        """For another generator, drawn from the agent's own."""
        return int(torch.randint(2**62, (1,), generator=self.generator))

    def make_network(self, shape: Shape) -> nn.Module:
        """A network of logits (B, A) and values (B,) for observations (B, C, H, W)."""
        raise NotImplementedError

    def start(self, player: Player) -> None:
        """Whatever play is needed before the first improvement."""

    def rollouts(self, player: Player) -> Iterator[Rollout]:
        """What to learn from, without an end."""
        return played(player)

    def improve(self, rollout: Rollout, learning_rate: float) -> None:
        """Learn from a rollout."""
        raise NotImplementedError

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Play and improve until the budget is spent."""
        progress = Progress(budget)
        player = Player(
            env,
            steps=self.hyper.horizon,
            actions=self.actions,
            policy=self.network,
            device=self.device,
            generator=torch.Generator().manual_seed(self.draw_seed()),
        )
        self.start(player)
        for rollout in self.rollouts(player):
            progress.env_steps = rollout.env_steps
            self.improve(rollout, self.hyper.learning_rate * progress.remaining)

    def descend(self, optimizer: torch.optim.Optimizer, loss: Tensor) -> None:
        """One step down the clipped gradient of a scalar."""
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), self.hyper.gradient_norm)
        optimizer.step()

    @torch.inference_mode()
    def act(self, obs: npt.NDArray[Any], *, deterministic: bool = True) -> npt.NDArray[np.int64]:
        """Actions (N,) for observations (N, C, H, W): the likeliest, or drawn."""
        logits = self.network(torch.from_numpy(obs).to(self.device))[0].cpu()
        chosen = logits.argmax(1) if deterministic else sampled(logits, self.generator)
        actions: npt.NDArray[np.int64] = chosen.numpy()
        return actions

    def save(self, folder: Path) -> None:
        """Write all that the network knows to ``policy.safetensors``."""
        state = self.network.state_dict()
        weights = {name: value.cpu().contiguous().clone() for name, value in state.items()}
        save_file(weights, Path(folder) / FILE)

    def load(self, folder: Path) -> None:
        """Read what `save` wrote.

        Raises:
            ValueError: if it is of another network; one line.
        """
        weights = load_file(Path(folder) / FILE)
        own = {name: value.shape for name, value in self.network.state_dict().items()}
        for name in sorted(own.keys() | weights.keys()):
            saved = weights[name].shape if name in weights else None
            if saved != own.get(name):
                raise ValueError(
                    f"{folder} holds {name} of shape {_told(saved)}, this {self.name} has "
                    f"{_told(own.get(name))}: load it with the view and the hyper-parameters it "
                    "was saved with"
                )
        self.network.load_state_dict(weights)


def _told(shape: torch.Size | None) -> str:
    return "none" if shape is None else str(tuple(shape))
