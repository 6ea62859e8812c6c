"""Regression on probes: learn from the oracle of ``train`` which probes foretell test accuracy."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import VectorEnv

from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget, BudgetExhausted
from mlds_bench.agents.generalization.spaces import Array, Observation, Whole, selection


@dataclass(frozen=True)
class RegressionHyperparameters:
    """Hyper-parameters of the regression.

    Attributes:
        alpha: ridge penalty, per network seen.
        most_probes: probes that are revealed at most.
    """

    alpha: float = 0.01
    most_probes: int = 4

    def __post_init__(self) -> None:
        if not self.alpha > 0.0:
            raise ValueError(f"alpha must be above 0, got {self.alpha!r}")
        if self.most_probes < 1:
            raise ValueError(f"most_probes must be at least 1, got {self.most_probes}")


class RegressionAgent(Agent):
    """Ridge regression of accuracy on probes, both relative to the mean of the eight.

    In ``train`` it reveals everything, and notes the accuracies that the oracle tells and the costs
    that the rewards tell. Then it takes one probe after the other (forward selection), as long as
    the share of the variance that is not explained, plus the cost of the probes, falls. At test it
    reveals those, and chooses in the order of its predictions.
    """

    num_envs = 64
    hyperparameters: ClassVar[type] = RegressionHyperparameters

    def prepare(self) -> None:
        """Start with the first probe and no knowledge of it."""
        self._selection = selection("RegressionAgent", self.observation_space, self.action_space)
        self.weights: dict[str, float] = {self._selection.probes[0]: 0.0}

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Look at as many episodes as the budget pays for, then fit."""
        del budget
        probes: list[Array] = []
        accuracies: list[Array] = []
        self._costs = np.zeros(len(self._selection.probes))
        try:
            _, infos = env.reset()
            while True:
                accuracy = infos["oracle"]
                shown, infos = self._reveal_everything(env)
                probes.append(shown)
                accuracies.append(accuracy)
        except BudgetExhausted:
            if probes:
                self._fit(np.concatenate(probes), np.concatenate(accuracies))
            raise

    def act(self, obs: Any) -> Whole:
        """Actions (N,): reveal what is missing, else choose the best prediction not chosen yet."""
        seen: Observation = obs
        columns = [self._selection.index(name) for name in self.weights]
        hidden = seen["revealed"][:, :, columns] == 0.0
        first = hidden.reshape(len(hidden), -1).argmax(1)
        network, column = np.divmod(first, len(columns))
        reveal = self._selection.revealing(network, np.array(columns)[column])
        weights = np.array([*self.weights.values()])
        value = np.stack([seen[name] for name in self.weights], axis=2) @ weights
        best = np.where(seen["placed"] > 0.0, -np.inf, value).argmax(1)
        choose = self._selection.choosing(best)
        actions: Whole = np.where(hidden.any((1, 2)), reveal, choose)
        return actions

    def save(self, folder: Path) -> None:
        """Write the chosen probes and their weights."""
        (folder / "regression.json").write_text(json.dumps(self.weights), encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Read what `save` wrote."""
        text = (folder / "regression.json").read_text(encoding="utf-8")
        self.weights = {name: float(weight) for name, weight in json.loads(text).items()}

    def _reveal_everything(self, env: VectorEnv[Any, Any, Any]) -> tuple[Array, Any]:
        """All probes (N, 8, probes) of the episodes at hand; then choices until all have ended."""
        games, number = self._selection, env.num_envs
        observation: Observation = {}
        for action in range(games.networks * len(games.probes)):
            observation, reward, *_ = env.step(np.full(number, action))
            self._costs[action % len(games.probes)] = -reward.mean()
        shown = np.stack([observation[name] for name in games.probes], axis=2).astype(np.float64)
        for network in range(games.networks):
            _, _, terminated, truncated, infos = env.step(np.full(number, games.choosing(network)))
            if (terminated | truncated).all():
                return shown, infos
        return shown, env.reset()[1]

    def _fit(self, probes: Array, accuracy: Array) -> None:
        x, y = probes - probes.mean(1, keepdims=True), accuracy - accuracy.mean(1, keepdims=True)
        chosen: list[int] = []
        lowest = float("inf")
        for _ in range(min(self.hyper.most_probes, x.shape[2])):
            others = [column for column in range(x.shape[2]) if column not in chosen]
            losses = [self._loss(x, y, [*chosen, column]) for column in others]
            best = int(np.argmin(losses))
            if losses[best] >= lowest:
                break
            lowest = losses[best]
            chosen.append(others[best])
        weights = ridge(x[:, :, chosen], y, self.hyper.alpha)
        names = [self._selection.probes[column] for column in chosen]
        self.weights = dict(zip(names, weights.tolist(), strict=True))

    def _loss(self, x: Array, y: Array, columns: list[int]) -> float:
        """Share of the variance that these probes do not explain, plus what they cost."""
        some = x[:, :, columns]
        error = y - some @ ridge(some, y, self.hyper.alpha)
        cost = x.shape[1] * self._costs[columns].sum()
        return float((error**2).mean() / (y**2).mean() + cost)


def ridge(x: Array, y: Array, alpha: float) -> Array:
    """Weights (probes,) that minimize mean (y - x w)^2 + alpha |w|^2; x is (E, 8, probes)."""
    flat, count = x.reshape(-1, x.shape[-1]), y.size
    gram = flat.T @ flat / count + alpha * np.eye(flat.shape[1])
    return np.asarray(np.linalg.solve(gram, flat.T @ y.ravel() / count), np.float64)
