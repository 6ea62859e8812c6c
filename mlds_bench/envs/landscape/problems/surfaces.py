"""Loss surfaces in closed form: the lecture's critical points, and deep linear networks."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import TypeAlias

import torch
from torch import Tensor

from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.specs import ProblemSpec

PlaneFunction: TypeAlias = Callable[[Tensor, Tensor], Tensor]
PlaneGradient: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]

SURFACES: Mapping[str, tuple[PlaneFunction, PlaneGradient]] = MappingProxyType(
    {
        "quadratic": (lambda x, y: x * x + 3.0 * y * y, lambda x, y: (2.0 * x, 6.0 * y)),
        "saddle": (lambda x, y: 3.0 * y * y - x * x, lambda x, y: (-2.0 * x, 6.0 * y)),
        "degenerate-minimum": (lambda x, y: x * x + y**4, lambda x, y: (2.0 * x, 4.0 * y**3)),
        "degenerate-saddle": (lambda x, y: x * x - y**4, lambda x, y: (2.0 * x, -4.0 * y**3)),
        "monkey-saddle": (
            lambda x, y: x**3 - 3.0 * x * y * y,
            lambda x, y: (3.0 * (x * x - y * y), -6.0 * x * y),
        ),
    }
)
"""Name -> f(x, y) and its two derivatives; all have a critical point at the origin."""


class Surface(Problem):
    """A function of the plane, d = 2."""

    def __init__(self, spec: ProblemSpec) -> None:
        super().__init__(spec, 2)

    def loss(self, theta: Tensor) -> Tensor:
        """Value () of one point (2,)."""
        function, _ = SURFACES[self.name]
        return function(theta[0], theta[1])

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Values (N,) and gradients (N, 2)."""
        function, derivatives = SURFACES[self.name]
        x, y = theta.unbind(-1)
        return function(x, y), torch.stack(derivatives(x, y), -1)


class DeepLinear(Problem):
    """(1 - w1 w2 ... wK)^2: a linear network of one neuron per layer on one example; d = K.

    All its minima are global. The origin is a saddle; for K >= 3 its Hessian there is zero, so that
    no eigenvalue is negative (Kawaguchi 2016, "Deep learning without poor local minima").
    """

    def loss(self, theta: Tensor) -> Tensor:
        """Loss () of one point (K,)."""
        return (1.0 - theta.prod()).square()

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Losses (N,) and gradients (N, K); weights of zero are no obstacle."""
        others = torch.ones_like(theta)
        others[:, 1:] = theta[:, :-1].cumprod(-1)
        others[:, :-1] *= theta[:, 1:].flip(-1).cumprod(-1).flip(-1)
        error = 1.0 - others[:, 0] * theta[:, 0]
        return error.square(), others.mul_(-2.0 * error[:, None])
