"""A deep network without training: x^2 by sawteeth, and from it products, powers, polynomials.

Let g be the tooth g(x) = 2 x - 4 relu(x - 1/2) on [0, 1], and g_s its s-fold composition, a
sawtooth of 2^(s-1) teeth (Telgarsky 2016, "Benefits of depth in neural networks"). Then

    x - sum_{s=1}^m g_s(x) / 4^s

interpolates x^2 at multiples of 2^-m (Yarotsky 2017, "Error bounds for approximations with deep
ReLU networks"), the construction of the course's lectures. It lies above x^2 by t (h - t) at
distance t from a knot, h = 2^-m; subtracting the mean h^2/6 gives the best approximation by 2^m
linear pieces, with RMSE sqrt(1/180) / 4^m and 3m - 1 units. A layer carries g_s, g_s - 1/2 and the
partial sum, all of them non-negative, so that no skip connection is needed.

Products come from the square of the mean, which stays in [0, 1]:
x1 x2 = 2 ((x1 + x2) / 2)^2 - x1^2 / 2 - x2^2 / 2. Powers come from squaring and multiplying, and
polynomials from one power after the other, with the partial sum carried along.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from safetensors.numpy import load_file, save_file

from mlds_bench.agents.base import Agent, Unsupported
from mlds_bench.agents.fitting.relu_networks import (
    ReluNetwork,
    affine,
    carry,
    compose,
    parallel,
)
from mlds_bench.agents.fitting.spaces import clipped, input_dimension

MAXIMUM_LAYERS = 24
"""4^-24 is below the rounding error of a float64."""
MAXIMUM_DEGREE = 64


@dataclass(frozen=True)
class SawtoothHyperparameters:
    """Hyper-parameters of the construction.

    Attributes:
        target: ``square``, ``product``, ``power``, ``polynomial``, or ``auto``, which is ``square``
            of one variable and ``product`` of two: the environment does not reveal its function.
        layers: sawtooth layers m per square.
        degree: degree of ``power``.
        coefficients: coefficients c0, c1, ... of ``polynomial``.
    """

    target: str = "auto"
    layers: int = 10
    degree: int = 2
    coefficients: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        known = ("auto", *CONSTRUCTIONS)
        if self.target not in known:
            raise ValueError(f"target must be one of {', '.join(known)}, got {self.target!r}")
        if not 1 <= self.layers <= MAXIMUM_LAYERS:
            raise ValueError(f"layers must be in 1..{MAXIMUM_LAYERS}, got {self.layers}")
        if not 1 <= self.degree <= MAXIMUM_DEGREE:
            raise ValueError(f"degree must be in 1..{MAXIMUM_DEGREE}, got {self.degree}")
        if (self.target == "polynomial") != bool(self.coefficients):
            raise ValueError(
                "coefficients (c0, c1, ...) go with target='polynomial', and only there"
            )
        if not np.isfinite(self.coefficients).all():
            raise ValueError(f"coefficients must be finite, got {self.coefficients}")


def square(layers: int) -> ReluNetwork:
    """x^2 on [0, 1] with RMSE sqrt(1/180) / 4^layers, from 3 layers - 1 units."""
    maps = [(np.ones((2, 1)), np.array([0.0, -0.5]))]
    running = np.array([1.0, 0.0])  # x, which the first tooth carries too
    for s in range(1, layers + 1):
        tooth = np.array([2.0, -4.0, 0.0])[: len(running)]
        running = running - tooth / 4.0**s
        if s < layers:
            maps.append((np.stack([tooth, tooth, running]), np.array([0.0, -0.5, 0.0])))
            running = np.array([0.0, 0.0, 1.0])
    maps.append((running[None], np.array([-1.0 / (6.0 * 4.0**layers)])))
    return ReluNetwork(tuple(maps))


def product(layers: int) -> ReluNetwork:
    """x1 x2 on [0, 1]^2 from 3 (3 layers - 1) units."""
    mean_and_both = affine([[0.5, 0.5], [1.0, 0.0], [0.0, 1.0]], np.zeros(3))
    squares = parallel(*[square(layers)] * 3)
    return compose(affine([[2.0, -0.5, -0.5]], [0.0]), compose(squares, mean_and_both))


def power(degree: int, layers: int) -> ReluNetwork:
    """x^degree on [0, 1] by squaring and multiplying, about log2(degree) squares deep."""
    if degree == 1:
        return affine([[1.0]], [0.0])
    if degree % 2 == 0:
        return compose(square(layers), power(degree // 2, layers))
    rest = power(degree - 1, layers)
    both = compose(parallel(carry(1, rest.depth), rest), affine([[1.0], [1.0]], np.zeros(2)))
    return compose(product(layers), both)


def polynomial(coefficients: tuple[float, ...], layers: int) -> ReluNetwork:
    """sum_k coefficients[k] x^k on [0, 1], one power after the other.

    The state between two powers is (x, x^k, partial sum + offset), all of it non-negative.
    """
    c = np.trim_zeros(np.array([*coefficients, 0.0, 0.0]), "b")
    c = np.concatenate([c, np.zeros(max(2 - len(c), 0))])
    offset = 2.0 * float(np.abs(c).sum())
    network = affine([[1.0], [1.0], [c[1]]], [0.0, 0.0, c[0] + offset])
    for k in range(2, len(c)):
        first = affine([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 0.0, 1.0]], np.zeros(3))
        times = affine([[1, 0, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]], np.zeros(4))
        power_of_x, inputs = (square(layers), first) if k == 2 else (product(layers), times)
        step = compose(parallel(power_of_x, carry(2, layers)), inputs)
        add = affine([[0.0, 1.0, 0.0], [1.0, 0.0, 0.0], [c[k], 0.0, 1.0]], np.zeros(3))
        network = compose(compose(add, step), network)
    return compose(affine([[0.0, 0.0, 1.0]], [-offset]), network)


CONSTRUCTIONS: Mapping[str, Callable[[SawtoothHyperparameters], ReluNetwork]] = MappingProxyType(
    {
        "square": lambda hyper: square(hyper.layers),
        "product": lambda hyper: product(hyper.layers),
        "power": lambda hyper: power(hyper.degree, hyper.layers),
        "polynomial": lambda hyper: polynomial(hyper.coefficients, hyper.layers),
    }
)


class SawtoothAgent(Agent):
    """The deep network that theory constructs for x^2, products and powers, without training."""

    hyperparameters: ClassVar[type] = SawtoothHyperparameters

    def prepare(self) -> None:
        """Construct the network for the target."""
        dimension = input_dimension(type(self).__name__, self.observation_space, self.action_space)
        name = self.hyper.target
        if name == "auto":
            name = "square" if dimension == 1 else "product"
        if dimension != (wanted := 2 if name == "product" else 1):
            raise Unsupported(
                f"sawtooth builds {name} of {wanted} variable(s), the environment has {dimension}"
            )
        self.network = CONSTRUCTIONS[name](self.hyper)

    def act(self, obs: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Values (N, 1) float64 for x (N, d)."""
        return clipped(self.action_space, self.network(np.asarray(obs, dtype=np.float64)))

    def save(self, folder: Path) -> None:
        """Write the weights to ``network.safetensors``."""
        tensors: dict[str, npt.NDArray[Any]] = {}
        for k, (weights, bias) in enumerate(self.network.layers):
            tensors |= {f"{k}.weight": weights, f"{k}.bias": bias}
        save_file(tensors, Path(folder) / "network.safetensors")

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        tensors = load_file(Path(folder) / "network.safetensors")
        layers = range(len(tensors) // 2)
        self.network = ReluNetwork(
            tuple((tensors[f"{k}.weight"], tensors[f"{k}.bias"]) for k in layers)
        )
