"""The fixed data of the networks, and the checksum of what an environment is made of."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import sha256
from types import MappingProxyType
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.common.data.digits import load_digits
from mlds_bench.envs.landscape.specs import STARTS, Parameter, Settings

Array: TypeAlias = npt.NDArray[np.float64]

DECIMALS = 6
"""Data are hashed to this many decimals: libraries differ in the last bits of a sine."""


@dataclass(frozen=True)
class Dataset:
    """What a network is trained on.

    Attributes:
        inputs: (points, inputs) float64.
        targets: (points, outputs) float64.
    """

    inputs: Array
    targets: Array


def xor() -> Dataset:
    """The four corners of the unit square, -1 where the coordinates are equal, else 1."""
    corners = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    return Dataset(corners, np.array([[-1.0], [1.0], [1.0], [-1.0]]))


def jellyfish() -> Dataset:
    """Two points of each class, placed so that local minima abound."""
    points = np.array([[1.0, 0.0], [0.2, 0.6], [0.0, 1.0], [0.6, 0.2]])
    return Dataset(points, np.array([[1.0], [1.0], [-1.0], [-1.0]]))


def dead_relu() -> Dataset:
    """Five points that one ReLU neuron fits badly wherever it is inactive on the last two."""
    inputs, targets = np.array([[5.0, 2.0], [4.0, 1.0], [3.0, 0.0], [1.0, -3.0], [-1.0, 3.0]]).T
    return Dataset(inputs[:, None], targets[:, None])


def sinc(points: int) -> Dataset:
    """sin(5 pi x) / (5 pi x) at the middles of ``points`` equal parts of (0, 1]."""
    x = (np.arange(points) + 0.5)[:, None] / points
    return Dataset(x, np.sinc(5.0 * x))


def digits(points: int) -> Dataset:
    """The first ``points`` handwritten digits of scikit-learn, as 4 x 4 pixels in [0, 1], one-hot.

    Each pixel is the mean of 2 x 2 of the original 8 x 8 (Alpaydin and Kaynak 1998, UCI).
    """
    images, labels = load_digits()
    small = images[:points].reshape(-1, 4, 2, 4, 2).mean(axis=(2, 4)) / 16.0
    return Dataset(small.reshape(-1, 16), np.eye(10)[labels[:points]])


DATASETS: Mapping[str, Callable[..., Dataset]] = MappingProxyType(
    {"xor": xor, "jellyfish": jellyfish, "dead-relu": dead_relu, "sinc": sinc, "digits": digits}
)
"""Problem name -> its data; those that take ``points`` are called with it."""


def make_dataset(problem: str, parameters: Mapping[str, Parameter]) -> Dataset:
    """The data of a network problem with these parameters."""
    takes = {"points": parameters["points"]} if "points" in parameters else {}
    return DATASETS[problem](**takes)


def checksum(settings: Settings) -> str:
    """sha256 of the problem that an environment with these settings is made of.

    The query budget, the objective, the threshold and whether the gradient is shown change how it
    is played, not what it is.
    """
    spec, parameters = settings.spec, settings.parameters
    start = f"{STARTS[spec.start]} {spec.spread!r} {settings.start_scale!r}"
    text = f"{spec.formula} | {start} | {sorted(parameters.items())}"
    digest = sha256(text.encode())
    if spec.name in DATASETS:
        data = make_dataset(spec.name, parameters)
        values = np.column_stack([data.inputs, data.targets])
        digest.update(np.rint(values * 10.0**DECIMALS).astype("<i8").tobytes())
    return digest.hexdigest()
