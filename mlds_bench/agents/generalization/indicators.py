"""Choices by one indicator: reveal one probe of every network, then choose in its order."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from mlds_bench.agents.base import Agent
from mlds_bench.agents.generalization.spaces import Observation, Whole, selection


class IndicatorAgent(Agent):
    """Reveals a probe of all networks, then chooses the best by it, and so on down to the worst.

    It learns nothing: whether a high value is good or bad is the claim of the literature.
    """

    probe: ClassVar[str]
    high_is_good: ClassVar[bool]

    def prepare(self) -> None:
        """Find the probe in the spaces."""
        name = type(self).__name__
        self._selection = selection(name, self.observation_space, self.action_space)
        self._column = self._selection.index(self.probe)

    def act(self, obs: Any) -> Whole:
        """Actions (N,): the first network whose probe is hidden, else the best not chosen yet."""
        seen: Observation = obs
        hidden = seen["revealed"][:, :, self._column] == 0.0
        value = seen[self.probe] if self.high_is_good else -seen[self.probe]
        best = np.where(seen["placed"] > 0.0, -np.inf, value).argmax(1)
        reveal = self._selection.revealing(hidden.argmax(1), self._column)
        actions: Whole = np.where(hidden.any(1), reveal, self._selection.choosing(best))
        return actions


class FewestParameters(IndicatorAgent):
    """The smallest network, as the counting of parameters in classical theory would have it."""

    probe, high_is_good = "parameter_count", False


class Flattest(IndicatorAgent):
    """The widest minimum along random directions (Hochreiter and Schmidhuber 1997)."""

    probe, high_is_good = "flatness", True


class LeastSharp(IndicatorAgent):
    """The smallest sharpness (Keskar et al. 2017)."""

    probe, high_is_good = "sharpness", False


class LeastSensitive(IndicatorAgent):
    """The smallest Jacobian of the class probabilities (Novak et al. 2018)."""

    probe, high_is_good = "sensitivity", False


class LargestMargin(IndicatorAgent):
    """The largest distance to the decision boundary (Elsayed et al. 2018)."""

    probe, high_is_good = "margin", True


class FastestTrained(IndicatorAgent):
    """The fewest epochs ("Train faster, generalize better", Hardt et al. 2016)."""

    probe, high_is_good = "epochs", False
