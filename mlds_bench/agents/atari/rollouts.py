"""Playing with a policy: rollouts of a batch of environments.

A player may play ahead: it plays the next rollout in a thread of its own while the last one is
learned from. Emulators and inference then have one half of the processors and learning the other,
and neither waits. The price is that a rollout is played by a policy that is one update old, always
exactly one, so that runs repeat bit for bit (Huang et al. 2023, "Cleanba").
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from copy import deepcopy
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import torch
from gymnasium.vector import VectorEnv
from torch import Tensor, nn

from mlds_bench.agents.atari.pace import half_the_threads

Policy: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Maps observations (N, C, H, W) to logits (N, A) and values (N,)."""


@dataclass
class Rollout:
    """T steps of N environments. The next call but one of `Player.play` overwrites the arrays.

    Attributes:
        observations: (T, N, C, H, W), in the environment's integer type, on the CPU.
        logits: (T, N, A) float32, of the policy that acted.
        actions: (T, N) int64.
        values: (T, N) float32, of the observations.
        next_values: (T, N) float32, of the observations that followed; 0 where the episode
            terminated.
        rewards: (T, N) float32.
        done: (T, N) bool, whether the episode terminated or was truncated.
        env_steps: environment steps that the player has taken so far, this rollout included.
    """

    observations: Tensor
    logits: Tensor
    actions: Tensor
    values: npt.NDArray[np.float32]
    next_values: npt.NDArray[np.float32]
    rewards: npt.NDArray[np.float32]
    done: npt.NDArray[np.bool_]
    env_steps: int = 0


class Player:
    """Plays in one batch of environments, one rollout after the other.

    Args:
        env: the batch, with SAME_STEP autoreset; it is reset here.
        num_steps: T, steps per environment in a rollout.
        actions: A, the number of actions.
        policy: logits and values; it may run on another device.
        device: device of the policy.
        generator: source of the sampled actions, on the CPU.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        *,
        num_steps: int,
        actions: int,
        policy: Policy,
        device: str,
        generator: torch.Generator,
    ) -> None:
        self.env, self.policy, self.device, self.generator = env, policy, device, generator
        self._observation = torch.from_numpy(env.reset()[0])
        self._env_steps = 0
        self.rollout, self._other = (self._allocate(num_steps, actions) for _ in range(2))

    def play(self) -> Rollout:
        """Play T more steps in every environment, with sampled actions.

        Raises:
            BudgetExhausted: raised by the environment when the budget is spent.
        """
        rollout, self._other = self._other, self.rollout
        self.rollout = rollout
        for step in range(len(rollout.actions)):
            logits, values = self._say(self._observation)
            actions = sampled(logits, self.generator)
            rollout.observations[step] = self._observation
            rollout.logits[step], rollout.actions[step] = logits, actions
            rollout.values[step] = values
            self._advance(step, actions)
        rollout.next_values[:-1] += np.where(rollout.done[:-1], 0.0, rollout.values[1:])
        beyond = self._say(self._observation)[1]
        rollout.next_values[-1] += np.where(rollout.done[-1], 0.0, beyond)
        rollout.env_steps = self._env_steps
        return rollout

    def _allocate(self, num_steps: int, actions: int) -> Rollout:
        shape, picture = (num_steps, self.env.num_envs), self._observation
        return Rollout(
            observations=torch.empty((*shape, *picture.shape[1:]), dtype=picture.dtype),
            logits=torch.empty((*shape, actions)),
            actions=torch.empty(shape, dtype=torch.int64),
            values=np.zeros(shape, np.float32),
            next_values=np.zeros(shape, np.float32),
            rewards=np.zeros(shape, np.float32),
            done=np.zeros(shape, np.bool_),
        )

    def _advance(self, step: int, actions: Tensor) -> None:
        """Take one step; afterwards ``next_values`` holds the values of truncated episodes."""
        rollout = self.rollout
        observation, reward, terminated, truncated, infos = self.env.step(actions.numpy())
        self._env_steps += len(actions)
        self._observation = torch.from_numpy(observation)
        rollout.rewards[step] = reward
        rollout.done[step] = terminated | truncated
        rollout.next_values[step] = 0.0
        cut = np.flatnonzero(truncated & ~terminated)
        if len(cut):
            rollout.next_values[step, cut] = self._say(torch.from_numpy(infos["final_obs"][cut]))[1]

    @torch.inference_mode()
    def _say(self, observations: Tensor) -> tuple[Tensor, npt.NDArray[np.float32]]:
        logits, values = self.policy(observations.to(self.device))
        return logits.cpu(), values.cpu().numpy()


def played(player: Player) -> Iterator[Rollout]:
    """Rollouts without end, each played on demand."""
    while True:
        yield player.play()


def played_ahead(player: Player, network: nn.Module) -> Iterator[Rollout]:
    """Rollouts without end; the next one is played while the caller learns from the last.

    Args:
        player: it plays in a thread, with a copy of the network that is renewed between rollouts.
        network: the caller's, which may change while a rollout is being played.

    Raises:
        BudgetExhausted: raised by the environment, in place of the rollout that it cut short.
    """
    player.policy = acting = deepcopy(network)
    with half_the_threads(), ThreadPoolExecutor(max_workers=1) as pool:
        coming = pool.submit(player.play)
        while True:
            rollout = coming.result()
            acting.load_state_dict(network.state_dict())
            coming = pool.submit(player.play)
            yield rollout


def sampled(logits: Tensor, generator: torch.Generator) -> Tensor:
    """Actions (B,) int64 sampled from logits (B, A), by the Gumbel-max trick."""
    uniform = torch.rand(logits.shape, generator=generator).clamp_min_(1e-20)
    return (logits - (-uniform.log()).log()).argmax(1)
