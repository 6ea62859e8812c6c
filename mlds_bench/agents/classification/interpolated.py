"""Between two solutions: weights (1 - alpha) theta_1 + alpha theta_2 (homework 1-3).

Two networks are trained one after the other, each on half of the budget, with different batch sizes
and learning rates. What lies between and beyond them tells how flat the valleys are in which they
ended (Goodfellow et al. 2015; Keskar et al. 2017, figure 3).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from gymnasium.vector import VectorEnv

from mlds_bench.agents.budget import Budget
from mlds_bench.agents.classification.network_agent import NetworkAgent
from mlds_bench.agents.classification.networks import ImageNetwork
from mlds_bench.agents.classification.notes import write_notes
from mlds_bench.agents.classification.settings import (
    NETWORKS,
    LayerHyperparameters,
    network_of,
)
from mlds_bench.agents.classification.spaces import Shape
from mlds_bench.agents.classification.training import Trainer, seeded
from mlds_bench.agents.weights import load_weights, save_weights
from mlds_bench.common.bounds import above, sizes
from mlds_bench.common.checks import finite_number, one_of
from mlds_bench.envs.streams import derive

ENDS = ("network-1.safetensors", "network-2.safetensors")
LARGEST_ALPHA = 1e3
NORMALIZATIONS = ("none", "layer", "instance", "weight")
"""Statistics of batches are no weights: between two networks they would have to be taken anew."""


@dataclass(frozen=True)
class InterpolatedHyperparameters:
    """Hyper-parameters of `InterpolatedAgent`.

    Attributes:
        alpha: place on the line through the two solutions: 0 the first, 1 the second, any number.
        batch_sizes: of the two trainings.
        learning_rates: of the two trainings, initially.
        network: mlp, cnn-shallow, cnn-middle or cnn-deep, as these agents have it by default.
        optimizer, weight_decay, anneal_lr, normalization, activation, dropout, skip, measures: of
            both; see `LayerHyperparameters`.
    """

    alpha: float = 0.5
    batch_sizes: tuple[int, ...] = (64, 1024)
    learning_rates: tuple[float, ...] = (1e-3, 1e-2)
    network: str = "mlp"
    optimizer: str = "adam"
    weight_decay: float = 0.0
    anneal_lr: bool = True
    normalization: str = "none"
    activation: str = "relu"
    dropout: float = 0.0
    skip: str = "none"
    measures: bool = False

    def __post_init__(self) -> None:
        finite_number("alpha", self.alpha, -LARGEST_ALPHA, LARGEST_ALPHA)
        sizes(batch_sizes=self.batch_sizes)
        if not len(self.batch_sizes) == len(self.learning_rates) == 2:
            raise ValueError(
                "batch_sizes and learning_rates need two numbers each, one per training, for "
                f"example [64,1024] and [0.001,0.01], got {self.batch_sizes} and "
                f"{self.learning_rates}"
            )
        for rate in self.learning_rates:
            above(0.0, learning_rates=rate)
        one_of("network", self.network, [*NETWORKS])
        one_of("normalization", self.normalization, NORMALIZATIONS)
        self.trainings()

    def trainings(self) -> tuple[LayerHyperparameters, LayerHyperparameters]:
        """The settings of the two trainings."""
        common = network_of(self.network, self)
        first, second = (
            replace(common, batch_size=size, learning_rate=rate)
            for size, rate in zip(self.batch_sizes, self.learning_rates, strict=True)
        )
        return first, second

    def make_network(self, shape: Shape, classes: int) -> ImageNetwork:
        """One network of the kind that both trainings have."""
        return self.trainings()[0].make_network(shape, classes)

    def num_envs(self, shape: Shape) -> int:
        """Instances of the batch: as many as the more demanding training asks for."""
        return max(training.num_envs(shape) for training in self.trainings())


class InterpolatedAgent(NetworkAgent):
    """A point on the line through the weights of two networks trained in different ways."""

    hyperparameters: ClassVar[type] = InterpolatedHyperparameters
    hyper: InterpolatedHyperparameters

    def prepare(self) -> None:
        """Draw the initial weights of both networks."""
        super().prepare()
        self.ends = (self.network, self.new_network("second network"))
        self.mix()

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Train one network after the other, each on half of the budget."""
        steps = max(budget.env_steps // env.num_envs, 2)
        shares = (steps - steps // 2, steps // 2)
        try:
            with seeded(derive(self.seed, "training"), self.device):
                seen = env.reset()
                for network, hyper, share in zip(
                    self.ends, self.hyper.trainings(), shares, strict=True
                ):
                    network.standardize.load_state_dict(self.network.standardize.state_dict())
                    self.network = network
                    seen = self.follow(env, seen, Trainer(network, hyper, self.objective), share)
        finally:
            self.mix()

    def save(self, folder: Path) -> None:
        """Write the weights of both networks, and what a network leaves beside them."""
        for network, name in zip(self.ends, ENDS, strict=True):
            save_weights(network, Path(folder) / name)
        write_notes(Path(folder), self.history, self.measures())

    def load(self, folder: Path) -> None:
        """Read the weights of both networks; they are mixed by today's ``alpha``."""
        for network, name in zip(self.ends, ENDS, strict=True):
            load_weights(network, Path(folder) / name, agent=type(self).__name__)
        self._is_new = False
        self.mix()

    def mix(self) -> None:
        """Act with (1 - alpha) theta_1 + alpha theta_2 from now on."""
        first, second = (end.state_dict() for end in self.ends)
        mixed = {
            name: torch.lerp(value, second[name], self.hyper.alpha) for name, value in first.items()
        }
        self.network = self.new_network("network")
        self.network.load_state_dict(mixed)
