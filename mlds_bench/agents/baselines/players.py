"""The two reference agents that play in every room: uniformly random, and the best constant.

A score that a random or a constant agent reaches is no evidence of learning; both are anchors of
every variant.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.vector import VectorEnv

from mlds_bench.agents.base import Agent, UnknownHyperparameter
from mlds_bench.agents.baselines.tallies import Tally, best_constant, look, make_tally
from mlds_bench.agents.budget import Budget
from mlds_bench.envs.actions import InvalidAction, check_actions, integer_bounds
from mlds_bench.envs.streams import derive

CONSTANT_BATCHES = 256


class RandomAgent(Agent):
    """Plays uniformly random actions (normal where a Box has no bounds) from its own generator."""

    def prepare(self) -> None:
        """Seed the generator."""
        self._generator = np.random.default_rng(derive(self.seed, "random"))

    def act(self, obs: Any) -> Any:
        """Random actions (N, ...) for observations (N, ...)."""
        return sample(self.action_space, self._generator, batch_size(obs))

    def save(self, folder: Path) -> None:
        """Write the state of the generator, so that `load` continues with the same actions."""
        state = json.dumps(self._generator.bit_generator.state)
        (folder / "random.json").write_text(state, encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Read the state of the generator that `save` wrote."""
        state = (folder / "random.json").read_text(encoding="utf-8")
        self._generator.bit_generator.state = json.loads(state)


@dataclass(frozen=True)
class ConstantHyperparameters:
    """Hyper-parameters of `ConstantAgent`.

    Attributes:
        action: the action to play; None takes the best constant by the oracle.
    """

    action: Any = None


class ConstantAgent(Agent):
    """Plays one action: a given one, or the best constant by the oracle.

    Where ``infos["oracle"]`` has the form of an action, the best constant is its mean (Box: least
    squared error) or its most frequent value (Discrete and MultiDiscrete: most hits) over
    `CONSTANT_BATCHES` batches; elsewhere it is the middle of the action space.
    """

    num_envs = 64
    hyperparameters: ClassVar[type] = ConstantHyperparameters

    def prepare(self) -> None:
        """Take the given constant, or start from the middle of the action space."""
        self._tally: Tally = make_tally(self.action_space)
        self._action = middle(self.action_space)
        if self.hyper.action is not None:
            self._action = _as_action(self.action_space, self.hyper.action)

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:  # noqa: ARG002
        """Count what the oracle says; stop at once where it says nothing about actions."""
        if self.hyper.action is not None:
            return
        observation, infos = env.reset()
        for _ in range(CONSTANT_BATCHES):
            if not look(self._tally, infos.get("oracle"), env.num_envs):
                return
            self._action = best_constant(self._tally, self._action)
            observation, _, _, _, infos = env.step(self.act(observation))

    def act(self, obs: Any) -> Any:
        """The constant (N, ...), for observations (N, ...)."""
        return _repeat(self._action, batch_size(obs))

    def save(self, folder: Path) -> None:
        """Write the constant."""
        (folder / "constant.json").write_text(json.dumps(_listed(self._action)), encoding="utf-8")

    def load(self, folder: Path) -> None:
        """Read the constant that `save` wrote."""
        action = json.loads((folder / "constant.json").read_text(encoding="utf-8"))
        self._action = _as_action(self.action_space, action)


def batch_size(obs: Any) -> int:
    """N of a batch of observations, dictionaries included."""
    while isinstance(obs, Mapping):
        obs = next(iter(obs.values()))
    return len(obs)


def sample(space: gymnasium.Space[Any], generator: np.random.Generator, count: int) -> Any:
    """Independent random members of a space, (count, ...), in one draw per array."""
    if isinstance(space, spaces.Dict):
        return {key: sample(inner, generator, count) for key, inner in space.spaces.items()}
    shape = (count, *(space.shape or ()))
    if isinstance(space, spaces.Box) and space.dtype.kind == "f":
        return _sample_box(space, generator, shape)
    low, high = integer_bounds(space)
    return generator.integers(low, high, shape, endpoint=True).astype(space.dtype)


def _sample_box(
    space: spaces.Box, generator: np.random.Generator, shape: tuple[int, ...]
) -> npt.NDArray[Any]:
    uniform, normal = generator.random(shape), generator.standard_normal(shape)
    below, above = np.isfinite(space.low), np.isfinite(space.high)
    low, high = np.where(below, space.low, 0.0), np.where(above, space.high, 0.0)
    inside = low * (1.0 - uniform) + high * uniform
    beyond = np.where(below, low + np.abs(normal), np.where(above, high - np.abs(normal), normal))
    actions = np.where(below & above, inside, beyond)
    return np.clip(actions, space.low, space.high).astype(space.dtype)


def middle(space: gymnasium.Space[Any]) -> Any:
    """The member in the middle of a space; of a Box with one bound that bound, with none 0."""
    if isinstance(space, spaces.Dict):
        return {key: middle(inner) for key, inner in space.spaces.items()}
    low, high = (np.asarray(bound) for bound in integer_bounds(space))
    if low.dtype.kind != "f":
        return np.broadcast_to(low + (high - low) // 2, space.shape or ()).astype(space.dtype)
    low_or_high = np.where(np.isfinite(low), low, np.where(np.isfinite(high), high, 0.0))
    high_or_low = np.where(np.isfinite(high), high, low_or_high)
    return (0.5 * low_or_high + 0.5 * high_or_low).astype(space.dtype)


def _as_action(space: gymnasium.Space[Any], value: Any) -> Any:
    """A member of the space from plain numbers; a single number fills a whole array."""
    try:
        one = check_actions(space, _batch_of_one(space, value), 1)
    except (InvalidAction, ValueError) as error:
        raise UnknownHyperparameter(f"action={value!r} is not in {space}: {error}") from None
    return _first(one)


def _batch_of_one(space: gymnasium.Space[Any], value: Any) -> Any:
    if isinstance(space, spaces.Dict) and isinstance(value, Mapping):
        return {key: _batch_of_one(space[key], value[key]) for key in value if key in space.spaces}
    return np.broadcast_to(np.asarray(value), space.shape or ())[None]


def _first(batch: Any) -> Any:
    if isinstance(batch, Mapping):
        return {key: _first(value) for key, value in batch.items()}
    return batch[0].copy()


def _repeat(action: Any, count: int) -> Any:
    if isinstance(action, Mapping):
        return {key: _repeat(value, count) for key, value in action.items()}
    return np.repeat(np.asarray(action)[None], count, axis=0)


def _listed(action: Any) -> Any:
    if isinstance(action, Mapping):
        return {key: _listed(value) for key, value in action.items()}
    return np.asarray(action).tolist()
