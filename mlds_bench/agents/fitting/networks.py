"""The course's three networks of equal size: shallow, middle and deep.

Homework 1-1 asks whether depth pays at equal numbers of parameters: 1-190-1 (571), 1-10-18-15-4-1
(572) and 1-5-10-10-10-10-10-5-1 (571), ReLU, mean squared error, Adam, batches of 128. All three
follow one recipe, which differs from the course's in two points: the learning rate follows half a
cosine to zero over the budget, and the hidden units are normalized on the first batch (Salimans and
Kingma 2016). Both help each of the networks. Without the latter, the deep network, whose outer
layers have five units, often starts with half of them dead and stays on a plateau.

The labels come with the observations, so a batch of the environment is 100 minibatches. The action
for each example is the prediction before the network learns from it, so the learning curve is the
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
from mlds_bench.agents.fitting.spaces import clipped, input_dimension
from mlds_bench.agents.numerics.adam import Adam
from mlds_bench.agents.numerics.mlp import (
    SquaredErrorGradient,
    forward,
    initial_parameters,
    normalize_hidden_units,
    parameter_count,
)
from mlds_bench.common.bounds import above, at_least, sizes, whole


@dataclass(frozen=True)
class NetworkHyperparameters:
    """Hyper-parameters of a network.

    Attributes:
        hidden: sizes of the hidden layers.
        learning_rate: initial value, of Adam; it falls to zero over the budget.
        batch_size: examples per update.
        updates_per_step: updates per step of the batch of ``batch_size * updates_per_step``
            instances.
        threshold_spread: standard deviation of the initial thresholds of the hidden units, in those
            of their preactivations; see `normalize_hidden_units`.
    """

    hidden: tuple[int, ...]
    learning_rate: float = 1e-3
    batch_size: int = 128
    updates_per_step: int = 100
    threshold_spread: float = 0.5

    def __post_init__(self) -> None:
        whole(1, batch_size=self.batch_size, updates_per_step=self.updates_per_step)
        sizes(hidden=self.hidden)
        above(0.0, learning_rate=self.learning_rate)
        at_least(0.0, threshold_spread=self.threshold_spread)


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
        """Train for the whole budget, by ``updates_per_step`` updates per step."""
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

    def act(self, obs: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Predictions (N, 1) float64 for x (N, d).

        The network is evaluated in float64, so that it is piecewise linear without the rounding
        errors of its training.
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
                f"has {parameter_count(self.sizes)}: load it with the hidden sizes of then"
            )
        self.parameters, self._is_new = parameters.to(self.device), False

    def _normalize(self, observation: npt.NDArray[np.float64]) -> None:
        """Normalize the hidden units, on the CPU, so that devices agree."""
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
        """Memory of one minibatch per update, (updates_per_step, rows, batch_size)."""
        return self.parameters.new_empty(self.hyper.updates_per_step, rows, self.hyper.batch_size)

    def _fill(self, minibatches: torch.Tensor, values: npt.NDArray[np.float64]) -> None:
        """Copy values (N, k) into minibatches (updates_per_step, k, batch_size)."""
        updates, rows, size = minibatches.shape
        minibatches.copy_(torch.from_numpy(values).view(updates, size, rows).transpose(1, 2))

    def _actions(self, predictions: torch.Tensor) -> npt.NDArray[np.float64]:
        return clipped(self.action_space, predictions.double().cpu().numpy())


class ShallowAgent(NetworkAgent):
    """One hidden layer, 1-190-1: 571 parameters, trained on the labels by Adam."""

    hyperparameters: ClassVar[type] = ShallowHyperparameters


class MiddleAgent(NetworkAgent):
    """Four hidden layers, 1-10-18-15-4-1: 572 parameters, trained on the labels by Adam."""

    hyperparameters: ClassVar[type] = MiddleHyperparameters


class DeepAgent(NetworkAgent):
    """Seven hidden layers, 1-5-10-10-10-10-10-5-1: 571 parameters, trained by Adam too."""

    hyperparameters: ClassVar[type] = DeepHyperparameters
