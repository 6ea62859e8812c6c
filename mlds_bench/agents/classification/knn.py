"""The nearest neighbors among the training images seen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import VectorEnv
from safetensors.torch import load_file, save_file
from torch import Tensor

from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.classification.settings import MOST_BYTES
from mlds_bench.agents.classification.spaces import (
    UNLABELED,
    as_actions,
    as_images,
    class_count,
    image_shape,
)
from mlds_bench.common.bounds import whole

DISTANCES_AT_ONCE = 2**25
"""Distances in memory at a time, float32: products of fewer rows are slower."""
SEEN_AT_ONCE = 1024
TIE = 1e-3
"""What the nearest neighbor's vote weighs more than the farthest's, times k: it decides ties."""


@dataclass(frozen=True)
class KnnHyperparameters:
    """Hyper-parameters of `KnnAgent`.

    Attributes:
        k: neighbors that vote.
    """

    k: int = 3

    def __post_init__(self) -> None:
        whole(1, k=self.k)


class KnnAgent(Agent):
    """Votes of the k nearest training images, by Euclidean distance between pixels.

    It keeps every distinct labeled image that it is shown. Training images are drawn with
    replacement, so a budget of n images out of n shows it about 63 % of them, one of 5 n more than
    99 %. Probabilities are shares of the votes; of equal shares that of nearer neighbors comes
    first.
    """

    env_options: ClassVar[Mapping[str, Any]] = {"probabilities": True}
    hyperparameters: ClassVar[type] = KnnHyperparameters
    hyper: KnnHyperparameters

    def prepare(self) -> None:
        """Start with no image."""
        name = type(self).__name__
        self.shape = image_shape(name, self.observation_space)
        self.classes = class_count(name, self.action_space)
        pixels = int(np.prod(self.shape))
        self.num_envs = min(SEEN_AT_ONCE, max(MOST_BYTES // pixels, 1))
        self._known: dict[bytes, int] = {}
        self._keep(np.zeros((0, pixels), np.uint8), np.zeros(0, np.int64))

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:  # noqa: ARG002
        """Keep the images shown, each once, until the budget is spent.

        The answers on the way have no opinion: to search for neighbors while they are gathered
        would cost more than all the rest.
        """
        answers = as_actions(self.action_space, self._undecided(env.num_envs))
        try:
            observation, infos = env.reset()
            while True:
                self._note(observation, np.asarray(infos["oracle"]))
                observation, _, _, _, infos = env.step(answers)
        finally:
            self._keep_known()

    def act(self, obs: Any) -> npt.NDArray[Any]:
        """Shares of the votes (N, K) float32, or classes (N,), for images (N, H, W, C) uint8."""
        images = as_images(obs).flatten(1)
        if not len(self._labels):
            return as_actions(self.action_space, self._undecided(len(images)))
        rows = max(DISTANCES_AT_ONCE // len(self._labels), 1)
        with torch.inference_mode():
            votes = torch.cat([self._votes(part) for part in torch.split(images, rows)])
        return as_actions(self.action_space, votes)

    def save(self, folder: Path) -> None:
        """Write the images and their labels."""
        kept = {"images": self._images, "labels": self._labels}
        save_file(kept, Path(folder) / "neighbors.safetensors")

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        kept = load_file(Path(folder) / "neighbors.safetensors")
        self._keep(kept["images"].numpy(), kept["labels"].numpy())

    def _note(self, observation: Any, labels: npt.NDArray[Any]) -> None:
        images = np.ascontiguousarray(observation)
        for index in np.flatnonzero(labels != UNLABELED):
            self._known.setdefault(images[index].tobytes(), int(labels[index]))

    def _keep_known(self) -> None:
        images = np.frombuffer(b"".join(self._known), np.uint8).reshape(len(self._known), -1)
        labels = np.fromiter(self._known.values(), np.int64, len(self._known))
        self._keep(images.reshape(len(labels), int(np.prod(self.shape))), labels)

    def _keep(self, images: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> None:
        """Images (n, pixels) and labels (n,), and what distances to them take."""
        self._images, self._labels = torch.tensor(images), torch.tensor(labels)
        self._pixels = self._images.to(self.device, torch.float32)
        self._squares = self._pixels.square().sum(1)
        self._targets = self._labels.to(self.device)

    def _undecided(self, count: int) -> Tensor:
        return torch.full((count, self.classes), 1.0 / self.classes)

    def _votes(self, images: Tensor) -> Tensor:
        """Shares of the votes (n, K) for images (n, pixels) uint8."""
        pixels = images.to(self.device, torch.float32)
        distances = torch.addmm(self._squares, pixels, self._pixels.T, alpha=-2.0)
        count = min(self.hyper.k, len(self._targets))
        nearest = self._targets[distances.topk(count, largest=False).indices]
        votes = torch.nn.functional.one_hot(nearest, self.classes).to(torch.float32)
        weights = torch.linspace(1.0 + TIE / count, 1.0, count, device=self.device)
        return (weights / weights.sum()) @ votes
