"""A replay buffer that stores every frame once.

An observation is a stack of the last frames. Only its newest frame is stored, and stacks are put
together again when they are drawn. Each environment has a ring of slots of its own. A slot holds a
frame and the action that followed it; an episode is a run of slots that ends with the frame of its
final observation, which no action followed. If the first observation of an episode holds several
different frames, the episode begins with a slot for each of them.
"""

from __future__ import annotations

import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import psutil

from mlds_bench.agents.numerics.sampling import Rows, Sampler

Frames: TypeAlias = npt.NDArray[np.uint8]
Floats: TypeAlias = npt.NDArray[np.float64]
Flags: TypeAlias = npt.NDArray[np.bool_]

BYTES_BESIDE_A_FRAME = 42
"""Action, reward and flags take 10; a sampler's tree takes at most 32 (4 nodes per leaf)."""


@dataclass(frozen=True)
class Transitions:
    """A batch of B transitions of up to n steps.

    Attributes:
        rows: (B,) int64, their places in the replay buffer.
        observations: (B, C, H, W) uint8.
        actions: (B,) int64.
        returns: (B,) discounted sums of up to n rewards.
        discounts: (B,) factors of the value of what follows; 0 where the episode terminated.
        next_observations: (B, C, H, W) uint8, after the last of those steps.
        weights: (B,) of the transitions in the loss.
    """

    rows: Rows
    observations: Frames
    actions: npt.NDArray[np.int64]
    returns: Floats
    discounts: Floats
    next_observations: Frames
    weights: Floats


class FrameReplay:
    """The last steps of N environments, each frame stored once.

    Args:
        shape: shape of an observation, (C, H, W) uint8, the oldest frame first.
        stack: frames per observation; C is a multiple of it.
        num_envs: N.
        capacity: frames in total, N * S for rings of S slots.
        n_step: n of the n-step returns.
        gamma: discount factor per step.
        sampler: makes a sampler for a given number of rows.

    Raises:
        MemoryError: if it would not fit into memory, before anything is stored; one line.
    """

    def __init__(
        self,
        shape: tuple[int, int, int],
        *,
        stack: int,
        num_envs: int,
        capacity: int,
        n_step: int,
        gamma: float,
        sampler: Callable[[int], Sampler],
    ) -> None:
        self._slots = max(capacity // num_envs, n_step + stack + 2)
        self._shape, self._stack, self._n_step = shape, stack, n_step
        self._gamma = gamma
        self._instances = np.arange(num_envs)
        rows, pixels = self._slots * num_envs, int(np.prod(shape)) // stack
        require_memory(rows, pixels, f"{shape[0] // stack}x{shape[1]}x{shape[2]}")
        self._frames = np.zeros((rows, pixels), dtype=np.uint8)
        self._age = np.zeros(rows, dtype=np.uint8)  # frames before it in its episode, < stack
        self._is_played = np.zeros(rows, dtype=np.bool_)  # an action followed it
        self._actions = np.zeros(rows, dtype=np.int16)
        self._rewards = np.zeros(rows, dtype=np.float32)
        self._terminated = np.zeros(rows, dtype=np.bool_)
        self._ended = np.zeros(rows, dtype=np.bool_)
        self._written = np.zeros(num_envs, dtype=np.int64)  # slots so far, per environment
        self.sampler = sampler(rows)

    @property
    def nbytes(self) -> int:
        """Bytes of the arrays, without those of the sampler."""
        return sum(part.nbytes for part in vars(self).values() if isinstance(part, np.ndarray))

    def begin(self, observations: Frames) -> None:
        """Store the first observations (N, C, H, W), after a reset of all environments."""
        self._begin(self._instances, observations)

    def add(
        self,
        actions: npt.NDArray[Any],
        rewards: Floats,
        terminated: Flags,
        truncated: Flags,
        observations: Frames,
        final_observations: Frames | None,
    ) -> None:
        """Store one step of the batch, as a vector environment with SAME_STEP autoreset returns it.

        Args:
            actions: (N,), chosen for the previous observations.
            rewards: (N,).
            terminated: (N,).
            truncated: (N,).
            observations: (N, C, H, W); the first of the next episode where one ended.
            final_observations: (N, C, H, W), read where an episode ended; None if none did.
        """
        rows, done = self._rows(self._instances, self._written - 1), terminated | truncated
        self._actions[rows] = actions
        self._rewards[rows] = rewards
        self._terminated[rows] = terminated
        self._ended[rows] = done
        self._is_played[rows] = True
        newest = observations[:, -(self._shape[0] // self._stack) :]
        if final_observations is not None:
            final = final_observations[:, -(self._shape[0] // self._stack) :]
            newest = np.where(done[:, None, None, None], final, newest)
        age = np.minimum(self._age[rows] + 1, self._stack - 1)
        self._push(self._instances, newest.reshape(len(rows), -1), age)
        if done.any():
            self._begin(np.flatnonzero(done), observations[done])

    def sample(self, size: int) -> Transitions:
        """Draw ``size`` transitions with replacement.

        Raises:
            ValueError: if there are none yet.
        """
        rows, weights = self.sampler.sample(size)
        slot, instance = np.divmod(rows, len(self._instances))
        window = self._rows(instance[:, None], slot[:, None] + np.arange(self._n_step))
        returns, discounts, lengths = n_step_returns(
            self._rewards[window], self._ended[window], self._terminated[window], self._gamma
        )
        return Transitions(
            rows=rows,
            observations=self._stacks(instance, slot),
            actions=self._actions[rows].astype(np.int64),
            returns=returns,
            discounts=discounts,
            next_observations=self._stacks(instance, slot + lengths),
            weights=weights,
        )

    def _rows(self, instances: Rows, slots: Rows) -> Rows:
        """Rows of slots, which are counted since the start or around the ring."""
        return slots % self._slots * len(self._instances) + instances

    def _begin(self, instances: Rows, observations: Frames) -> None:
        """Store first observations (k, C, H, W), without copies that pad a stack in front."""
        stacks = observations.reshape(len(instances), self._stack, -1)
        repeats = (stacks[:, 1:] == stacks[:, :1]).all(axis=2)
        first = np.logical_and.accumulate(repeats, axis=1).sum(axis=1)
        for place in range(self._stack):
            begun = first <= place
            age = (place - first[begun]).astype(np.uint8)
            self._push(instances[begun], stacks[begun, place], age)

    def _push(self, instances: Rows, frames: Frames, age: npt.NDArray[Any]) -> None:
        """Fill a slot of some environments; retire what it overwrites, admit what is complete."""
        head = self._written[instances]
        rows = self._rows(instances, head)
        self.sampler.retire(
            self._rows(instances, head + self._stack - 1)
        )  # its stack is incomplete now
        self._frames[rows] = frames
        self._age[rows] = age
        self._is_played[rows] = False
        self._written[instances] += 1
        complete = self._rows(instances, head - self._n_step)
        self.sampler.admit(complete[self._is_played[complete]])

    def _stacks(self, instances: Rows, slots: Rows) -> Frames:
        """The observations (B, C, H, W) whose newest frames are in these slots (B,)."""
        age = self._age[self._rows(instances, slots)].astype(np.int64)
        back = np.minimum(np.arange(self._stack - 1, -1, -1), age[:, None])
        rows = self._rows(instances[:, None], slots[:, None] - back)
        return self._frames.take(rows.ravel(), axis=0).reshape(len(slots), *self._shape)


def n_step_returns(
    rewards: npt.NDArray[Any], ended: Flags, terminated: Flags, gamma: float
) -> tuple[Floats, Floats, npt.NDArray[np.int64]]:
    """Returns of up to n steps, which stop where the episode ends.

    Args:
        rewards: (B, n), in the order of the steps.
        ended: (B, n), whether the episode ended with the step.
        terminated: (B, n), whether it terminated, so that nothing follows.
        gamma: discount factor per step.

    Returns:
        Sums of discounted rewards (B,); factors of the value of what follows (B,), 0 after a
        termination; numbers of steps (B,), 1 to n.
    """
    running = np.ones(rewards.shape, dtype=np.bool_)
    running[:, 1:] = ~np.logical_or.accumulate(ended, axis=1)[:, :-1]
    powers = gamma ** np.arange(rewards.shape[1])
    lengths = running.sum(axis=1)
    returns = np.where(running, rewards * powers, 0.0).sum(axis=1)
    over = (terminated & running).any(axis=1)
    return returns, np.where(over, 0.0, gamma**lengths), lengths


def require_memory(frames: int, pixels: int, picture: str) -> None:
    """Refuse a replay buffer that would not fit into memory.

    Args:
        frames: number of frames to be stored.
        pixels: bytes per frame.
        picture: the shape of a frame, for the error.

    Raises:
        MemoryError: one line with what it takes, what is free, and what would fit.
    """
    each, free = pixels + BYTES_BESIDE_A_FRAME, free_memory()
    if frames * each > free:
        raise MemoryError(
            f"a replay buffer of {frames:,} frames of {picture} takes "
            f"{frames * each / 1e9:.2f} GB, {free / 1e9:.2f} GB are free: "
            f"set buffer_size to at most {free // each:,}"
        )


def free_memory() -> int:
    """Bytes that this process may still allocate, by the machine and by its own limit."""
    free = int(psutil.virtual_memory().available)
    if sys.platform == "linux":
        limit = resource.getrlimit(resource.RLIMIT_DATA)[0]
        if limit != resource.RLIM_INFINITY:
            free = min(free, max(limit - psutil.Process().memory_info().data, 0))
    return free
