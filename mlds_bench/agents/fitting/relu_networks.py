"""ReLU networks with given weights, and the algebra to build large ones from small ones.

A composition merges the affine map at the end of one network with that at the start of the next, so
that it needs no extra units (the calculus of Petersen and Voigtlaender 2018, "Optimal
approximation of piecewise smooth functions using deep ReLU neural networks").
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
from scipy.linalg import block_diag

Array: TypeAlias = npt.NDArray[np.float64]


@dataclass(frozen=True)
class ReluNetwork:
    """Affine maps with ReLUs between them, evaluated in float64.

    Attributes:
        layers: weights (outputs, inputs) and bias (outputs,) of each map.
    """

    layers: tuple[tuple[Array, Array], ...]

    @property
    def units(self) -> int:
        """Number of ReLU units."""
        return sum(len(bias) for _, bias in self.layers[:-1])

    @property
    def depth(self) -> int:
        """Number of ReLU layers."""
        return len(self.layers) - 1

    def __call__(self, x: Array) -> Array:
        """Outputs (n, k) for inputs (n, d)."""
        values = x
        for weights, bias in self.layers[:-1]:
            values = np.maximum(values @ weights.T + bias, 0.0)
        weights, bias = self.layers[-1]
        outputs: Array = values @ weights.T + bias
        return outputs


def affine(weights: npt.ArrayLike, bias: npt.ArrayLike) -> ReluNetwork:
    """The network x -> weights x + bias, without hidden units."""
    return ReluNetwork(((np.array(weights, dtype=float), np.array(bias, dtype=float)),))


def compose(outer: ReluNetwork, inner: ReluNetwork) -> ReluNetwork:
    """The network x -> outer(inner(x)), with the units of both and no more."""
    (weights, bias), (last_weights, last_bias) = outer.layers[0], inner.layers[-1]
    glued = (weights @ last_weights, weights @ last_bias + bias)
    return ReluNetwork((*inner.layers[:-1], glued, *outer.layers[1:]))


def parallel(*networks: ReluNetwork) -> ReluNetwork:
    """Networks of equal depth side by side: inputs and outputs concatenated."""
    merged = [
        (block_diag(*(weights for weights, _ in maps)), np.concatenate([bias for _, bias in maps]))
        for maps in zip(*(network.layers for network in networks), strict=True)
    ]
    return ReluNetwork(tuple(merged))


def carry(width: int, depth: int) -> ReluNetwork:
    """Passes ``width`` non-negative numbers through ``depth`` layers, one unit each."""
    return ReluNetwork(((np.eye(width), np.zeros(width)),) * (depth + 1))
