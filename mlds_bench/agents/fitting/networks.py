"""The course's three networks of equal size: shallow, middle and deep.

Homework 1-1 asks whether depth pays at equal numbers of parameters: 1-190-1 (571), 1-10-18-15-4-1
(572) and 1-5-10-10-10-10-10-5-1 (571), ReLU, mean squared error, Adam, batches of 128. All three
follow one recipe, which differs from the course's in two points: the learning rate falls to zero
along half a cosine over the budget, and the hidden units are normalized on the first batch
(Salimans and Kingma 2016). Both help each of them. Without the latter the deep network, whose outer
layers have five units, often starts half dead and stays at a plateau.

The labels come with the observations, so a batch of the environment is 100 minibatches; what the
network says of each before it learns from it is its action, and so the learning curve is the
training loss.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import VectorEnv
from safetensors.torch import load_file, save_file

from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.fitting.spaces import input_dimension
from mlds_bench.agents.numerics.adam import Adam
from mlds_bench.agents.numerics.mlp import (
    SquaredErrorGradient,
    forward,
    initial_parameters,
    normalize_hidden_units,
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
        threshold_spread: of the initial thresholds of the hidden units, in standard deviations of
            what a unit feels; see `normalize_hidden_units`.
    """

    hidden: tuple[int, ...]
    learning_rate: float = 1e-3
    batch_size: int = 128
    updates_per_step: int = 100
    threshold_spread: float = 0.5

    def __post_init__(self) -> None:
        sizes = {"batch_size": self.batch_size, "updates_per_step": self.updates_per_step}
        sizes |= {f"hidden[{k}]": size for k, size in enumerate(self.hidden)}
        for name, size in sizes.items():
            if not isinstance(size, int) or size < 1:
                raise ValueError(f"{name} must be a whole number of at least 1, got {size!r}")
        if not self.hidden:
            raise ValueError("hidden must name at least one layer, for example (190,)")
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0.0):
            raise ValueError(
                f"learning_rate must be a finite number above 0, got {self.learning_rate!r}"
            )
        if not (math.isfinite(self.threshold_spread) and self.threshold_spread >= 0.0):
            raise ValueError(
                f"threshold_spread must be a finite number of at least 0, "
                f"got {self.threshold_spread!r}"
            )


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

    def prepare(self) -> None:
        """Draw the initial parameters."""
        dimension = input_dimension(type(self).__name__, self.observation_space, self.action_space)
        self.num_envs = self.hyper.batch_size * self.hyper.updates_per_step
        self.sizes = (dimension, *self.hyper.hidden, 1)
        self._generator = torch.Generator().manual_seed(self.seed)
        self.parameters = initial_parameters(self.sizes, self._generator).to(self.device)
        self._is_new = True

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Train for the whole budget; an environment step is ``updates_per_step`` updates."""
        observation, infos = env.reset()
        if self._is_new:
            self._normalize(observation)
        gradient = torch.zeros_like(self.parameters)
        descend = SquaredErrorGradient(
            self.sizes, self.parameters, gradient, batch_size=self.hyper.batch_size
        )
        adam = Adam(self.parameters)
        inputs, labels, said = (self._minibatches(rows) for rows in (self.sizes[0], 1, 1))
        batches = list(zip(inputs.unbind(), labels.unbind(), said.unbind(), strict=True))
        steps = budget.env_steps // self.num_envs
        for step in range(steps):
            rate = 0.5 * self.hyper.learning_rate * (1.0 + math.cos(math.pi * step / steps))
            self._fill(inputs, observation)
            self._fill(labels, infos["oracle"])
            for batch in batches:
                descend(*batch)
                adam.update(gradient, rate)
            adam.forget_negligible()
            observation, _, _, _, infos = env.step(self._actions(said.view(-1, 1)))

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
        self.parameters, self._is_new = parameters.to(self.device), False

    def _normalize(self, observation: npt.NDArray[np.float64]) -> None:
        """Fit the initial hidden units to the inputs; on the CPU, so that devices agree."""
        parameters = self.parameters.cpu()
        normalize_hidden_units(
            parameters,
            self.sizes,
            torch.from_numpy(observation.T.astype(np.float32)),
            self._generator,
            threshold_spread=self.hyper.threshold_spread,
        )
        self.parameters = parameters.to(self.device)
        self._is_new = False

    def _minibatches(self, rows: int) -> torch.Tensor:
        """Room for a minibatch an update, (updates_per_step, rows, batch_size)."""
        return self.parameters.new_empty(self.hyper.updates_per_step, rows, self.hyper.batch_size)

    def _fill(self, minibatches: torch.Tensor, values: npt.NDArray[np.float64]) -> None:
        """Copy values (N, k) into minibatches (updates_per_step, k, batch_size)."""
        updates, rows, size = minibatches.shape
        minibatches.copy_(torch.from_numpy(values).view(updates, size, rows).transpose(1, 2))

    def _actions(self, predictions: torch.Tensor) -> npt.NDArray[np.float64]:
        actions = predictions.double().cpu().numpy()
        space: Any = self.action_space
        clipped: npt.NDArray[np.float64] = np.clip(actions, space.low, space.high)
        return clipped


class ShallowAgent(NetworkAgent):
    """One hidden layer, 1-190-1: 571 parameters, trained on the labels by Adam."""

    hyperparameters: ClassVar[type] = ShallowHyperparameters


class MiddleAgent(NetworkAgent):
    """Four hidden layers, 1-10-18-15-4-1: 572 parameters, trained on the labels by Adam."""

    hyperparameters: ClassVar[type] = MiddleHyperparameters


class DeepAgent(NetworkAgent):
    """Seven hidden layers, 1-5-10-10-10-10-10-5-1: 571 parameters, trained likewise."""

    hyperparameters: ClassVar[type] = DeepHyperparameters
