"""The environments of homework 4: a screen, and a joystick action."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
from gymnasium.spaces import Discrete

from mlds_bench.common.settings import make_settings
from mlds_bench.envs.atari.emulator import (
    EMULATOR_BYTES,
    MOST_SEED,
    Emulators,
    Integers,
    game_actions,
)
from mlds_bench.envs.atari.playback import Screen
from mlds_bench.envs.atari.specs import (
    FIRE,
    FRAME_SKIP,
    FRAMES_PER_SECOND,
    REDUCED,
    SERVED,
    TRACED_DECISIONS,
    AtariSettings,
    BreakoutSettings,
    PongSettings,
    Settings,
)
from mlds_bench.envs.atari.view import Picture, View
from mlds_bench.envs.core import BatchedEnv, Flags, Frame, Outcome, Split
from mlds_bench.envs.recorders import EndRecorder, Indices
from mlds_bench.envs.streams import Streams


class AtariGame(BatchedEnv):
    """A game of the Atari 2600 under a protocol; the base of `Pong`, `Breakout` and `Atari`.

    With ``render_mode`` a second emulator plays each game in lockstep, under the same seed and
    buttons, and shows it as it is drawn: in full size and color.

    Args:
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.
        render_mode: ``rgb_array``, or None.
        max_episode_steps: after which an episode is truncated; None for the end above alone.
        **settings: see `mlds_bench.envs.atari.specs`.

    Raises:
        ValueError: one line that names the argument, its value and its bound.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - see BatchedEnv
        **BatchedEnv.metadata,
        "render_modes": ["rgb_array"],
        "render_fps": FRAMES_PER_SECOND // FRAME_SKIP,
    }
    view_options: ClassVar[frozenset[str]] = Settings.view_options

    bytes_per_env: ClassVar[int] = EMULATOR_BYTES

    settings_class: ClassVar[type[Settings]]

    def __init__(
        self,
        *,
        num_envs: int = 1,
        split: Split = "train",
        seed: int | None = None,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
        **settings: Any,
    ) -> None:
        self.settings = make_settings(self.settings_class, settings)
        self.protocol, self.view = self.settings.protocol, View.of(self.settings)
        names = _action_names(self.settings, game_actions(self.protocol.game))
        super().__init__(
            self.view.space,
            Discrete(len(names)),
            num_envs=num_envs,
            split=split,
            seed=seed,
            render_mode=render_mode,
            max_episode_steps=max_episode_steps,
        )
        made = {"num_envs": self.num_envs, "threads": self.settings.threads}
        self._emulators = Emulators(self.protocol, self.view, **made)
        self._shadow = Emulators(self.protocol, Screen(), **made) if render_mode else None
        self.action_names = names
        self._buttons: Integers = np.array([self._emulators.actions.index(name) for name in names])
        self._fires_itself = self.protocol.game in SERVED and FIRE not in names
        self._clips = self.settings.clip_rewards and split == "train"
        self._ends_lives = self.settings.life_ends and split == "train"
        self._seeded_by: Streams | None = None
        self._age = np.zeros(self.num_envs, np.int64)
        self._points = np.zeros(self.num_envs)
        self._lives = np.zeros(self.num_envs, np.int32)
        self._lives_played = np.zeros(self.num_envs, np.int64)
        self._must_fire = np.zeros(self.num_envs, np.bool_)
        self._goes_on = np.zeros(self.num_envs, np.bool_)

    def make_recorder(self) -> EndRecorder:
        """Scores need the return, the length and the number of lives of every game."""
        return EndRecorder(("return", "length"), self._lives_of)

    def state_infos(self) -> dict[str, Any]:
        """``lives`` (N,) int32 that are left; 0 in games that count none."""
        return {"lives": self._lives.copy()}

    def step_infos(self) -> dict[str, Any]:
        """``reward`` (N,) float64, the points: what the reward is before it is clipped."""
        return {"reward": self._points.copy()}

    def draw(self, mask: Flags) -> None:
        """New games where ``mask`` (N,) is True; where only a life ended, the game goes on."""
        fresh, seeds = mask & ~self._goes_on, self._new_seeds()
        self._emulators.reset(fresh, seeds)
        if self._shadow:
            self._shadow.reset(fresh, seeds)
        self._lives = self._emulators.lives
        if seeds is not None and self.split == "test":
            self.recording.trace.append({"protocol": self.protocol, "seed": int(seeds[0])})
        self._age[mask] = 0
        self._goes_on[mask] = False
        self._must_fire[fresh] = self._fires_itself and not self.protocol.fire_reset
        self._lives_played[fresh] = 0

    def observe(self) -> Picture:
        """The pictures (N, C, size, size), in the emulators' own new array where that is enough."""
        return self.view.show(self._emulators.frames, self._age)

    def advance(self, actions: Integers) -> Outcome:
        """Press for four frames in every game."""
        buttons = self._buttons[actions]
        if self._fires_itself:
            buttons[self._must_fire] = self._emulators.actions.index(FIRE)
        reward, over, truncated = self._emulators.step(buttons)
        if self.max_episode_steps is not None:
            truncated = (truncated | self.out_of_time) & ~over
        self._points = reward
        if self._shadow:
            self._shadow.step(buttons)
        self._age += 1
        lost = self._emulators.lives < self._lives
        self._lives = self._emulators.lives
        self._must_fire = lost if self._fires_itself else self._must_fire
        if self.split == "test":
            self._trace(buttons[0])
            self._lives_played += lost | over | truncated
        if self._clips:
            reward = np.sign(reward)
        if not self._ends_lives:
            return reward, over, truncated
        self._goes_on = lost & ~over & ~truncated
        return reward, over | self._goes_on, truncated

    def oracle(self) -> None:
        """There is none: nobody knows the right action."""

    def frames(self) -> tuple[Frame, ...]:
        """The screens (210, 160, 3) as the games draw them."""
        if self._shadow is None:
            return ()
        return tuple(self._shadow.frames[:, 0].copy())

    def close_extras(self, **kwargs: Any) -> None:  # noqa: ARG002
        """End the emulators' threads."""
        self._emulators.close()
        if self._shadow:
            self._shadow.close()

    def _lives_of(self, rows: Indices) -> dict[str, Integers]:
        return {"lives": self._lives_played[rows]}

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


class Pong(AtariGame):
    """Pong against the built-in opponent, to 21 points.

    Observation: the screen as the agent chose to see it, Box (C, size, size) uint8, channels first,
    oldest frame first; C = ``stack``, times 3 in color; 0 to 255. With ``difference``, int16 in
    [-255, 255]: each frame minus the one before. A frame is the maximum of the last two that were
    played, averaged over areas to ``size``. What lies before the start of the episode is zero.

    Action: Discrete(6): NOOP, FIRE, RIGHT (up), LEFT (down), RIGHTFIRE, LEFTFIRE; Discrete(3) with
    ``actions="reduced"``: NOOP, RIGHT, LEFT. It lasts four frames, in each of which the last one
    played sticks with probability 0.25.

    Reward: points won minus points lost, float64: +1, -1 or 0.

    Oracle: none. Infos, in both splits: ``lives`` (int32; 0 in games that count none), and of a
    step ``reward`` (float64), its points before they are clipped.

    Feedback: none.

    End of episode: ``terminated`` when a side has 21 points; ``truncated`` after 108,000 frames,
    27,000 decisions.

    Scores: ``mean_return`` (primary; higher is better), ``mean_length``, ``games``, and the lives,
    which are the games; see `mlds_bench.envs.atari.scoring`. The first game of the test split is
    traced for `mlds_bench.envs.atari.pictures`.

    Source: NTU "Machine Learning and Having It Deep and Structured" 2018, homework 4-1; Bellemare
    et al. 2013, "The Arcade Learning Environment".

    Args:
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.
        render_mode: ``rgb_array``, or None.
        max_episode_steps: after which an episode is truncated; None for the end above alone.
        **settings: ``size``, ``color``, ``stack``, ``difference``, ``actions``, ``clip_rewards``,
            ``life_ends``, ``threads``; see `mlds_bench.envs.atari.specs.Settings`.
    """

    settings_class: ClassVar[type[Settings]] = PongSettings


class Breakout(AtariGame):
    """Breakout: five lives to clear two walls of bricks.

    Observation: the screen as the agent chose to see it, Box (C, size, size) uint8, channels first,
    oldest frame first; C = ``stack``, times 3 in color; 0 to 255. With ``difference``, int16 in
    [-255, 255]: each frame minus the one before. A frame is the maximum of the last two that were
    played, averaged over areas to ``size``. What lies before the start of the episode is zero.

    Action: Discrete(4): NOOP, FIRE, RIGHT, LEFT; it lasts four frames. FIRE serves the ball: the
    first is served automatically, and an agent that never fires again plays on until the game is
    truncated.
    Discrete(3) with ``actions="reduced"``: NOOP, RIGHT, LEFT; the first action of every life is
    then replaced by FIRE.

    Reward: points of the bricks, 1 to 7 each, float64; their sign with ``clip_rewards`` in
    ``train``.

    Oracle: none. Infos, in both splits: ``lives`` (int32; 0 in games that count none), and of a
    step ``reward`` (float64), its points before they are clipped.

    Feedback: none.

    End of episode: ``terminated`` when the last life is lost, in ``train`` with ``life_ends`` when
    any is; ``truncated`` after 108,000 frames, 27,000 decisions. A game starts with fewer than 30
    frames of no-ops.

    Scores: ``mean_return`` of full games and ``mean_life_return`` of single lives (either may be
    primary; higher is better), ``mean_length``, ``games``, ``lives``; see
    `mlds_bench.envs.atari.scoring`.

    Source: NTU "Machine Learning and Having It Deep and Structured" 2018, homework 4-2; Mnih et al.
    2015, "Human-level control through deep reinforcement learning".

    Args:
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.
        render_mode: ``rgb_array``, or None.
        max_episode_steps: after which an episode is truncated; None for the end above alone.
        **settings: ``size``, ``color``, ``stack``, ``difference``, ``actions``, ``clip_rewards``,
            ``life_ends``, ``threads``; see `mlds_bench.envs.atari.specs.Settings`.
    """

    settings_class: ClassVar[type[Settings]] = BreakoutSettings


class Atari(AtariGame):
    """Any game that ale-py has, under a protocol of your choice.

    Observation: the screen as the agent chose to see it, Box (C, size, size) uint8, channels first,
    oldest frame first; C = ``stack``, times 3 in color; 0 to 255. With ``difference``, int16 in
    [-255, 255]: each frame minus the one before. A frame is the maximum of the last two that were
    played, averaged over areas to ``size``. What lies before the start of the episode is zero.

    Action: Discrete(n), the game's minimal set, named in ``action_names``; it lasts four frames.

    Reward: the game's points, float64; their sign with ``clip_rewards`` in ``train``.

    Oracle: none. Infos, in both splits: ``lives`` (int32; 0 in games that count none), and of a
    step ``reward`` (float64), its points before they are clipped.

    Feedback: none.

    End of episode: ``terminated`` when the game is over, in ``train`` with ``life_ends`` when a
    life is lost; ``truncated`` after 108,000 frames, 27,000 decisions.

    Scores: ``mean_return`` (primary; higher is better), ``mean_life_return``, ``mean_length``,
    ``games``, ``lives``; see `mlds_bench.envs.atari.scoring`.

    Source: Machado et al. 2018, "Revisiting the Arcade Learning Environment: evaluation protocols
    and open problems for general agents", whose sticky actions are the default.

    Args:
        num_envs: instances in the batch.
        split: ``train`` or ``test``.
        seed: of the first reset.
        render_mode: ``rgb_array``, or None.
        max_episode_steps: after which an episode is truncated; None for the end above alone.
        **settings: the protocol (``game``, ``sticky``, ``noop_max``, ``fire_reset``) and the
            settings of `Pong`; see `mlds_bench.envs.atari.specs.AtariSettings`.
    """

    settings_class: ClassVar[type[Settings]] = AtariSettings


def _action_names(settings: Settings, full: tuple[str, ...]) -> tuple[str, ...]:
    game = settings.protocol.game
    if settings.actions == "full":
        return full
    if game not in REDUCED:
        raise ValueError(
            f"actions='reduced' is known for {', '.join(REDUCED)}, not for {game}: use 'full'"
        )
    return REDUCED[game]
