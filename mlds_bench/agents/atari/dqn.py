"""Deep Q-learning and its improvements, of homework 4-2: one agent whose parts are settings.

Plain DQN (Mnih et al. 2015) learns the value of every action by regression on
``r + discount * max Q(next)``, from a replay, with a target network. Each improvement changes one
part, and each is a setting of this agent:

- the target: the online network chooses the action that the target network values (``double``, van
  Hasselt et al. 2016); rewards of several steps (``steps``, Sutton 1988);
- the head: value and advantages apart (``dueling``, Wang et al. 2016); a distribution over returns
  (``atoms``, Bellemare et al. 2017);
- the replay: surprising transitions more often (``priority_exponent``, Schaul et al. 2016);
- the exploration: noisy weights instead of random actions (``noisy``, Fortunato et al. 2018).

All of them together are Rainbow (Hessel et al. 2018); see `improvements` for the named agents.

Against the papers and the course, made for few processors: two pictures of 42x42 are seen and the
convolutions are narrow; pixels are scaled by their deviation in the warm-up; updates are rarer and
larger, 4 examples an environment step instead of 8; the learning rate follows the batch and falls
to 0, as in Gallici et al. 2024 ("Simplifying deep temporal difference learning"). Rewards are
clipped and episodes end with a life while it learns.
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
from safetensors.torch import load_file, save_file
from torch import Tensor
from torch.nn import functional

from mlds_bench.agents.atari.networks import Layers
from mlds_bench.agents.atari.pace import Progress, half_the_threads
from mlds_bench.agents.atari.q_networks import QNetwork
from mlds_bench.agents.atari.spaces import stacked_view
from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.numerics.distributional import project
from mlds_bench.agents.numerics.replay import FrameReplay
from mlds_bench.agents.numerics.sampling import PrioritizedSampler, Sampler, UniformSampler
from mlds_bench.common.bounds import layers

VIEW: dict[str, Any] = {
    "size": 42,
    "stack": 2,
    "actions": "reduced",
    "clip_rewards": True,
    "life_ends": True,
}


SCALED_BY = 8192
"""Observations of the warm-up that the scale of the pixels is taken from."""


@dataclass(frozen=True)
class DqnHyperparameters:
    """Settings of deep Q-learning; times are environment steps, counted an instance.

    Attributes:
        num_envs: instances in the batch.
        learning_rate: of Adam at first; it falls in a line to 0 at the end of the budget.
        batch_size: transitions an update.
        update_every: steps an update.
        target_every: steps from one copy of the online network to the next.
        replay_size: frames kept.
        warm_up: steps before the first update, at most a twentieth of the budget.
        discount: of a step.
        epsilon_end: share of random actions after ``epsilon_steps``; it falls from 1 in a line.
        epsilon_steps: at most a fifth of the budget.
        test_epsilon: share of random actions at test, so that no game goes round in circles.
        steps: n of the n-step targets.
        double: whether the online network chooses the action of the target.
        dueling: whether value and advantages have heads of their own.
        noisy: whether weights are noisy; there are then no random actions.
        priority_exponent: 0 draws transitions uniformly, 1 in proportion to their error.
        priority_correction: share of the bias of such draws that the weights of the loss undo.
        atoms: values on the grid of a distribution over returns, 1 for the mean alone.
        largest_return: the grid reaches from its negative to it.
        convolutions: (channels, kernel, stride) of each.
        hidden: units of the hidden layer.
        largest_gradient: norm to which the gradient is clipped.
    """

    num_envs: int = 32
    learning_rate: float = 3e-4
    batch_size: int = 128
    update_every: int = 32
    target_every: int = 8000
    replay_size: int = 500_000
    warm_up: int = 20_000
    discount: float = 0.99
    epsilon_end: float = 0.01
    epsilon_steps: int = 500_000
    test_epsilon: float = 0.001
    steps: int = 1
    double: bool = False
    dueling: bool = False
    noisy: bool = False
    priority_exponent: float = 0.0
    priority_correction: float = 0.5
    atoms: int = 1
    largest_return: float = 10.0
    convolutions: Layers = ((8, 4, 2), (32, 4, 2), (32, 3, 2))
    hidden: int = 256
    largest_gradient: float = 10.0

    def __post_init__(self) -> None:
        counts = ("num_envs", "batch_size", "update_every", "target_every", "replay_size")
        _require(self, (*counts, "epsilon_steps", "steps", "atoms", "hidden"), least=1)
        _require(self, ("warm_up", "priority_exponent"), least=0)
        _require(self, ("learning_rate", "largest_return", "largest_gradient"), least=1e-12)
        shares = ("discount", "epsilon_end", "test_epsilon", "priority_correction")
        _require(self, shares, least=0, most=1)
        layers(convolutions=self.convolutions)


class DqnAgent(Agent):
    """Deep Q-learning with a replay and a target network."""

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
        bound = self.hyper.largest_return
        self._support = torch.linspace(-bound, bound, self.hyper.atoms, device=self.device)
        self._optimizer = torch.optim.Adam(
            self._online.parameters(), lr=self.hyper.learning_rate, eps=1.5e-4, fused=True
        )
        self.reset(np.ones(1, dtype=np.bool_))

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Play and learn until the budget is spent.

        Raises:
            MemoryError: before the first step, if the replay would not fit.
        """
        hyper = self.hyper
        progress = Progress(budget)
        replay = self._replay(budget)
        warm_up = max(min(hyper.warm_up, budget.env_steps // 20), env.num_envs * (hyper.steps + 1))
        falls_over = max(min(hyper.epsilon_steps, budget.env_steps // 5), 1)
        observations, _ = env.reset()
        replay.begin(observations)
        step, updates, copies = 0, 0, 0
        with half_the_threads(), ThreadPoolExecutor(max_workers=1) as pool:
            while True:
                self._online.draw_noise(self._noise)
                fallen = min(step / falls_over, 1.0)
                epsilon = 0.0 if hyper.noisy else 1.0 + fallen * (hyper.epsilon_end - 1.0)
                actions = self._choose(observations, epsilon, self._generator)
                playing = pool.submit(env.step, actions)  # while it learns from what was before
                progress.env_steps = step
                self._optimizer.param_groups[0]["lr"] = hyper.learning_rate * progress.remaining
                while updates < (step - warm_up) // hyper.update_every:
                    self._update(replay)
                    updates += 1
                if copies < step // hyper.target_every:
                    self._target.load_state_dict(self._online.state_dict())
                    copies += 1
                observations, rewards, terminated, truncated, infos = playing.result()
                final = infos.get("final_obs")
                replay.add(actions, rewards, terminated, truncated, observations, final)
                step += env.num_envs
                if step >= warm_up and not self._online.scaling.is_fitted:
                    self._fit_scale(replay)

    def act(self, obs: npt.NDArray[np.uint8], *, deterministic: bool = True) -> Any:
        """The best actions (N,) for observations (N, C, H, W), but for a few at random.

        Random are ``test_epsilon`` of them, or as many as at the end of learning if not
        ``deterministic``; their generator starts anew when all instances are reset.
        """
        self._online.silence()
        hyper = self.hyper
        epsilon = hyper.test_epsilon if deterministic else hyper.epsilon_end
        return self._choose(obs, epsilon, self._test_generator)

    def reset(self, done: npt.NDArray[np.bool_]) -> None:
        """Begin a test anew where all instances (N,) are done."""
        if done.all():
            self._test_generator = np.random.default_rng(self.seed)

    def save(self, folder: Path) -> None:
        """Write the network to ``network.safetensors``."""
        state = {name: part.contiguous() for name, part in self._online.state_dict().items()}
        save_file(state, Path(folder) / "network.safetensors")

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        state = load_file(Path(folder) / "network.safetensors")
        expected = {name: part.shape for name, part in self._online.state_dict().items()}
        if {name: part.shape for name, part in state.items()} != expected:
            raise ValueError(
                f"{folder} holds another network than {type(self).__name__} with these settings: "
                "load it with those it was saved by"
            )
        self._online.load_state_dict(state)
        self._target.load_state_dict(state)

    def _network(self) -> QNetwork:
        hyper = self.hyper
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(self.seed)
            network = QNetwork(
                self._shape,
                self._actions,
                atoms=hyper.atoms,
                convolutions=hyper.convolutions,
                hidden=hyper.hidden,
                duel=hyper.dueling,
                noisy=hyper.noisy,
            )
        return network.to(self.device)

    def _replay(self, budget: Budget) -> FrameReplay:
        hyper = self.hyper
        sampler: Callable[[int], Sampler] = partial(UniformSampler, generator=self._generator)
        if hyper.priority_exponent:
            sampler = partial(
                PrioritizedSampler,
                generator=self._generator,
                exponent=hyper.priority_exponent,
                correction=hyper.priority_correction,
            )
        return FrameReplay(
            self._shape,
            stack=self.env_options["stack"],
            num_envs=hyper.num_envs,
            capacity=min(hyper.replay_size, 2 * budget.env_steps),
            steps=hyper.steps,
            discount=hyper.discount,
            sampler=sampler,
        )

    def _fit_scale(self, replay: FrameReplay) -> None:
        """Scale the pixels by what was seen at random, in both networks."""
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
        """Mean returns (B, A) of what the network says (B, A, atoms)."""
        if self.hyper.atoms == 1:
            return said[..., 0]
        return said.softmax(dim=-1) @ self._support

    def _update(self, replay: FrameReplay) -> None:
        """One step of Adam on one batch."""
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
        loss = (losses * weights).mean()
        self._optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(self._online.parameters(), self.hyper.largest_gradient)
        self._optimizer.step()
        replay.sampler.update(batch.rows, errors.double().cpu().numpy())

    @torch.no_grad()
    def _goals(self, rows: Tensor, pictures: Tensor, returns: Tensor, discounts: Tensor) -> Tensor:
        """What the network should have said, (B, atoms): values, or probabilities."""
        said: Tensor = self._target(pictures)
        chooser = self._online(pictures) if self.hyper.double else said
        best = said[rows, self._values(chooser).argmax(dim=1)]
        returns, discounts = returns[:, None], discounts[:, None]
        if self.hyper.atoms == 1:
            return returns + discounts * best
        return project(best.softmax(dim=1), returns + discounts * self._support, self._support)

    def _losses(self, said: Tensor, goals: Tensor) -> tuple[Tensor, Tensor]:
        """Losses (B,), and errors (B,) >= 0 that priorities follow: Huber's, or cross-entropy."""
        if self.hyper.atoms == 1:
            losses = functional.huber_loss(said, goals, reduction="none")[:, 0]
            return losses, (said - goals).detach().abs()[:, 0]
        losses = (goals * said.log_softmax(dim=1)).sum(dim=1).neg()
        return losses, losses.detach()

    def _tensor(self, values: npt.NDArray[Any]) -> Tensor:
        """On the device; floats in single precision."""
        tensor = torch.from_numpy(values).to(self.device)
        return tensor.float() if tensor.is_floating_point() else tensor


def _require(
    hyper: DqnHyperparameters, names: tuple[str, ...], *, least: float, most: float = np.inf
) -> None:
    """Refuse a setting outside [least, most]; one line with its name."""
    for name in names:
        value = getattr(hyper, name)
        if not least <= value <= most or value == np.inf:
            bounds = f"at least {least:g}" + (f" and at most {most:g}" if most < np.inf else "")
            raise ValueError(f"{name} must be {bounds}, got {value!r}")
