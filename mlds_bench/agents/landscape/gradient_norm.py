"""Finds a critical point of any kind: minimizes the loss, then the norm of its gradient.

This is the course's recipe for "when the gradient is almost zero". For a small fraction of the
queries Adam minimizes the loss, and stops before it has arrived; then L-BFGS minimizes
F = |g|^2 / 2, whose gradient H g is a difference of gradients along g,
H g = |g| (g(theta + h g/|g|) - g(theta)) / h, and costs one probe. A step costs three queries if
its first trial is accepted: the probe for H g, the trial and the move. Where H g = 0 but g is not
zero, F has a critical point that the loss does not have, and the search is stuck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlds_bench.agents.landscape.first_order import (
    AdamHyperparameters,
    Stepper,
    check_shares,
)
from mlds_bench.agents.landscape.optimizer import Array, Flags, LandscapeAgent, Rows, Seen, norms
from mlds_bench.agents.landscape.quasi_newton import Descent, LbfgsHyperparameters
from mlds_bench.common.bounds import above

ARRIVED, PROBED, TRIED = range(3)


@dataclass(frozen=True)
class GradientNormHyperparameters:
    """Hyper-parameters of both parts.

    Attributes:
        learning_rate: of Adam, on the loss.
        switch_fraction: fraction of the query budget after which the norm of the gradient is
            minimized.
        probe_distance: distance h of the probes.
    """

    learning_rate: float = 0.01
    switch_fraction: float = 0.05
    probe_distance: float = 1e-5

    def __post_init__(self) -> None:
        above(0.0, learning_rate=self.learning_rate, probe_distance=self.probe_distance)
        check_shares(switch_fraction=self.switch_fraction)


class GradientNormAgent(LandscapeAgent):
    """Adam on the loss, then L-BFGS on half the squared norm of the gradient."""

    name = "gradient-norm"
    hyperparameters: ClassVar[type] = GradientNormHyperparameters

    def prepare(self) -> None:
        """Read the spaces and find the query at which the parts switch."""
        super().prepare()
        self._left_at_switch = (1.0 - self.hyper.switch_fraction) * self.surface.query_budget

    def allocate(self, count: int) -> None:
        """Allocate the memories of both parts."""
        settings = AdamHyperparameters(self.hyper.learning_rate)
        self._adam = Stepper("adam", settings, count, self.dimension)
        self._descent = Descent(LbfgsHyperparameters(), count, self.dimension)
        self._stage = np.full(count, ARRIVED)
        self._gradient = np.zeros((count, self.dimension))

    def clear(self, rows: Flags) -> None:
        """Clear both memories where ``rows`` (N,) is True."""
        self._adam.clear(rows)
        self._descent.clear(rows)
        self._stage[rows] = ARRIVED

    def ask(self, seen: Seen, vectors: Array) -> Flags:
        """Move by Adam, or probe, try and move by L-BFGS."""
        late = seen.queries_left <= self._left_at_switch
        moves: Flags = ~late
        early = np.flatnonzero(moves)
        if len(early):
            vectors[early] = self._adam.step_rows(early, seen.gradient[early])
        arrived, probed, tried = (
            np.flatnonzero(late & (self._stage == stage)) for stage in (ARRIVED, PROBED, TRIED)
        )
        if len(arrived):
            vectors[arrived] = self._probe(arrived, seen.gradient[arrived])
        if len(probed):
            self._aim(probed, seen.gradient[probed])
            vectors[probed] = self._descent.trial(probed)
        if len(tried):
            good = self._descent.judge(tried, half_square(seen.gradient[tried]))
            vectors[tried], moves[tried] = self._descent.trial(tried), good
            self._stage[tried[good]] = ARRIVED
        return moves

    def _probe(self, rows: Rows, gradient: Array) -> Array:
        """Store the gradients at the current points; returns probes along them."""
        self._gradient[rows], self._stage[rows] = gradient, PROBED
        unit = gradient / np.maximum(norms(gradient), 1e-300)[:, None]
        probe: Array = self.hyper.probe_distance * unit
        return probe

    def _aim(self, rows: Rows, probed: Array) -> None:
        """Choose search directions, given the gradients at the probes."""
        here = self._gradient[rows]
        product = norms(here)[:, None] * (probed - here) / self.hyper.probe_distance
        self._descent.arrive(rows, half_square(here), product)
        self._stage[rows] = TRIED


def half_square(gradient: Array) -> Array:
    """F = |g|^2 / 2, (N,)."""
    half: Array = 0.5 * np.einsum("nd,nd->n", gradient, gradient)
    return half
