"""The batched base that every room stands on, and the single view of it.

A room implements four batched methods: ``draw(mask)``, ``observe()``, ``advance(actions)`` and
``oracle()``. Everything else happens here, once: action checks, SAME_STEP autoreset with final
observations, the split rule (the oracle is told in ``train`` and recorded in ``test``), infos,
random streams and the single `gymnasium.Env`.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from mlds_bench.common.trees import on_each, take
from mlds_bench.envs.actions import InvalidAction, check_actions
from mlds_bench.envs.recording import Recorded, Recording
from mlds_bench.envs.streams import Indices, Streams

__all__ = ["BatchedEnv", "InvalidAction", "Recording", "SingleView", "Split", "check_actions"]

Split = Literal["train", "test"]
Flags: TypeAlias = npt.NDArray[np.bool_]
Rewards: TypeAlias = npt.NDArray[np.float64]
Outcome: TypeAlias = tuple[Rewards, Flags, Flags]


class BatchedEnv(gymnasium.vector.VectorEnv[Any, Any, Any], ABC):
    """N instances of a room, advanced by one array operation a step.

    Args:
        observation_space: of one instance (Box, Discrete, MultiDiscrete or a Dict of those).
        action_space: of one instance.
        num_envs: N.
        split: ``train`` tells the oracle in ``infos["oracle"]``; ``test`` records it instead.
        seed: of the first reset; ``reset(seed=)`` overrides it. Without any, entropy decides.

    A room may set ``self.action_mask``, (N, n) bool, whenever it observes; it is then handed out in
    ``infos["action_mask"]`` and enforced.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - gymnasium declares it as an instance attribute
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": [],
        "coupled": False,
    }
    view_options: ClassVar[frozenset[str]] = frozenset()
    """Keyword arguments that an agent may choose (its view of the game), and no others."""
    can_shrink: ClassVar[bool] = False
    """Whether the room implements `narrow`, so that the harness may `keep` a part of the batch."""
    recorded: ClassVar[Recorded] = "steps"
    """What the test split records: every step, or how each episode ended; see `Recording`."""

    def __init__(
        self,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        *,
        num_envs: int = 1,
        split: Split = "train",
        seed: int | None = None,
    ) -> None:
        if split not in get_args(Split):
            raise ValueError(f"split must be one of {', '.join(get_args(Split))}, got {split!r}")
        if num_envs < 1:
            raise ValueError(f"num_envs must be at least 1, got {num_envs}")
        self.num_envs = num_envs
        self.split = split
        self.single_observation_space = observation_space
        self.single_action_space = action_space
        self.observation_space = batch_space(observation_space, num_envs)
        self.action_space = batch_space(action_space, num_envs)
        self.action_mask: Flags | None = None
        self.recording = Recording(self.recorded)
        self._everyone = np.ones(num_envs, dtype=np.bool_)
        self._instance, self._whole = np.arange(num_envs), num_envs
        self._episode = np.zeros(num_envs, dtype=np.int64)
        self._length = np.zeros(num_envs, dtype=np.int64)
        self._return = np.zeros(num_envs)
        self._seed = seed
        self._current: dict[str, Any] | None = None

    @abstractmethod
    def draw(self, mask: Flags) -> None:
        """Start a new episode in the instances where ``mask`` (N,) is True."""

    @abstractmethod
    def observe(self) -> Any:
        """A fresh batch of observations, (N, ...)."""

    @abstractmethod
    def advance(self, actions: Any) -> Outcome:
        """Act in every instance; reward (N,) float64, terminated (N,) bool, truncated (N,) bool."""

    @abstractmethod
    def oracle(self) -> Any:
        """What the homework's own method learns from, for the observation of this moment; fresh.

        An array (N, ...), a dictionary of such, or None in rooms without an oracle.
        """

    def ending(self, ended: Indices) -> dict[str, Any]:  # noqa: ARG002
        """What else is recorded of the instances ``ended`` (K,), where ends are what is recorded.

        A room whose scores need more than return and length overrides it: name -> fresh array.
        """
        return {}

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Start all instances anew (or those in ``options["reset_mask"]``).

        Args:
            seed: one for the batch (instance i draws from the stream (seed, i)), or a list with one
                an instance (each then repeats what it does alone under its seed). Without a seed
                the streams go on.
            options: ``reset_mask``, (N,) bool: which instances to reset.
        """
        mask = self._reset_mask(options)
        if seed is not None and len(self._instance) != self._whole:
            raise ValueError("a batch that was cut down cannot be seeded anew: make another one")
        if seed is not None and not mask.all():
            raise ValueError("a seed starts all instances anew: give seed or reset_mask, not both")
        if seed is not None or self._current is None:
            self.streams = Streams(self._checked_seed(seed), self.num_envs)
            self._episode[:] = -1
            self.recording = Recording(self.recorded)
            mask = self._everyone
        self._begin(mask)
        self.draw(mask)
        return self._look()

    def step(self, actions: Any) -> tuple[Any, Rewards, Flags, Flags, dict[str, Any]]:
        """Act in every instance; those that end are drawn anew in the same step."""
        if self._current is None:
            raise ResetNeeded("call reset() before the first step()")
        actions = check_actions(self.single_action_space, actions, self.num_envs, self.action_mask)
        seen = self._current
        reward, terminated, truncated = self.advance(actions)
        if self.recorded == "ends":
            self._length += 1
            self._return += reward
        elif self.split == "test":
            self.recording.append(
                **seen,
                action=on_each(actions, np.copy),
                reward=reward.copy(),
                terminated=terminated.copy(),
                truncated=truncated.copy(),
                episode=self._episode.copy(),
            )
        done = terminated | truncated
        final = self._end(done, terminated, truncated) if done.any() else {}
        observation, infos = self._look()
        return observation, reward, terminated, truncated, {**infos, **final}

    def keep(self, mask: Flags) -> None:
        """Drop the instances where ``mask`` (N,) is False: from the next step on there are fewer.

        For a test whose last instances take long: those that have played their part cost nothing.
        What is recorded goes on under the old numbers of the instances. A seeded ``reset`` would
        need the whole batch, and is refused.
        """
        if not self.can_shrink:
            raise ValueError(f"{type(self).__name__} cannot go on with a part of its batch")
        self.streams.keep(mask)
        self.narrow(mask)
        self._instance, self._episode = self._instance[mask], self._episode[mask]
        self._length, self._return = self._length[mask], self._return[mask]
        self.num_envs = len(self._instance)
        self._everyone = np.ones(self.num_envs, dtype=np.bool_)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)
        self.action_space = batch_space(self.single_action_space, self.num_envs)

    def narrow(self, mask: Flags) -> None:
        """Drop the room's own rows where ``mask`` (N,) is False (rooms that can shrink)."""
        raise NotImplementedError

    def _end(self, done: Flags, terminated: Flags, truncated: Flags) -> dict[str, Any]:
        """Last words of the instances that ended, recorded where ends are what is recorded."""
        if self.split == "train" or self.recorded == "steps":
            return self._finish(done)
        ended, oracle = np.flatnonzero(done), self.oracle()
        entry = {
            "instance": self._instance[ended],
            "episode": self._episode[ended],
            "length": self._length[ended],
            "return": self._return[ended],
            "terminated": terminated[ended],
            "truncated": truncated[ended],
            **({} if oracle is None else {"oracle": take(oracle, ended)}),
            **self.ending(ended),
        }
        final = self._finish(done)
        self.recording.append(**entry, observation=take(final["final_obs"], ended))
        return final

    def _finish(self, done: Flags) -> dict[str, Any]:
        """Last words of the instances that ended, which are drawn anew."""
        final_observation, final_info = self.observe(), self._infos(self._told_oracle(), done)
        self._begin(done)
        self.draw(done)
        return {
            "final_obs": final_observation,
            "_final_obs": done,
            "final_info": final_info,
            "_final_info": done.copy(),
        }

    def _begin(self, mask: Flags) -> None:
        """Count a new episode in the instances where ``mask`` is True."""
        self._episode += mask
        if self.recorded == "ends":
            np.copyto(self._length, 0, where=mask)
            np.copyto(self._return, 0.0, where=mask)

    def _look(self) -> tuple[Any, dict[str, Any]]:
        observation = self.observe()
        if self.split == "test":
            self._current = {}
            if self.recorded == "steps":
                self._current = {
                    "observation": on_each(observation, np.copy),
                    "oracle": self.oracle(),
                }
            return observation, self._infos(None, self._everyone)
        self._current = {}
        return observation, self._infos(self.oracle(), self._everyone)

    def _told_oracle(self) -> Any:
        return self.oracle() if self.split == "train" else None

    def _infos(self, oracle: Any, mask: Flags) -> dict[str, Any]:
        infos: dict[str, Any] = {}
        if oracle is not None:
            infos |= {"oracle": oracle, "_oracle": mask.copy()}
        if self.action_mask is not None:
            infos |= {"action_mask": self.action_mask.copy(), "_action_mask": mask.copy()}
        return infos

    def _reset_mask(self, options: dict[str, Any] | None) -> Flags:
        mask = (options or {}).get("reset_mask")
        if mask is None:
            return self._everyone
        mask = np.asarray(mask)
        if mask.shape != (self.num_envs,) or mask.dtype != np.bool_:
            raise ValueError(
                f"reset_mask must be bool of shape ({self.num_envs},), "
                f"got {mask.dtype} of shape {mask.shape}"
            )
        return mask

    def _checked_seed(self, seed: int | Sequence[int | None] | None) -> int | list[int]:
        seed = self._seed if seed is None else seed
        if seed is None:
            return secrets.randbits(63)
        if isinstance(seed, (int, np.integer)):
            if not 0 <= seed < 2**64:
                raise ValueError(f"seed must be in 0..2**64-1, got {seed}")
            return int(seed)
        seeds = [secrets.randbits(63) if one is None else int(one) for one in seed]
        if len(seeds) != self.num_envs or min(seeds) < 0 or max(seeds) >= 2**64:
            raise ValueError(
                f"seeds must be {self.num_envs} integers in 0..2**64-1, got {list(seed)}"
            )
        return seeds


class SingleView(gymnasium.Env[Any, Any]):
    """Instance 0 of a batch of one, as an ordinary `gymnasium.Env`.

    The batch starts its next episode in the step that ends the last one; ``reset()`` after an end
    hands that episode out, so that the single environment and instance 0 of a batch walk the same
    path.
    """

    def __init__(self, batched: BatchedEnv) -> None:
        self.batched = batched
        self.metadata = batched.metadata
        self.observation_space = batched.single_observation_space
        self.action_space = batched.single_action_space
        self._state: Literal["new", "running", "ended"] = "new"
        self._next: tuple[Any, dict[str, Any]] | None = None

    @property
    def recording(self) -> Recording:
        """What happened in the test split; see `Recording`."""
        return self.batched.recording

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Start an episode; see `BatchedEnv.reset`."""
        super().reset(seed=seed)
        if seed is None and self._next is not None:
            begin = self._next
        else:
            begin = _first(self.batched.reset(seed=seed, options=options))
        self._state, self._next = "running", None
        return begin

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Act; at the end of an episode the observation and info are its last."""
        if self._state != "running":
            raise ResetNeeded(f"the episode is {self._state}: call reset() before step()")
        observation, reward, terminated, truncated, infos = self.batched.step(_batch_of_one(action))
        final = {key: infos.pop(key, None) for key in ("final_obs", "final_info")}
        if terminated[0] or truncated[0]:
            self._state, self._next = "ended", _first((observation, infos))
            observation, infos = final["final_obs"], final["final_info"]
        seen, info = _first((observation, infos))
        return seen, float(reward[0]), bool(terminated[0]), bool(truncated[0]), info

    def close(self) -> None:
        """Close the batch."""
        self.batched.close()


def _batch_of_one(action: Any) -> Any:
    if isinstance(action, Mapping):
        return {key: _batch_of_one(value) for key, value in action.items()}
    return np.asarray(action)[None]


def _first(step: tuple[Any, dict[str, Any]]) -> tuple[Any, dict[str, Any]]:
    observation, infos = step
    return take(observation, 0), {k: take(v, 0) for k, v in infos.items() if not k.startswith("_")}
