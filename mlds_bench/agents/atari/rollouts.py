"""Playing with a policy: steps of a batch of instances, written where learning reads them.

A player may play ahead: the next rollout, in a thread of its own, while the last one is learnt
from. Emulators and inference then have one half of the processors, learning the other, and neither
waits. The price is that a rollout is played by the policy of one improvement before, always exactly
one, so that runs repeat bit by bit (Huang et al. 2023, "Cleanba").
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

Policy: TypeAlias = Callable[[Tensor], tuple[Tensor, Tensor]]
"""Logits (N, A) and values (N,) of observations (N, C, H, W)."""


@dataclass
class Rollout:
    """T steps of N instances; arrays are overwritten by the second `Player.play` after.

    Attributes:
        observations: (T, N, C, H, W), of the environment's integers, on the CPU.
        logits: (T, N, A) float32 of the policy that acted.
        actions: (T, N) int64.
        values: (T, N) float32, of the observations.
        next_values: (T, N) float32, of what followed: 0 where the episode terminated.
        rewards: (T, N) float32.
        done: (T, N) bool, the episode terminated or was cut.
        env_steps: that the player had played when it was done, counted an instance.
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
    """Plays on and on in one batch, a rollout at a time.

    Args:
        env: the batch, SAME_STEP autoreset; it is reset here.
        steps: T of a rollout.
        actions: A, of a Discrete (A).
        policy: logits and values; may run on another device.
        device: of the policy.
        generator: of the actions, on the CPU.
    """

    def __init__(
        self,
        env: VectorEnv[Any, Any, Any],
        *,
        steps: int,
        actions: int,
        policy: Policy,
        device: str,
        generator: torch.Generator,
    ) -> None:
        self.env, self.policy, self.device, self.generator = env, policy, device, generator
        self._observation = torch.from_numpy(env.reset()[0])
        self._env_steps = 0
        self.rollout, self._other = (self._allocate(steps, actions) for _ in range(2))

    def play(self) -> Rollout:
        """The next T steps.

        Raises:
            BudgetExhausted: by the environment, when the budget is spent.
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

    def _allocate(self, steps: int, actions: int) -> Rollout:
        shape, picture = (steps, self.env.num_envs), self._observation
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
        """One environment step; ``next_values`` holds the values of cut episodes afterwards."""
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
    """Rollout after rollout, each played when it is asked for."""
    while True:
        yield player.play()


def played_ahead(player: Player, network: nn.Module) -> Iterator[Rollout]:
    """Rollouts, of which the next is played while the caller improves the network on the last.

    Args:
        player: plays in a thread, by a copy of the network that is renewed between rollouts.
        network: the caller's; it may change while a rollout is out.

    Raises:
        BudgetExhausted: by the environment, where the rollout that it ended would have come.
    """
    threads = torch.get_num_threads()
    torch.set_num_threads(max(threads // 2, 1))
    player.policy = acting = deepcopy(network)
    try:
        with ThreadPoolExecutor(max_workers=1) as pool:
            coming = pool.submit(player.play)
            while True:
                rollout = coming.result()
                acting.load_state_dict(network.state_dict())
                coming = pool.submit(player.play)
                yield rollout
    finally:
        torch.set_num_threads(threads)


def sampled(logits: Tensor, generator: torch.Generator) -> Tensor:
    """An action (B,) int64 for each row of logits (B, A), by the Gumbel trick."""
    uniform = torch.rand(logits.shape, generator=generator).clamp_min_(1e-20)
    return (logits - (-uniform.log()).log()).argmax(1)
