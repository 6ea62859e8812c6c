"""To a critical point, of whatever kind: first down the loss, then down the norm of its gradient.

The course's recipe for "when the gradient is almost zero". For a share of the queries Adam lowers
the loss; then L-BFGS lowers F = |g|^2 / 2, whose gradient H g is a difference of gradients along g:
H g = |g| (g(theta + h g/|g|) - g(theta)) / h, one probe. A step then costs three queries if its
first trial is good: the probe for H g, the trial and the move. Where H g = 0 but g is not, F has a
critical point that the loss has not, and the search is stuck.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import numpy as np

from mlds_bench.agents.landscape.first_order import (
    AdamHyperparameters,
    Stepper,
    check_positive,
    check_shares,
)
from mlds_bench.agents.landscape.optimizer import Array, Flags, LandscapeAgent, Rows, Seen, norms
from mlds_bench.agents.landscape.quasi_newton import Descent, LbfgsHyperparameters

ARRIVED, PROBED, TRIED = range(3)


@dataclass(frozen=True)
class GradientNormHyperparameters:
    """Settings of the two parts.

    Attributes:
        learning_rate: Adam's, on the loss.
        switch: share of the queries after which the norm of the gradient is what counts.
        probe: distance h of the probes.
    """

    learning_rate: float = 0.01
    switch: float = 0.5
    probe: float = 1e-5

    def __post_init__(self) -> None:
        check_positive(learning_rate=self.learning_rate, probe=self.probe)
        check_shares(switch=self.switch)


class GradientNormAgent(LandscapeAgent):
    """Adam on the loss, then L-BFGS on half the squared norm of the gradient."""

    name = "gradient-norm"
    hyperparameters: ClassVar[type] = GradientNormHyperparameters

    def prepare(self) -> None:
        """Find the query of the switch."""
        super().prepare()
        self._left_at_switch = (1.0 - self.hyper.switch) * self.surface.query_budget

    def allocate(self, count: int) -> None:
        """Make the memories of both parts."""
        settings = AdamHyperparameters(self.hyper.learning_rate)
        self._adam = Stepper("adam", settings, count, self.dimension)
        self._descent = Descent(LbfgsHyperparameters(), count, self.dimension)
        self._stage = np.full(count, ARRIVED)
        self._gradient = np.zeros((count, self.dimension))

    def clear(self, rows: Flags) -> None:
        """Forget where ``rows`` is True."""
        self._adam.clear(rows)
        self._descent.clear(rows)
        self._stage[rows] = ARRIVED

    def ask(self, seen: Seen, vectors: Array) -> Flags:
        """Move by Adam, or by what became of probes and trials."""
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
        """Keep the gradients of the current points, and look along them."""
        self._gradient[rows], self._stage[rows] = gradient, PROBED
        unit = gradient / np.maximum(norms(gradient), 1e-300)[:, None]
        probe: Array = self.hyper.probe * unit
        return probe

    def _aim(self, rows: Rows, probed: Array) -> None:
        """Choose directions, given the gradients at the probes."""
        here = self._gradient[rows]
        product = norms(here)[:, None] * (probed - here) / self.hyper.probe
        self._descent.arrive(rows, half_square(here), product)
        self._stage[rows] = TRIED


def half_square(gradient: Array) -> Array:
    """F = |g|^2 / 2, (N,)."""
    half: Array = 0.5 * np.einsum("nd,nd->n", gradient, gradient)
    return half
