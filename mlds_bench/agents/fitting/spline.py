"""The best piecewise linear fit with free knots, the yardstick for networks with one input.

Every ReLU network with one input is a piecewise linear function. Here the best one with n pieces is
sought, with free knots and with jumps allowed, in two steps: dynamic programming over a coarse grid
of knots, which is exact there (Bellman 1961, "On the approximation of curves by line segments using
dynamic programming"), then descent on the knots. At a knot t between the lines p and q the
derivative of the squared error is (f(t) - p(t))^2 - (f(t) - q(t))^2; lines are refitted at every
trial. On x^2 the optimum is known: n equal pieces, RMSE sqrt(1/180) / n^2.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
from gymnasium.vector import VectorEnv
from scipy.optimize import minimize

from mlds_bench.agents.base import Agent, Unsupported
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.fitting.curves import Array, Curve, Lines, fit_lines
from mlds_bench.agents.fitting.spaces import clipped, input_dimension

COARSE = 1024
MAXIMUM_PIECES = 256
ROUNDS = 4
REACH = 0.49
"""Share of the distance to its neighbors that a knot may move in one round."""
EXACT = 1e-24
"""A mean squared error this small is rounding error."""


@dataclass(frozen=True)
class SplineHyperparameters:
    """Hyper-parameters of the fit.

    Attributes:
        pieces: number of linear pieces n.
    """

    pieces: int = 16

    def __post_init__(self) -> None:
        if not 1 <= self.pieces <= MAXIMUM_PIECES:
            raise ValueError(f"pieces must be in 1..{MAXIMUM_PIECES}, got {self.pieces}")


def best_lines(curve: Curve, pieces: int) -> Lines:
    """The best piecewise linear function with that many pieces, up to a local optimum."""
    grid = np.unique(np.concatenate([np.linspace(0.0, 1.0, COARSE + 1), curve.jumps]))
    knots = coarse_knots(curve, grid, pieces)
    for _ in range(ROUNDS):
        knots = refine_knots(curve, knots)
    return fit_lines(curve, knots)[0]


def coarse_knots(curve: Curve, grid: Array, pieces: int) -> Array:
    """The best inner knots (pieces - 1,) among the points of a grid from 0 to 1."""
    cost = segment_costs(curve, grid)
    best, choices = cost[0], []
    for _ in range(pieces - 1):
        through = best[:, None] + cost
        choices.append(through.argmin(axis=0))
        best = through.min(axis=0)
    knots, end = [], len(grid) - 1
    for choice in reversed(choices):
        end = int(choice[end])
        knots.append(end)
    return grid[knots[::-1]]


def segment_costs(curve: Curve, grid: Array) -> Array:
    """Squared errors (G, G) of the best lines from grid[i] to grid[j]; infinite unless i < j."""
    x, weights, values = curve.nodes(grid)
    cell = np.searchsorted(grid, x) - 1
    moments = [weights * power for power in (1.0, x, x**2, values, values * x, values**2)]
    one, x1, x2, y, xy, yy = (
        np.subtract.outer(total, total).T
        for total in (_running(moment, cell, len(grid)) for moment in moments)
    )
    with np.errstate(divide="ignore", invalid="ignore"):
        variance = x2 - x1 * x1 / one
        error = yy - y * y / one - (xy - x1 * y / one) ** 2 / variance
    forward = np.triu(np.ones(error.shape, dtype=np.bool_), 1)
    return np.where(forward, np.maximum(error, 0.0), np.inf)


def _running(moment: Array, cell: npt.NDArray[np.intp], size: int) -> Array:
    return np.concatenate([[0.0], np.cumsum(np.bincount(cell, moment, size - 1))])


def refine_knots(curve: Curve, knots: Array) -> Array:
    """Descend on the knots, each within less than half of the distance to its neighbors.

    Knots at jumps do not move.
    """
    free = ~np.isin(knots, curve.jumps)
    scale = squared_error(curve, knots)[0]
    if not free.any() or scale < EXACT:
        return knots
    reach = REACH * np.diff(np.concatenate([[0.0], knots, [1.0]]))
    low, high = (knots - reach[:-1])[free].tolist(), (knots + reach[1:])[free].tolist()

    def relative_error(moved: Array) -> tuple[float, Array]:
        error, slope = squared_error(curve, _replaced(knots, free, moved))
        return error / scale, slope[free] / scale

    found = minimize(
        relative_error,
        knots[free],
        jac=True,
        method="L-BFGS-B",
        bounds=list(zip(low, high, strict=True)),
        options={"ftol": 1e-13, "gtol": 1e-9},
    )
    return _replaced(knots, free, found.x)


def squared_error(curve: Curve, knots: Array) -> tuple[float, Array]:
    """Mean squared error of the best lines between the knots, and its gradient (n - 1,)."""
    lines, error = fit_lines(curve, knots)
    left, values = np.arange(len(knots)), curve(knots)
    slope = (values - lines.on(left, knots)) ** 2 - (values - lines.on(left + 1, knots)) ** 2
    return error, slope


def _replaced(knots: Array, free: npt.NDArray[np.bool_], moved: Array) -> Array:
    replaced = knots.copy()
    replaced[free] = moved
    return replaced


class SplineAgent(Agent):
    """The best piecewise linear fit to the labels of one pass over the training points."""

    num_envs = 12_800
    hyperparameters: ClassVar[type] = SplineHyperparameters

    def prepare(self) -> None:
        """Start from the zero function."""
        dimension = input_dimension(type(self).__name__, self.observation_space, self.action_space)
        if dimension != 1:
            raise Unsupported(f"spline fits functions of one variable, not of {dimension}")
        zero = np.zeros(1)
        self.lines = Lines(np.zeros(0), zero, zero, zero)

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Collect labels until a batch shows no new point or the budget ends; then fit."""
        observation, infos = env.reset()
        x, y = observation[:, 0], infos["oracle"][:, 0]
        x, first = np.unique(x, return_index=True)
        y = y[first]
        for _ in range(budget.env_steps // self.num_envs):
            observation, _, _, _, infos = env.step(np.zeros((self.num_envs, 1)))
            known = len(x)
            x, first = np.unique(np.concatenate([x, observation[:, 0]]), return_index=True)
            y = np.concatenate([y, infos["oracle"][:, 0]])[first]
            if len(x) == known:
                break
        if len(x) > 1:
            self.lines = best_lines(Curve.through(x, y), self.hyper.pieces)

    def act(self, obs: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
        """Values (N, 1) float64 of the fit for x (N, 1)."""
        values = self.lines(np.asarray(obs, dtype=np.float64)[:, 0])
        return clipped(self.action_space, values[:, None])

    def save(self, folder: Path) -> None:
        """Write knots and lines to ``lines.json``."""
        lines = {name: array.tolist() for name, array in asdict(self.lines).items()}
        (Path(folder) / "lines.json").write_text(json.dumps(lines, indent=1) + "\n")

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        lines = json.loads((Path(folder) / "lines.json").read_text())
        self.lines = Lines(**{name: np.array(values) for name, values in lines.items()})
