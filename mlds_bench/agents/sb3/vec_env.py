"""Our batched environments for Stable-Baselines3, at batch speed.

Stable-Baselines3 has a vector interface of its own: one ``done`` flag, a list of info dictionaries,
and the last observation of an episode under ``terminal_observation``. By ``TimeLimit.truncated`` it
distinguishes an episode that was truncated (bootstrap from its last observation) from one that
terminated.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NoReturn

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium import spaces
from gymnasium.vector import VectorEnv
from stable_baselines3.common.vec_env import VecEnv


class BatchedVecEnv(VecEnv):
    """A Gymnasium vector environment as a Stable-Baselines3 `VecEnv`.

    ::

        from mlds_bench.agents.sb3 import BatchedVecEnv
        from stable_baselines3 import PPO

        env = gymnasium.make_vec("mlds_bench:mlds/FunctionFitting-v0", num_envs=64)
        model = PPO("MlpPolicy", BatchedVecEnv(env)).learn(100_000)

    Args:
        env: a batch with SAME_STEP autoreset, as all of ours are, wrapped or not. Seed it when you
            make it: `seed` does nothing.
    """

    def __init__(self, env: VectorEnv[Any, Any, Any]) -> None:
        self.env = env
        super().__init__(env.num_envs, env.single_observation_space, env.single_action_space)
        self.metadata = {**env.metadata, **self.metadata}  # render_fps, for VecVideoRecorder
        self._uneventful: list[dict[str, Any]] = [{} for _ in range(env.num_envs)]
        self._actions: Any = None

    def reset(self) -> Any:
        """Reset all instances; returns observations (N, ...)."""
        observation, _ = self.env.reset()
        return observation

    def step_async(self, actions: npt.NDArray[Any]) -> None:
        """Store the actions (N, ...) for `step_wait`."""
        self._actions = actions

    def step_wait(self) -> tuple[Any, npt.NDArray[np.float32], npt.NDArray[np.bool_], list[Any]]:
        """Observations, rewards (N,) float32, dones (N,) bool and one info per instance."""
        actions = clip_to_box(self.action_space, self._actions)
        observation, reward, terminated, truncated, infos = self.env.step(actions)
        done = terminated | truncated
        told = self._told(infos, done, truncated & ~terminated) if done.any() else self._uneventful
        return observation, reward.astype(np.float32), done, told

    def _told(
        self, infos: dict[str, Any], done: npt.NDArray[np.bool_], cut: npt.NDArray[np.bool_]
    ) -> list[dict[str, Any]]:
        told = self._uneventful.copy()
        final = infos["final_obs"]
        for index in np.flatnonzero(done).tolist():
            told[index] = {
                "terminal_observation": _row(final, index),
                "TimeLimit.truncated": bool(cut[index]),
            }
        return told

    def get_images(self) -> list[Any]:
        """Pictures (height, width, 3) uint8 of all instances, with a ``render_mode``."""
        return list(self.env.render() or ())

    def seed(self, seed: int | None = None) -> list[int | None]:  # noqa: ARG002
        """Do nothing: an agent does not choose the instances that it learns in."""
        return [None] * self.num_envs

    def close(self) -> None:
        """Close the batch."""
        self.env.close()

    def get_attr(self, attr_name: str, indices: Any = None) -> list[Any]:
        """An attribute of the batch, repeated for each of the instances."""
        return [getattr(self.env, attr_name)] * len(list(self._get_indices(indices)))

    def set_attr(self, attr_name: str, value: Any, indices: Any = None) -> NoReturn:  # noqa: ARG002
        """Refused: the instances of a batch have no attributes of their own."""
        raise AttributeError(f"cannot set {attr_name}: a batch holds no single environments")

    def env_method(
        self,
        method_name: str,
        *method_args: Any,  # noqa: ARG002
        indices: Any = None,  # noqa: ARG002
        **method_kwargs: Any,  # noqa: ARG002
    ) -> NoReturn:
        """Refused: the instances of a batch have no methods of their own."""
        raise AttributeError(f"cannot call {method_name}: a batch holds no single environments")

    def env_is_wrapped(self, wrapper_class: type, indices: Any = None) -> list[bool]:  # noqa: ARG002
        """False for each of the instances: a batch has no wrapped single environments."""
        return [False] * len(list(self._get_indices(indices)))


def spaces_only(
    observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any], num_envs: int
) -> VectorEnv[Any, Any, Any]:
    """A batch that only has spaces, to build models before there is an environment."""
    env: VectorEnv[Any, Any, Any] = VectorEnv()
    env.num_envs = num_envs
    env.single_observation_space = observation_space
    env.single_action_space = action_space
    return env


def clip_to_box(space: gymnasium.Space[Any], actions: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Actions clipped to a Box: rescaling squashed actions overshoots its bounds by rounding."""
    return np.clip(actions, space.low, space.high) if isinstance(space, spaces.Box) else actions


def _row(batch: Any, index: int) -> Any:
    if isinstance(batch, Mapping):
        return {key: _row(value, index) for key, value in batch.items()}
    return batch[index]
