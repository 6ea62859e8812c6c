"""What every problem is: a loss of one point, and the same with its gradient for a batch."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor

from mlds_bench.envs.landscape.specs import ProblemSpec
from mlds_bench.envs.streams import Indices, Streams
from mlds_bench.measures.points import Array, Block, Hessians


class Problem(ABC):
    """A loss on R^d, in float64.

    Attributes:
        spec: its entry in `mlds_bench.envs.landscape.specs.PROBLEMS`.
        dimension: d.
        bottom: the loss that counts as the end of all descent: the global minimum, or, where there
            is none, a level below the saddle; in units of the loss.
        hessians: the closed form of the Hessian, where the problem knows one.
        blocks: of networks, in order; empty elsewhere.
        neurons: equal parts of a point, one after the other, each of which must come to rest; 1
            where the point has none.

    Args:
        spec: see above.
        dimension: see above.
        spread: of the starting points, () or (d,): standard deviations, or, where the spec says
            ``fan-in``, bounds of uniform coordinates; the spec's own unless given.
    """

    hessians: Hessians | None = None
    blocks: tuple[Block, ...] = ()
    neurons: int = 1

    def __init__(
        self, spec: ProblemSpec, dimension: int, spread: float | Array | None = None
    ) -> None:
        self.spec = spec
        self.name, self.bottom = spec.name, spec.bottom
        self.dimension = dimension
        self._spread = spec.spread if spread is None else spread

    @abstractmethod
    def loss(self, theta: Tensor) -> Tensor:
        """The loss () of one point (d,) float64; pure, for `torch.func`."""

    def start(self, streams: Streams, ids: Indices) -> Array:
        """Starting points (len(ids), d), each from the stream of its instance."""
        if self.spec.start == "fan-in":
            return (2.0 * streams.uniform(ids, self.dimension) - 1.0) * self._spread
        return streams.normal(ids, self.dimension) * self._spread

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """Losses (N,) and gradients (N, d) of a batch of points (N, d).

        This is the generic way, for every problem; all that come with this room write it by hand,
        many times as fast, and are tested against it.
        """
        points = theta.detach().requires_grad_()
        with torch.enable_grad():
            loss = torch.func.vmap(self.loss)(points)
        (gradient,) = torch.autograd.grad(loss.sum(), points)
        return loss.detach(), gradient
