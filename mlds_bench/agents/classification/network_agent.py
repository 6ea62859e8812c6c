"""What all networks of this room have in common: the loop, the answers, what is saved.

The labels come with the observations, so a batch of the environment is several minibatches. The
action for each image is what the network says before it learns from it, so the learning curve is
the training accuracy. Images without a label are not looked at.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor
from torch.nn import functional

from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.classification.flatness import Sample, measure
from mlds_bench.agents.classification.networks import ImageNetwork, parameter_count
from mlds_bench.agents.classification.notes import write_notes
from mlds_bench.agents.classification.spaces import (
    UNLABELED,
    as_actions,
    as_images,
    class_count,
    image_shape,
)
from mlds_bench.agents.classification.training import History, Trainer, seeded
from mlds_bench.agents.weights import load_weights, save_weights
from mlds_bench.envs.streams import derive

Seen: TypeAlias = tuple[Any, dict[str, Any]]
"""Observations and infos, as reset returns them."""

ANSWERED_AT_ONCE = 1024
"""Images that go through the network at once when it only answers."""


class NetworkAgent(Agent):
    """A network trained on the labels."""

    env_options: ClassVar[Mapping[str, Any]] = {"probabilities": True}

    def prepare(self) -> None:
        """Draw the initial weights."""
        name = type(self).__name__
        self.shape = image_shape(name, self.observation_space)
        self.classes = class_count(name, self.action_space)
        self.num_envs = self.hyper.num_envs(self.shape)
        self.network = self.new_network("network")
        self.history, self.sample = History(), Sample()
        self.updates = 0
        self._is_new = True

    def new_network(self, name: str) -> ImageNetwork:
        """A network with random weights, which depend on the agent's seed and this name."""
        with seeded(derive(self.seed, name), self.device):
            network: ImageNetwork = self.hyper.make_network(self.shape, self.classes)
            return network.to(self.device)

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Train for the whole budget, or ``total_updates``."""
        with seeded(derive(self.seed, "training"), self.device):
            steps = max(budget.env_steps // env.num_envs, 1)
            self.follow(env, env.reset(), self.make_trainer(), steps)

    def follow(
        self, env: VectorEnv[Any, Any, Any], seen: Seen, trainer: Trainer, steps: int
    ) -> Seen:
        """Train for so many steps of the environment, or until the trainer is done.

        Args:
            env: the batch.
            seen: the observations and infos it has shown last.
            trainer: what learns.
            steps: as many as the schedule of the learning rate is for.

        Returns:
            The observations and infos shown last.
        """
        try:
            for step in range(steps):
                observation, infos = seen
                labels = torch.from_numpy(np.asarray(infos["oracle"])).to(self.device)
                images = as_images(observation).to(self.device)
                answers = self.learn_step(trainer, images, labels, step / steps, 1 / steps)
                if trainer.is_done:
                    return seen
                observation, _, _, _, infos = env.step(answers)
                seen = observation, infos
        finally:
            self.updates += trainer.updates
            trainer.module.eval()
        return seen

    def act(self, obs: Any) -> npt.NDArray[Any]:
        """Probabilities (N, K) float32, or classes (N,), for images (N, H, W, C) uint8."""
        network = self.network.eval()
        with torch.inference_mode():
            parts = torch.split(as_images(obs), ANSWERED_AT_ONCE)
            logits = torch.cat([network(part.to(self.device)) for part in parts])
            return as_actions(self.action_space, logits.softmax(1))

    def save(self, folder: Path) -> None:
        """Write the weights, and after learning a plot of it (`write_notes`)."""
        save_weights(self.network, Path(folder) / "network.safetensors")
        write_notes(Path(folder), self.history, self.measures())

    def load(self, folder: Path) -> None:
        """Read the weights that `save` wrote."""
        path = Path(folder) / "network.safetensors"
        load_weights(self.network, path, agent=type(self).__name__)
        self._is_new = False

    def measures(self) -> dict[str, float]:
        """What is measured of the trained network; with ``measures``, flatness too."""
        counts = {
            "parameters": parameter_count(self.network),
            "images_seen": self.history.images_seen,
            "updates": self.updates,
            "training_loss": self.history.final_loss,
        }
        return counts | measure(self.network, self.sample, derive(self.seed, "measures"))

    def make_trainer(self) -> Trainer:
        """What updates the network."""
        return Trainer(self.network, self.hyper, self.objective)

    def objective(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, K) of inputs (n, C, H, W), and the mean cross-entropy by labels (n,)."""
        logits = self.network.logits(inputs)
        return logits, functional.cross_entropy(logits, labels)

    def learn_step(
        self, trainer: Trainer, images: Tensor, labels: Tensor, progress: float, share: float
    ) -> npt.NDArray[Any]:
        """Learn from the labeled images of one step of the environment.

        Args:
            trainer: what learns.
            images: (N, H, W, C) uint8.
            labels: (N,) int64, `UNLABELED` where there is none.
            progress: share of the budget used before.
            share: share of the budget that this step is.

        Returns:
            Actions for all images, each from before the network learned from it; without an
            opinion on those without a label.
        """
        has_label = labels != UNLABELED
        if has_label.all():
            logits = self.train_on(trainer, images, labels, progress, share)
            return as_actions(self.action_space, logits.softmax(1))
        logits = images.new_zeros((len(labels), self.classes), dtype=torch.float32)
        rows = torch.nonzero(has_label)[:, 0]
        said = self.train_on(trainer, images[rows], labels[rows], progress, share)
        if len(said):
            logits[rows[: len(said)]] = said
        return as_actions(self.action_space, logits.softmax(1))

    def train_on(
        self, trainer: Trainer, images: Tensor, labels: Tensor, progress: float, share: float
    ) -> Tensor:
        """Logits (n, K) of images (n, H, W, C), which are then learned from."""
        if self._is_new and len(images):
            self.network.standardize.fit(images)
            self._is_new = False
        inputs = self.network.standardize(images)
        logits = trainer.learn_from(inputs, labels, progress, progress + share)
        if self.hyper.measures:
            self.sample.add(images, labels)
        has_label = labels[: len(logits)] != UNLABELED
        self.history.add(logits[has_label], labels[: len(logits)][has_label])
        return logits
