"""The environments of homework 4: a screen, and a joystick action."""

from __future__ import annotations

from typing import Any, ClassVar, get_args

import numpy as np
from gymnasium.spaces import Discrete

from mlds_bench.envs.atari.emulator import MOST_SEED, Emulators, Integers
from mlds_bench.envs.atari.specs import (
    BREAKOUT,
    FIRE,
    PONG,
    REDUCED,
    SERVED,
    TRACED_DECISIONS,
    Actions,
    Protocol,
    check_protocol,
    check_whole,
)
from mlds_bench.envs.atari.view import Picture, View
from mlds_bench.envs.core import BatchedEnv, Flags, Outcome, Split
from mlds_bench.envs.recording import Recorded
from mlds_bench.envs.streams import Indices, Streams


class AtariGame(BatchedEnv):
    """A game of the Atari 2600 under a protocol; the base of `Pong`, `Breakout` and `Atari`.

    Args:
        protocol: how the game is played.
        size: side of the square picture, 16 to 210 pixels.
        color: three channels a frame instead of one gray.
        stack: frames (or differences) in an observation, 1 to 16.
        difference: each frame minus the one before, instead of frames.
        actions: ``full``, or ``reduced`` where `specs.REDUCED` has the game.
        clip_rewards: in ``train``, the sign of the reward.
        life_ends: in ``train``, a lost life ends the episode; the game goes on in the next.
        threads: of the emulators; 0 for as many as there are instances or processors, the fewer.
            Results do not depend on it.
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.

    Raises:
        ValueError: one line that names the argument, its value and its bound.
    """

    view_options: ClassVar[frozenset[str]] = frozenset(
        {"size", "color", "stack", "difference", "actions", "clip_rewards", "life_ends"}
    )
    recorded: ClassVar[Recorded] = "ends"

    def __init__(
        self,
        protocol: Protocol,
        *,
        size: int = 84,
        color: bool = False,
        stack: int = 4,
        difference: bool = False,
        actions: Actions = "full",
        clip_rewards: bool = False,
        life_ends: bool = False,
        threads: int = 0,
        num_envs: int = 1,
        split: Split = "train",
        seed: int | None = None,
    ) -> None:
        check_protocol(protocol)
        check_whole("threads", threads, 0, 1024)
        self.protocol = protocol
        self.view = View(size=size, color=color, stack=stack, difference=difference)
        self._emulators = Emulators(protocol, self.view, num_envs=num_envs, threads=threads)
        names = _action_names(protocol.game, actions, self._emulators.actions)
        super().__init__(
            self.view.space, Discrete(len(names)), num_envs=num_envs, split=split, seed=seed
        )
        self.action_names = names
        self._buttons: Integers = np.array([self._emulators.actions.index(name) for name in names])
        self._fires_itself = protocol.game in SERVED and FIRE not in names
        self._clips = clip_rewards and split == "train"
        self._ends_lives = life_ends and split == "train"
        self._seeded_by: Streams | None = None
        self._age = np.zeros(num_envs, np.int64)
        self._lives = np.zeros(num_envs, np.int32)
        self._must_fire = np.zeros(num_envs, np.bool_)
        self._goes_on = np.zeros(num_envs, np.bool_)
        self._life_return = np.zeros(num_envs)
        self._life_returns: list[list[float]] = [[] for _ in range(num_envs)]

    def draw(self, mask: Flags) -> None:
        """New games where ``mask`` (N,) is True; where only a life ended, the game goes on."""
        fresh, seeds = mask & ~self._goes_on, self._new_seeds()
        self._emulators.reset(fresh, seeds)
        self._lives = self._emulators.lives
        if seeds is not None and self.split == "test":
            self.recording.trace.append({"protocol": self.protocol, "seed": int(seeds[0])})
        self._age[mask] = 0
        self._goes_on[mask] = False
        self._must_fire[fresh] = self._fires_itself and not self.protocol.fire_reset
        self._life_return[fresh] = 0.0
        for game in np.flatnonzero(fresh):
            self._life_returns[game] = []

    def observe(self) -> Picture:
        """The pictures (N, C, size, size), in the emulators' own new array where that is enough."""
        return self.view.show(self._emulators.frames, self._age)

    def advance(self, actions: Integers) -> Outcome:
        """Press for four frames in every game."""
        buttons = self._buttons[actions]
        if self._fires_itself:
            buttons[self._must_fire] = self._emulators.actions.index(FIRE)
        reward, over, truncated = self._emulators.step(buttons)
        self._age += 1
        lost = self._emulators.lives < self._lives
        self._lives = self._emulators.lives
        self._must_fire = lost if self._fires_itself else self._must_fire
        if self.split == "test":
            self._trace(buttons[0])
            self._count_lives(reward, lost | over | truncated)
        if self._clips:
            reward = np.sign(reward)
        if not self._ends_lives:
            return reward, over, truncated
        self._goes_on = lost & ~over & ~truncated
        return reward, over | self._goes_on, truncated

    def oracle(self) -> None:
        """There is none: nobody knows the right action."""

    def ending(self, ended: Indices) -> dict[str, Any]:
        """The returns of the lives of the games that ended, one after the other, and how many."""
        lives = [self._life_returns[game] for game in ended]
        return {
            "lives": np.array([len(one) for one in lives]),
            "life_returns": np.concatenate([np.array(one) for one in lives]),
        }

    def close_extras(self, **kwargs: Any) -> None:  # noqa: ARG002
        """End the emulators' threads."""
        self._emulators.close()

    def _new_seeds(self) -> Integers | None:
        """Seeds of all emulators, the first time after ``reset(seed=)``."""
        if self._seeded_by is self.streams:
            return None
        self._seeded_by = self.streams
        return self.streams.integers(self.streams.everyone, MOST_SEED, 1)[:, 0] + 1

    def _trace(self, button: np.int64) -> None:
        """Note what was pressed in the first game, from which pictures play it again."""
        if self._episode[0] == 0 and self._age[0] <= TRACED_DECISIONS:
            self.recording.trace.append({"button": int(button)})

    def _count_lives(self, reward: Any, ended: Flags) -> None:
        self._life_return += reward
        for game in np.flatnonzero(ended):
            self._life_returns[game].append(float(self._life_return[game]))
        self._life_return[ended] = 0.0


class Pong(AtariGame):
    """Pong against the built-in opponent, to 21 points.

    Observation: the screen as the agent chose to see it, Box (C, size, size) uint8, channels first,
    oldest frame first; C = ``stack``, times 3 in colour; 0 to 255. With ``difference``, int16 in
    [-255, 255]: each frame minus the one before. A frame is the maximum of the last two that were
    played, averaged over areas to ``size``. What lies before the start of the episode is zero.

    Action: Discrete(6): NOOP, FIRE, RIGHT (up), LEFT (down), RIGHTFIRE, LEFTFIRE; Discrete(3) with
    ``actions="reduced"``: NOOP, RIGHT, LEFT. It lasts four frames, in each of which the last one
    played sticks with probability 0.25.

    Reward: points won minus points lost, float64: +1, -1 or 0.

    Oracle: none.

    End of episode: ``terminated`` when a side has 21 points; ``truncated`` after 108,000 frames,
    27,000 decisions.

    Scores: ``mean_return`` (primary; higher is better), ``mean_length``, ``games``, and the lives,
    which are the games; see `mlds_bench.envs.atari.scoring`. The first game of the test split is
    traced for `mlds_bench.envs.atari.pictures`.

    Source: NTU "Machine Learning and Having It Deep and Structured" 2018, homework 4-1; Bellemare
    et al. 2013, "The Arcade Learning Environment".

    Args:
        **view_and_batch: see `AtariGame`: ``size``, ``color``, ``stack``, ``difference``,
            ``actions``, ``clip_rewards``, ``life_ends``, ``threads``, ``num_envs``, ``split``,
            ``seed``.
    """

    def __init__(self, **view_and_batch: Any) -> None:
        super().__init__(PONG, **view_and_batch)


class Breakout(AtariGame):
    """Breakout: five lives to clear two walls of bricks.

    Observation: the screen as the agent chose to see it, Box (C, size, size) uint8, channels first,
    oldest frame first; C = ``stack``, times 3 in colour; 0 to 255. With ``difference``, int16 in
    [-255, 255]: each frame minus the one before. A frame is the maximum of the last two that were
    played, averaged over areas to ``size``. What lies before the start of the episode is zero.

    Action: Discrete(4): NOOP, FIRE, RIGHT, LEFT; it lasts four frames. FIRE serves the ball: the
    first is served by itself, and whoever never fires again plays on until the game is truncated.
    Discrete(3) with ``actions="reduced"``: NOOP, RIGHT, LEFT; the first action of every life is
    then replaced by FIRE.

    Reward: points of the bricks, 1 to 7 each, float64; their sign with ``clip_rewards`` in
    ``train``.

    Oracle: none.

    End of episode: ``terminated`` when the last life is lost, in ``train`` with ``life_ends`` when
    any is; ``truncated`` after 108,000 frames, 27,000 decisions. A game starts with fewer than 30
    frames of no-ops.

    Scores: ``mean_return`` of full games and ``mean_life_return`` of single lives (either may be
    primary; higher is better), ``mean_length``, ``games``, ``lives``; see
    `mlds_bench.envs.atari.scoring`.

    Source: NTU "Machine Learning and Having It Deep and Structured" 2018, homework 4-2; Mnih et al.
    2015, "Human-level control through deep reinforcement learning".

    Args:
        **view_and_batch: see `AtariGame`: ``size``, ``color``, ``stack``, ``difference``,
            ``actions``, ``clip_rewards``, ``life_ends``, ``threads``, ``num_envs``, ``split``,
            ``seed``.
    """

    def __init__(self, **view_and_batch: Any) -> None:
        super().__init__(BREAKOUT, **view_and_batch)


class Atari(AtariGame):
    """Any game that ale-py has, under a protocol of your choice.

    Observation: the screen as the agent chose to see it, Box (C, size, size) uint8, channels first,
    oldest frame first; C = ``stack``, times 3 in colour; 0 to 255. With ``difference``, int16 in
    [-255, 255]: each frame minus the one before. A frame is the maximum of the last two that were
    played, averaged over areas to ``size``. What lies before the start of the episode is zero.

    Action: Discrete(n), the game's minimal set, named in ``action_names``; it lasts four frames.

    Reward: the game's points, float64; their sign with ``clip_rewards`` in ``train``.

    Oracle: none.

    End of episode: ``terminated`` when the game is over, in ``train`` with ``life_ends`` when a
    life is lost; ``truncated`` after 108,000 frames, 27,000 decisions.

    Scores: ``mean_return`` (primary; higher is better), ``mean_life_return``, ``mean_length``,
    ``games``, ``lives``; see `mlds_bench.envs.atari.scoring`.

    Source: Machado et al. 2018, "Revisiting the Arcade Learning Environment: evaluation protocols
    and open problems for general agents", whose sticky actions are the default.

    Args:
        game: as in ``ale_py.roms.get_all_rom_ids()``: ``space_invaders``.
        sticky: probability that a frame repeats the last frame's action.
        noop_max: a game starts with fewer than this many frames of no-ops.
        fire_reset: FIRE is pressed for a frame at the start of a game.
        **view_and_batch: see `AtariGame`: ``size``, ``color``, ``stack``, ``difference``,
            ``actions``, ``clip_rewards``, ``life_ends``, ``threads``, ``num_envs``, ``split``,
            ``seed``.
    """

    def __init__(
        self,
        *,
        game: str = "pong",
        sticky: float = 0.25,
        noop_max: int = 0,
        fire_reset: bool = False,
        **view_and_batch: Any,
    ) -> None:
        super().__init__(Protocol(game, sticky, noop_max, fire_reset), **view_and_batch)


def _action_names(game: str, actions: str, full: tuple[str, ...]) -> tuple[str, ...]:
    if actions not in get_args(Actions):
        raise ValueError(f"actions must be one of {', '.join(get_args(Actions))}, got {actions!r}")
    if actions == "full":
        return full
    if game not in REDUCED:
        raise ValueError(
            f"actions='reduced' is known for {', '.join(REDUCED)}, not for {game}: use 'full'"
        )
    return REDUCED[game]
