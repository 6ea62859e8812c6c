"""The course's three networks of equal size: shallow, middle and deep.

Homework 1-1 asks whether depth pays at equal numbers of parameters: 1-190-1 (571), 1-10-18-15-4-1
(572) and 1-5-10-10-10-10-10-5-1 (571), ReLU, mean squared error, Adam, batches of 128. All three
follow one recipe. It differs from the course's in two points: the learning rate falls to zero along
half a cosine over the budget, and the weights between hidden layers start sqrt(6) times as wide as
``torch.nn.Linear`` makes them (He et al. 2015), which the deep network needs to learn reliably and
which the shallow one, having no such layer, does not see.

The labels come with the observations, so a batch of the environment is 100 minibatches; what the
network says of each before it learns from it is its action, and so the learning curve is the
training loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import VectorEnv
from safetensors.torch import load_file, save_file

from mlds_bench.agents.base import Agent, Budget
from mlds_bench.agents.fitting.spaces import input_dimension
from mlds_bench.agents.numerics.adam import Adam
from mlds_bench.agents.numerics.mlp import (
    SquaredErrorGradient,
    forward,
    initial_parameters,
    parameter_count,
)


@dataclass(frozen=True)
class NetworkHyperparameters:
    """Settings of a network.

    Attributes:
        hidden: sizes of the hidden layers.
        learning_rate: of Adam at the start; it falls to zero over the budget.
        batch_size: examples an update.
        updates_per_step: updates an environment step, which has batch_size examples for each.
        hidden_gain: width of the initial weights between hidden layers; sqrt(2) is He's.
        centered_inputs: map x from (0, 1] to (-1, 1].
    """

    hidden: tuple[int, ...]
    learning_rate: float = 1e-3
    batch_size: int = 128
    updates_per_step: int = 100
    hidden_gain: float = math.sqrt(2.0)
    centered_inputs: bool = False

    def __post_init__(self) -> None:
        sizes = {"batch_size": self.batch_size, "updates_per_step": self.updates_per_step}
        sizes |= {f"hidden[{k}]": size for k, size in enumerate(self.hidden)}
        for name, size in sizes.items():
            if not isinstance(size, int) or size < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {size!r}")
        if not self.hidden:
            raise ValueError("hidden must name at least one layer, for example (190,)")
        for name, value in {"learning_rate": self.learning_rate, "gain": self.hidden_gain}.items():
            if not (math.isfinite(value) and value > 0.0):
                raise ValueError(f"{name} must be a finite number above 0, got {value!r}")


@dataclass(frozen=True)
class ShallowHyperparameters(NetworkHyperparameters):
    """One hidden layer: 1-190-1, 571 parameters."""

    hidden: tuple[int, ...] = (190,)


@dataclass(frozen=True)
class MiddleHyperparameters(NetworkHyperparameters):
    """Four hidden layers: 1-10-18-15-4-1, 572 parameters."""

    hidden: tuple[int, ...] = (10, 18, 15, 4)


@dataclass(frozen=True)
class DeepHyperparameters(NetworkHyperparameters):
    """Seven hidden layers: 1-5-10-10-10-10-10-5-1, 571 parameters."""

    hidden: tuple[int, ...] = (5, 10, 10, 10, 10, 10, 5)


class NetworkAgent(Agent):
    """A fully connected ReLU network trained on the labels by Adam."""

    hyper: NetworkHyperparameters

    def __init__(
        self,
        *,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        seed: int = 0,
        device: str = "cpu",
        **hyperparameters: Any,
    ) -> None:
        super().__init__(
            observation_space=observation_space,
            action_space=action_space,
            seed=seed,
            device=device,
            **hyperparameters,
        )
        dimension = input_dimension(type(self).__name__, observation_space, action_space)
        self.num_envs = self.hyper.batch_size * self.hyper.updates_per_step
        self.sizes = (dimension, *self.hyper.hidden, 1)
        generator = torch.Generator().manual_seed(seed)
        initial = initial_parameters(self.sizes, generator, hidden_gain=self.hyper.hidden_gain)
        self.parameters = initial.to(device)

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Train for the whole budget; an environment step is ``updates_per_step`` updates."""
        gradient = torch.zeros_like(self.parameters)
        descend = SquaredErrorGradient(
            self.sizes, self.parameters, gradient, batch_size=self.hyper.batch_size
        )
        adam = Adam(self.parameters)
        predictions = self.parameters.new_empty(
            self.hyper.updates_per_step, 1, self.hyper.batch_size
        )
        steps = budget.env_steps // self.num_envs
        observation, infos = env.reset()
        for step in range(steps):
            rate = 0.5 * self.hyper.learning_rate * (1.0 + math.cos(math.pi * step / steps))
            batches = self._minibatches(observation, centered=self.hyper.centered_inputs)
            labels = self._minibatches(infos["oracle"])
            for inputs, targets, said in zip(batches, labels, predictions.unbind(), strict=True):
                descend(inputs, targets, said)
                adam.update(gradient, rate)
            observation, _, _, _, infos = env.step(self._actions(predictions.view(-1, 1)))

    def act(  # the network holds no randomness
        self,
        obs: npt.NDArray[Any],
        *,
        deterministic: bool = True,  # noqa: ARG002
    ) -> npt.NDArray[np.float64]:
        """Predictions (N, 1) float64 for x (N, d).

        The network is evaluated in float64, so that it is the piecewise linear function that it
        stands for, without the roundings of its training.
        """
        inputs = torch.from_numpy(np.asarray(obs, dtype=np.float64)).to(self.device).T
        inputs = 2.0 * inputs - 1.0 if self.hyper.centered_inputs else inputs
        return self._actions(forward(self.parameters.double(), self.sizes, inputs).T)

    def save(self, folder: Path) -> None:
        """Write the parameters to ``parameters.safetensors``."""
        save_file({"parameters": self.parameters.cpu()}, Path(folder) / "parameters.safetensors")

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        parameters = load_file(Path(folder) / "parameters.safetensors")["parameters"]
        if len(parameters) != parameter_count(self.sizes):
            raise ValueError(
                f"{folder} holds {len(parameters)} parameters, this network of sizes {self.sizes} "
                f"has {parameter_count(self.sizes)}: load it with the hidden sizes it was saved by"
            )
        self.parameters = parameters.to(self.device)

    def _minibatches(
        self, rows: npt.NDArray[np.float64], *, centered: bool = False
    ) -> tuple[torch.Tensor, ...]:
        """(N, k) float64 -> (k, batch_size) float32 for each update."""
        values = torch.from_numpy(rows).to(self.device, torch.float32)
        values = 2.0 * values - 1.0 if centered else values
        shape = (self.hyper.updates_per_step, self.hyper.batch_size, rows.shape[1])
        return values.view(shape).transpose(1, 2).contiguous().unbind()

    def _actions(self, predictions: torch.Tensor) -> npt.NDArray[np.float64]:
        actions = predictions.double().cpu().numpy()
        space: Any = self.action_space
        clipped: npt.NDArray[np.float64] = np.clip(actions, space.low, space.high)
        return clipped


class ShallowAgent(NetworkAgent):
    """1-190-1."""

    hyperparameters: ClassVar[type] = ShallowHyperparameters


class MiddleAgent(NetworkAgent):
    """1-10-18-15-4-1."""

    hyperparameters: ClassVar[type] = MiddleHyperparameters


class DeepAgent(NetworkAgent):
    """1-5-10-10-10-10-10-5-1."""

    hyperparameters: ClassVar[type] = DeepHyperparameters
