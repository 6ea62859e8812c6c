"""Any Stable-Baselines3 algorithm as an agent: ``sb3:PPO``, ``sb3:DQN``, ``sb3:SAC`` and the rest.

The hyper-parameters are the algorithm's own constructor keywords with their own defaults, except
for three: ``num_envs`` (16 for on-policy algorithms; 1 for those with a replay buffer, whose
published settings mean one gradient step per step of the batch), ``policy`` (by default the one
that fits the observations) and PPO's ``n_steps`` (by default 2048 // num_envs, so that a rollout
has the published 2048 steps). ``zoo`` takes the settings that rl-baselines3-zoo publishes for Atari
games; see `sb3_zoo`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt
import stable_baselines3
from gymnasium.vector import VectorEnv
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger

from mlds_bench.agents.atari.sb3_zoo import ZOO_VIEW
from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget
from mlds_bench.agents.sb3.settings import (
    check_spaces,
    completed,
    constructor_keywords,
    refusals,
    settings_class,
)
from mlds_bench.agents.sb3.vec_env import BatchedVecEnv, clip_to_box, spaces_only

CHUNK = 4096
"""Observations per forward pass, so that a dense test grid fits into memory."""
ADVICE = ("You have specified a mini-batch size", "You are trying to run")
"""Starts of warnings that are advice: truncated minibatches, small networks on a GPU."""


class Sb3Agent(Agent):
    """A Stable-Baselines3 algorithm; `make_sb3` makes one class per algorithm.

    Args:
        observation_space: of one instance; images get CnnPolicy, a Dict gets MultiInputPolicy.
        action_space: of one instance.
        seed: of the networks and the exploration.
        device: torch device.
        **hyperparameters: by the algorithm's own names.

    Raises:
        Unsupported: if the algorithm cannot play in these spaces.
        UnknownHyperparameter: for names or values that the algorithm does not take.
    """

    algorithm: ClassVar[type[BaseAlgorithm]]

    @staticmethod
    def env_options(params: Mapping[str, Any]) -> Mapping[str, Any]:  # type: ignore[override]
        """The view of the zoo's Atari wrappers, if ``zoo`` is set."""
        return ZOO_VIEW if params.get("zoo") else {}

    def prepare(self) -> None:
        """Complete the hyper-parameters and make the untrained model."""
        self.name = f"sb3:{self.algorithm.__name__}"
        check_spaces(self.name, self.observation_space, self.action_space)
        self.hyper = completed(self.hyper, self.algorithm, self.observation_space)
        self.num_envs = self.hyper.num_envs
        spaces = spaces_only(self.observation_space, self.action_space, self.num_envs)
        self.model = self._make_model(spaces, most_steps=self.num_envs)

    def learn(self, env: VectorEnv[Any, Any, Any], budget: Budget) -> None:
        """Run the algorithm's own loop for the whole budget."""
        model = self._make_model(env, most_steps=budget.env_steps)
        parameters: Any = self.model.get_parameters()
        model.set_parameters(parameters, device=self.device)
        self.model = model
        model.learn(total_timesteps=budget.env_steps)

    def act(self, obs: Any) -> npt.NDArray[Any]:
        """The policy's deterministic actions (N, ...) for observations (N, ...)."""
        predict = self.model.policy.predict
        actions = [predict(chunk, deterministic=True)[0] for chunk in _chunks(obs)]
        return clip_to_box(self.action_space, np.concatenate(actions))

    def save(self, folder: Path) -> None:
        """Write the model to ``model.zip``, in Stable-Baselines3's own format."""
        self.model.save(folder / "model.zip")

    def load(self, folder: Path) -> None:
        """Read the parameters that `save` wrote; nothing is unpickled."""
        self.model.set_parameters(str(folder / "model.zip"), device=self.device)

    def _make_model(self, env: VectorEnv[Any, Any, Any], most_steps: int) -> BaseAlgorithm:
        """A fresh model, with a replay buffer no larger than the number of steps to be taken."""
        keywords = constructor_keywords(self.hyper, self.action_space)
        keywords |= {"seed": self.seed % 2**32, "device": self.device, "verbose": 0}
        if "buffer_size" in keywords:
            keywords["buffer_size"] = max(min(keywords["buffer_size"], most_steps), env.num_envs)
        with warnings.catch_warnings(), refusals(self.name):
            for start in ADVICE:
                warnings.filterwarnings("ignore", message=start)
            model = self.algorithm(env=BatchedVecEnv(env), **keywords)
        model.set_logger(Logger(folder=None, output_formats=[]))  # the default makes a folder
        return model


@cache
def make_sb3(name: str) -> type[Sb3Agent]:
    """The agent class of a Stable-Baselines3 algorithm: ``PPO``, ``DQN``, ..."""
    algorithm: type[BaseAlgorithm] = getattr(stable_baselines3, name)
    attributes = {
        "__module__": __name__,
        "__doc__": f"Stable-Baselines3's {name}.",
        "algorithm": algorithm,
        "hyperparameters": settings_class(algorithm),
    }
    return type(name, (Sb3Agent,), attributes)


def __getattr__(name: str) -> type[Sb3Agent]:
    candidate = getattr(stable_baselines3, name, None)
    if isinstance(candidate, type) and issubclass(candidate, BaseAlgorithm):
        return make_sb3(name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def _chunks(obs: Any) -> Iterator[Any]:
    if isinstance(obs, Mapping):
        count = len(next(iter(obs.values())))
        for start in range(0, count, CHUNK):
            yield {key: value[start : start + CHUNK] for key, value in obs.items()}
    else:
        for start in range(0, len(obs), CHUNK):
            yield obs[start : start + CHUNK]
