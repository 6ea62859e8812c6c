"""The single view of every environment: one generic class, and every environment's name.

Gymnasium's registry wants an import string for the single environment, such as
``mlds_bench.envs.single:FunctionFitting``; the names of this module are made on demand.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Literal

import gymnasium
import numpy as np
from gymnasium.error import ResetNeeded

from mlds_bench.common.trees import take
from mlds_bench.envs.arguments import checked_seed
from mlds_bench.envs.core import BatchedEnv, Frame, Recorder, check_options
from mlds_bench.envs.registry import ENVIRONMENTS


class SingleEnv(gymnasium.Env[Any, Any]):
    """Instance 0 of a batch of one, as an ordinary `gymnasium.Env`.

    The batch starts its next episode in the step that ends the last one; ``reset()`` after an end
    hands that episode out, so that the single environment and instance 0 of a batch walk the same
    path.
    """

    def __init__(self, batched: BatchedEnv) -> None:
        self.batched = batched
        self.metadata = dict(batched.metadata)  # its own: SyncVectorEnv and wrappers write into it
        self.render_mode = batched.render_mode
        self.observation_space = batched.single_observation_space
        self.action_space = batched.single_action_space
        self._state: Literal["new", "running", "ended"] = "new"
        self._next: tuple[Any, dict[str, Any]] | None = None

    @property
    def recording(self) -> Recorder:
        """What happened in the test split; see `mlds_bench.envs.recorders`."""
        return self.batched.recording

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; see `BatchedEnv.reset`. It takes no options."""
        check_options(options, ())
        seed = checked_seed(seed)
        super().reset(seed=seed)
        if seed is None and self._next is not None:
            begin = self._next
        else:
            begin = _first(self.batched.reset(seed=seed))
        self._state, self._next = "running", None
        return begin

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act; at the end of an episode the observation and info are its last."""
        if self._state != "running":
            raise ResetNeeded(f"the episode is {self._state}: call reset() before step()")
        observation, reward, terminated, truncated, infos = self.batched.step(_batch_of_one(action))
        final = {key: infos.pop(key, None) for key in ("final_obs", "final_info")}
        told: dict[str, Any] = {}
        if terminated[0] or truncated[0]:
            told = {key: infos.pop(key) for key in [*infos] if key not in final["final_info"]}
            self._state, self._next = "ended", _first((observation, infos))
            observation, infos = final["final_obs"], final["final_info"]
        seen, info = _first((observation, {**infos, **told}))
        return seen, float(reward[0]), bool(terminated[0]), bool(truncated[0]), info

    def render(self) -> Frame:
        """A picture (height, width, 3) uint8; after an end, of the last moment of the episode."""
        frames = self.batched.render()
        return (self.batched.final_frames if self._state == "ended" else frames)[0]

    def close(self) -> None:
        """Close the batch."""
        self.batched.close()


def make(batched_class: type[BatchedEnv], **kwargs: Any) -> SingleEnv:
    """The single view of a batched class."""
    return SingleEnv(batched_class(num_envs=1, **kwargs))


def __getattr__(name: str) -> Callable[..., SingleEnv]:
    for environment in ENVIRONMENTS.values():
        if environment.name == name:
            return partial(make, environment.batched_class)
    raise AttributeError(f"module {__name__!r} has no environment {name!r}")


def _batch_of_one(action: Any) -> Any:
    if isinstance(action, Mapping):
        return {key: _batch_of_one(value) for key, value in action.items()}
    return np.asarray(action)[None]


def _first(step: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    observation, infos = step
    return take(observation, 0), {k: take(v, 0) for k, v in infos.items() if not k.startswith("_")}
