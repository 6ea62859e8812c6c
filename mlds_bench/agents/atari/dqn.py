"""Deep Q-learning and its improvements, of homework 4-2: one agent whose parts are settings.

Plain DQN (Mnih et al. 2015) learns the value of every action by regression on
``r + gamma * max Q(next)``, from a replay buffer, with a target network. Each improvement changes
one part, and each is a hyper-parameter of this agent:

- the target: the online network chooses the action that the target network evaluates (``double``,
  van Hasselt et al. 2016); rewards of several steps (``n_step``, Sutton 1988);
- the head: separate value and advantages (``dueling``, Wang et al. 2016); a distribution over
  returns (``n_atoms``, Bellemare et al. 2017);
- the replay: surprising transitions more often (``prioritized_replay_alpha``, Schaul et al. 2016);
- the exploration: noisy weights instead of random actions (``noisy``, Fortunato et al. 2018).

All of them together are Rainbow (Hessel et al. 2018); see `improvements` for the named agents.

It differs from the papers and the course in what makes it fast on few processors: it sees two
pictures of 42x42 and its convolutions are narrow; pixels are scaled by their deviation before
learning starts; updates are rarer and larger, 4 examples per environment step instead of 8; the
learning rate is set to match and falls to 0, as in Gallici et al. 2024 ("Simplifying deep temporal
difference learning"). Rewards are clipped and an episode ends with a life while it learns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor
from torch.nn import functional

from mlds_bench.agents.atari.networks import Layers
from mlds_bench.agents.atari.pace import Progress, half_the_threads
from mlds_bench.agents.atari.q_networks import QNetwork
from mlds_bench.agents.atari.spaces import stacked_view
from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.numerics.descent import descend
from mlds_bench.agents.numerics.distributional import project
from mlds_bench.agents.numerics.replay import FrameReplay
from mlds_bench.agents.numerics.sampling import PrioritizedSampler, Sampler, UniformSampler
from mlds_bench.agents.weights import load_weights, save_weights
from mlds_bench.common.bounds import above, at_least, between, layers, whole

FILE = "network.safetensors"
VIEW: dict[str, Any] = {
    "size": 42,
    "stack": 2,
    "actions": "reduced",
    "clip_rewards": True,
    "life_ends": True,
}


SCALED_BY = 8192
"""Observations from before learning starts that the scale of the pixels is estimated from."""


@dataclass(frozen=True)
class DqnHyperparameters:
    """Hyper-parameters of deep Q-learning. Steps are environment steps, summed over environments.

    Attributes:
        num_envs: environments played in parallel.
        learning_rate: initial value, of Adam; it falls linearly to zero over the budget.
        batch_size: transitions per update.
        train_frequency: environment steps per update.
        target_network_frequency: environment steps between two copies of the online network to the
            target network.
        buffer_size: frames in the replay buffer.
        learning_starts: environment steps before the first update; at most a twentieth of the
            budget.
        gamma: discount factor per step.
        exploration_final_eps: share of random actions after ``exploration_steps``; it falls
            linearly from 1.
        exploration_steps: environment steps over which it falls; at most a fifth of the budget.
        test_epsilon: share of random actions in tests, so that no game gets stuck in a loop.
        n_step: steps of rewards in a target.
        double: whether the online network chooses the action in the target.
        dueling: whether value and advantages have separate heads.
        noisy: whether weights are noisy; there are then no random actions.
        prioritized_replay_alpha: 0 draws transitions uniformly, 1 in proportion to their error.
        prioritized_replay_beta: how much of the bias of such draws the weights of the loss correct;
            1 corrects all of it.
        n_atoms: grid points of the distribution over returns; 1 estimates only its mean.
        v_max: the grid reaches from -v_max to v_max.
        convolutions: (channels, kernel, stride) of each convolution.
        hidden: units of the hidden layer.
        max_grad_norm: upper bound on the gradient's norm.
    """

    num_envs: int = 32
    learning_rate: float = 3e-4
    batch_size: int = 128
    train_frequency: int = 32
    target_network_frequency: int = 8000
    buffer_size: int = 500_000
    learning_starts: int = 20_000
    gamma: float = 0.99
    exploration_final_eps: float = 0.01
    exploration_steps: int = 500_000
    test_epsilon: float = 0.001
    n_step: int = 1
    double: bool = False
    dueling: bool = False
    noisy: bool = False
    prioritized_replay_alpha: float = 0.0
    prioritized_replay_beta: float = 0.5
    n_atoms: int = 1
    v_max: float = 10.0
    convolutions: Layers = ((8, 4, 2), (32, 4, 2), (32, 3, 2))
    hidden: int = 256
    max_grad_norm: float = 10.0

    def __post_init__(self) -> None:
        def named(*names: str) -> dict[str, Any]:
            return {name: getattr(self, name) for name in names}

        whole(1, **named("num_envs", "batch_size", "train_frequency", "target_network_frequency"))
        whole(1, **named("buffer_size", "exploration_steps", "n_step", "n_atoms", "hidden"))
        whole(0, learning_starts=self.learning_starts)
        above(0.0, **named("learning_rate", "v_max", "max_grad_norm"))
        at_least(0.0, prioritized_replay_alpha=self.prioritized_replay_alpha)
        shares = ("gamma", "exploration_final_eps", "test_epsilon", "prioritized_replay_beta")
        between(0.0, 1.0, **named(*shares))
        layers(convolutions=self.convolutions)


class DqnAgent(Agent):
    """Deep Q-learning with a replay buffer and a target network."""

    hyperparameters: ClassVar[type] = DqnHyperparameters
    env_options: ClassVar[Mapping[str, Any]] = VIEW
    hyper: DqnHyperparameters

    def prepare(self) -> None:
        """Draw the initial parameters."""
        name, spaces = type(self).__name__, (self.observation_space, self.action_space)
        self._shape, self._actions = stacked_view(name, *spaces, stack=self.env_options["stack"])
        self.num_envs = self.hyper.num_envs
        self._generator = np.random.default_rng(self.seed)
        self._noise = torch.Generator().manual_seed(self.seed)
        self._online, self._target = self._network(), self._network()
        bound = self.hyper.v_max
        self._support = torch.linspace(-bound, bound, self.hyper.n_atoms, device=self.device)
        self._optimizer = torch.optim.Adam(
            self._online.parameters(), lr=self.hyper.learning_rate, eps=1.5e-4, fused=True
        )
        self.reset(np.ones(1, dtype=np.bool_))

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Play and learn until the budget is spent.

        Raises:
            MemoryError: before the first step, if the replay buffer would not fit into memory.
        """
        hyper = self.hyper
        progress = Progress(budget)
        replay = self._replay(budget)
        learning_starts = max(
            min(hyper.learning_starts, budget.env_steps // 20), env.num_envs * (hyper.n_step + 1)
        )
        falls_over = max(min(hyper.exploration_steps, budget.env_steps // 5), 1)
        observations, _ = env.reset()
        replay.begin(observations)
        step, updates, copies = 0, 0, 0
        with half_the_threads(), ThreadPoolExecutor(max_workers=1) as pool:
            while True:
                self._online.draw_noise(self._noise)
                fallen = min(step / falls_over, 1.0)
                epsilon = 0.0 if hyper.noisy else 1.0 + fallen * (hyper.exploration_final_eps - 1.0)
                actions = self._choose(observations, epsilon, self._generator)
                playing = pool.submit(env.step, actions)  # while it learns from what was before
                progress.env_steps = step
                self._optimizer.param_groups[0]["lr"] = hyper.learning_rate * progress.remaining
                while updates < (step - learning_starts) // hyper.train_frequency:
                    self._update(replay)
                    updates += 1
                if copies < step // hyper.target_network_frequency:
                    self._target.load_state_dict(self._online.state_dict())
                    copies += 1
                observations, rewards, terminated, truncated, infos = playing.result()
                final = infos.get("final_obs")
                replay.add(actions, rewards, terminated, truncated, observations, final)
                step += env.num_envs
                if step >= learning_starts and not self._online.scaling.is_fitted:
                    self._fit_scale(replay)

    def act(self, obs: npt.NDArray[np.uint8]) -> npt.NDArray[np.int64]:
        """The best actions (N,) for observations (N, C, H, W), except for ``test_epsilon`` of them.

        Those are random; their generator starts anew when all instances are reset.
        """
        self._online.silence()
        return self._choose(obs, self.hyper.test_epsilon, self._test_generator)

    def reset(self, done: npt.NDArray[np.bool_]) -> None:
        """Start the generator of random actions anew if all instances (N,) are done."""
        if done.all():
            self._test_generator = np.random.default_rng(self.seed)

    def save(self, folder: Path) -> None:
        """Write the weights of the online network to ``network.safetensors``."""
        save_weights(self._online, Path(folder) / FILE)

    def load(self, folder: Path) -> None:
        """Read the weights that `save` wrote, into both networks.

        Raises:
            ValueError: if they belong to a different network; one line.
        """
        weights = load_weights(self._online, Path(folder) / FILE, agent=type(self).__name__)
        self._target.load_state_dict(weights)

    def _network(self) -> QNetwork:
        hyper = self.hyper
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = QNetwork(
                self._shape,
                self._actions,
                n_atoms=hyper.n_atoms,
                convolutions=hyper.convolutions,
                hidden=hyper.hidden,
                dueling=hyper.dueling,
                noisy=hyper.noisy,
            )
        return network.to(self.device)

    def _replay(self, budget: Budget) -> FrameReplay:
        hyper = self.hyper
        sampler: Callable[[int], Sampler] = partial(UniformSampler, generator=self._generator)
        if hyper.prioritized_replay_alpha:
            sampler = partial(
                PrioritizedSampler,
                generator=self._generator,
                alpha=hyper.prioritized_replay_alpha,
                beta=hyper.prioritized_replay_beta,
            )
        return FrameReplay(
            self._shape,
            stack=self.env_options["stack"],
            num_envs=hyper.num_envs,
            capacity=min(hyper.buffer_size, 2 * budget.env_steps),
            n_step=hyper.n_step,
            gamma=hyper.gamma,
            sampler=sampler,
        )

    def _fit_scale(self, replay: FrameReplay) -> None:
        """Scale the pixels by what random play has seen, in both networks."""
        seen = (replay.sample(SCALED_BY // 8).observations for _ in range(8))
        self._online.scaling.fit(map(torch.from_numpy, seen))
        self._target.load_state_dict(self._online.state_dict())

    def _choose(
        self, observations: npt.NDArray[np.uint8], epsilon: float, generator: np.random.Generator
    ) -> npt.NDArray[np.int64]:
        """Best actions (N,), each with probability ``epsilon`` replaced by a random one."""
        with torch.inference_mode():
            pictures = torch.from_numpy(observations).to(self.device)
            best: npt.NDArray[np.int64] = (
                self._values(self._online(pictures)).argmax(1).cpu().numpy()
            )
        random = generator.random(len(best)) < epsilon
        return np.where(random, generator.integers(self._actions, size=len(best)), best)

    def _values(self, said: Tensor) -> Tensor:
        """Mean returns (B, A) of the outputs of a network (B, A, n_atoms)."""
        if self.hyper.n_atoms == 1:
            return said[..., 0]
        return said.softmax(dim=-1) @ self._support

    def _update(self, replay: FrameReplay) -> None:
        """Take one step of Adam on one batch."""
        batch = replay.sample(self.hyper.batch_size)
        rows = torch.arange(len(batch.rows), device=self.device)
        for network in (self._online, self._target):
            network.draw_noise(self._noise)
        pictures, next_pictures = map(self._tensor, (batch.observations, batch.next_observations))
        numbers: tuple[npt.NDArray[Any], ...] = (batch.returns, batch.discounts, batch.weights)
        returns, discounts, weights = map(self._tensor, numbers)
        goals = self._goals(rows, next_pictures, returns, discounts)
        said = self._online(pictures)[rows, self._tensor(batch.actions)]
        losses, errors = self._losses(said, goals)
        loss, parameters = (losses * weights).mean(), self._online.parameters()
        descend(self._optimizer, loss, parameters, max_grad_norm=self.hyper.max_grad_norm)
        replay.sampler.update(batch.rows, errors.double().cpu().numpy())

    @torch.no_grad()
    def _goals(self, rows: Tensor, pictures: Tensor, returns: Tensor, discounts: Tensor) -> Tensor:
        """The regression targets, (B, n_atoms): values, or probabilities."""
        said: Tensor = self._target(pictures)
        chooser = self._online(pictures) if self.hyper.double else said
        best = said[rows, self._values(chooser).argmax(dim=1)]
        returns, discounts = returns[:, None], discounts[:, None]
        if self.hyper.n_atoms == 1:
            return returns + discounts * best
        return project(best.softmax(dim=1), returns + discounts * self._support, self._support)

    def _losses(self, said: Tensor, goals: Tensor) -> tuple[Tensor, Tensor]:
        """Losses (B,), Huber or cross-entropy, and errors (B,) >= 0 that set the priorities."""
        if self.hyper.n_atoms == 1:
            losses = functional.huber_loss(said, goals, reduction="none")[:, 0]
            return losses, (said - goals).detach().abs()[:, 0]
        losses = (goals * said.log_softmax(dim=1)).sum(dim=1).neg()
        return losses, losses.detach()

    def _tensor(self, values: npt.NDArray[Any]) -> Tensor:
        """A tensor on the device, floats in single precision."""
        tensor = torch.from_numpy(values).to(self.device)
        return tensor.float() if tensor.is_floating_point() else tensor
