"""What all optimizers of this room share: observations in, actions out, state per instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar, TypeAlias

import numpy as np
import numpy.typing as npt

from mlds_bench.agents.base import Agent, Unsupported
from mlds_bench.agents.landscape.spaces import find_surface

Array: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]
Rows: TypeAlias = npt.NDArray[np.intp]


@dataclass(frozen=True)
class Seen:
    """A batch of observations: loss and gradient at the points that were queried last.

    Attributes:
        loss: (N,).
        gradient: (N, d); (N, 0) where it is hidden.
        queries_left: (N,).
    """

    loss: Array
    gradient: Array
    queries_left: Array


class LandscapeAgent(Agent):
    """Base of the optimizers.

    A subclass chooses its next queries in `ask` and keeps its state in arrays with one row per
    instance, made in `allocate` and cleared in `clear`. It needs no training.
    """

    name: ClassVar[str]
    """Its name in the registry."""
    needs_gradient: ClassVar[bool] = True

    def prepare(self) -> None:
        """Read the spaces.

        Raises:
            Unsupported: if they are not those of a loss landscape.
        """
        self.surface = find_surface(
            self.name,
            self.observation_space,
            self.action_space,
            needs_gradient=self.needs_gradient,
        )
        self.dimension = self.surface.dimension
        self._count = 0

    def allocate(self, count: int) -> None:
        """Allocate the state of ``count`` instances, all at the start of an episode."""

    def clear(self, rows: Flags) -> None:
        """Reset the state to the start of an episode where ``rows`` (N,) is True."""

    def ask(self, seen: Seen, vectors: Array) -> Flags | bool:
        """Write the next ``vectors`` (N, d); returns which instances move, the others probe."""
        raise NotImplementedError

    def act(self, obs: Mapping[str, Array]) -> Array:
        """Actions (N, d + 1) float64 for observations of N instances, any N."""
        loss = obs["loss"][:, 0]
        if len(loss) != self._count:
            self._count = len(loss)
            self.allocate(self._count)
        gradient = obs["gradient"] if self.needs_gradient else np.empty((self._count, 0))
        vectors = np.empty((self._count, self.dimension))
        moves = self.ask(Seen(loss, gradient, obs["queries_left"][:, 0]), vectors)
        actions = np.empty((self._count, self.dimension + 1))
        np.clip(vectors, -self.surface.bound, self.surface.bound, out=actions[:, :-1])
        actions[:, -1] = np.where(moves, 1.0, -1.0)
        return actions

    def reset(self, done: npt.NDArray[np.bool_]) -> None:
        """Start anew where ``done`` (N,) is True."""
        if len(done) == self._count and done.any():
            self.clear(done)

    def require_queries(self, queries: int) -> None:
        """Raise `Unsupported` if the query budget does not allow a single move."""
        if self.surface.query_budget < queries:
            raise Unsupported(
                f"{self.name} needs {queries} queries for a move in {self.dimension} dimensions, "
                f"the budget is {self.surface.query_budget:.0f}: choose a smaller problem"
            )


def norms(vectors: Array) -> Array:
    """Euclidean norms (N,) of vectors (N, d)."""
    length: Array = np.sqrt(np.einsum("nd,nd->n", vectors, vectors))
    return length
