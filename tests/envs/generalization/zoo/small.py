"""A group of small networks on made-up images, for the tests of this folder."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from mlds_bench.envs.generalization.zoo.grid import FOLDS, Group
from mlds_bench.envs.generalization.zoo.images import CLASSES, DataSet, Part
from mlds_bench.envs.generalization.zoo.networks import Architecture
from mlds_bench.envs.generalization.zoo.training import Trained

PIXELS = 6


def part(size: int, seed: int) -> Part:
    """Random images, whose class is their brightest pixel."""
    generator = np.random.default_rng(seed)
    images = generator.random((size, PIXELS)).astype(np.float32)
    return Part(images, images.argmax(1).astype(np.int64))


def dataset() -> DataSet:
    """64 training images."""
    return DataSet(part(64, 0), part(2 * FOLDS, 1), part(40, 2))


def group(**architecture: object) -> Group:
    """18 networks of one small architecture, with the settings of digits."""
    settings = {
        "width": 8,
        "depth": 2,
        "activation": "tanh",
        "normalization": "layer",
        "batch_size": 16,
    }
    return Group("digits", 0, settings | architecture)


def stack(normalization: str = "layer", networks: int = 3) -> tuple[Trained, Tensor]:
    """Networks that are not trained, with random labels, and their images (20, 6)."""
    generator = torch.Generator().manual_seed(0)
    architecture = Architecture((PIXELS, 7, 5, CLASSES), "tanh", normalization)
    theta = architecture.initial(networks, generator)
    labels = torch.randint(CLASSES, (networks, 20), generator=generator)
    x = torch.rand(20, PIXELS, generator=generator)
    none = torch.zeros(networks)
    return Trained(architecture, theta * 0.5, theta, labels, none, none), x
