"""The batched base that every room stands on.

A room implements four batched methods: ``draw(mask)``, ``observe()``, ``advance(actions)`` and
``oracle()``; and ``feedback()``, where it has something to say about the action just taken.
Everything else happens here, once: action checks, SAME_STEP autoreset with final observations, the
split rule (oracle and feedback are told in ``train``, never in ``test``), infos, random streams,
recording, and the retirement of instances that have played their part of a test.
"""

from __future__ import annotations

import secrets
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any, ClassVar, Literal, TypeAlias, get_args

import gymnasium
import numpy as np
import numpy.typing as npt
from gymnasium.error import ResetNeeded
from gymnasium.vector import AutoresetMode
from gymnasium.vector.utils import batch_space

from mlds_bench.common.checks import one_of, shown, whole_number
from mlds_bench.common.names import unknown_name
from mlds_bench.envs.actions import InvalidAction, check_actions
from mlds_bench.envs.arguments import checked_num_envs, checked_seeds
from mlds_bench.envs.recorders import Recorder, Step, StepRecorder
from mlds_bench.envs.roster import Roster
from mlds_bench.envs.streams import Streams

__all__ = ["BatchedEnv", "InvalidAction", "Recorder", "Split", "check_actions"]

Split = Literal["train", "test"]
Flags: TypeAlias = npt.NDArray[np.bool_]
Rewards: TypeAlias = npt.NDArray[np.float64]
Outcome: TypeAlias = tuple[Rewards, Flags, Flags]
Frame: TypeAlias = npt.NDArray[np.uint8]

RESET_OPTIONS = ("reset_mask",)


class BatchedEnv(gymnasium.vector.VectorEnv[Any, Any, Any], ABC):
    """N instances of a room, advanced by one array operation per step.

    Args:
        observation_space: of one instance (Box, Discrete, MultiDiscrete or a Dict of those).
        action_space: of one instance.
        num_envs: N.
        split: ``train`` tells oracle and feedback in the infos; ``test`` records instead.
        seed: of the first reset; ``reset(seed=)`` overrides it. Without any, entropy decides.
        render_mode: one of ``metadata["render_modes"]``, or None to render nothing.
        max_episode_steps: after so many steps an episode is truncated; None for the room's own end.

    Attributes:
        autoreset_mode: SAME_STEP, as in ``metadata``.

    Raises:
        ValueError: one line that names the argument, its value and what is right.
    """

    metadata: dict[str, Any] = {  # noqa: RUF012 - gymnasium declares it as an instance attribute
        "autoreset_mode": AutoresetMode.SAME_STEP,
        "render_modes": [],
        "coupled": False,
    }
    view_options: ClassVar[frozenset[str]] = frozenset()
    """Keyword arguments that an agent may choose (its view of the game), and no others."""
    bytes_per_env: ClassVar[int] = 0
    """Memory that an instance needs besides its observations, from below."""
    tolerance: ClassVar[float] = 1e-9
    """Across batch sizes, the floating-point numbers of an instance agree to within this."""

    def __init__(
        self,
        observation_space: gymnasium.Space[Any],
        action_space: gymnasium.Space[Any],
        *,
        num_envs: int = 1,
        split: Split = "train",
        seed: int | None = None,
        render_mode: str | None = None,
        max_episode_steps: int | None = None,
    ) -> None:
        one_of("split", split, get_args(Split))
        num_envs = checked_num_envs(num_envs, observation_space, self.bytes_per_env)
        if max_episode_steps is not None:
            max_episode_steps = whole_number("max_episode_steps", max_episode_steps, 1)
        self.metadata = dict(type(self).metadata)  # its own: wrappers write into it
        self._check_render_mode(render_mode)
        self.num_envs = num_envs
        self.split = split
        self.render_mode = render_mode
        self.max_episode_steps = max_episode_steps
        self.autoreset_mode = AutoresetMode.SAME_STEP
        self.single_observation_space = observation_space
        self.single_action_space = action_space
        self.recording = self.make_recorder()
        self.final_frames: tuple[Frame, ...] = ()
        self._everyone = np.ones(num_envs, dtype=np.bool_)
        self._roster = Roster(num_envs)
        self._episode = np.zeros(num_envs, dtype=np.int64)
        self._steps = np.zeros(num_envs, dtype=np.int64)
        self._episodes_to_record: int | None = None
        self._is_recording = True
        self._seed = checked_seeds(seed, num_envs)
        self._is_reset = False

    @cached_property
    def observation_space(self) -> gymnasium.Space[Any]:  # type: ignore[override]
        """Space of the batch, made when asked for: its bounds take the memory of two batches."""
        return batch_space(self.single_observation_space, self.num_envs)

    @cached_property
    def action_space(self) -> gymnasium.Space[Any]:  # type: ignore[override]
        """Space of the batch; made when asked for."""
        return batch_space(self.single_action_space, self.num_envs)

    @property
    def instances(self) -> npt.NDArray[np.intp]:
        """(M,) the numbers of the instances that the room's rows stand for; see `narrow`."""
        return self._roster.instance

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
        """What the homework's own method learns from, for the current observation; fresh.

        An array (N, ...), a dictionary of such, or None in rooms without an oracle.
        """

    def feedback(self) -> Any:
        """What could have been better about the action just judged; fresh.

        An array (N, ...), a dictionary of such, or None in rooms without feedback. It is asked for
        in ``train`` only, after `advance` and before finished instances are drawn anew.
        """

    def state_infos(self) -> dict[str, Any]:
        """What else the infos tell of the current observation, in both splits; fresh (N, ...)."""
        return {}

    def step_infos(self) -> dict[str, Any]:
        """What else the infos tell of the action just taken, in both splits; fresh (N, ...)."""
        return {}

    @property
    def out_of_time(self) -> Flags:
        """(M,), where the step being taken is the last that ``max_episode_steps`` allows."""
        if self.max_episode_steps is None:
            return np.zeros(len(self._steps), np.bool_)
        return self._steps >= self.max_episode_steps

    def make_recorder(self) -> Recorder:
        """What records the test split; a room that needs less than every step overrides it."""
        return StepRecorder()

    def frames(self) -> tuple[Frame, ...]:
        """Pictures (height, width, 3) uint8 of all instances, in rooms that have a render mode."""
        raise NotImplementedError

    def narrow(self, mask: Flags) -> None:
        """Drop the room's own rows where ``mask`` is False, and go on with the others.

        A room may implement it, so that a test's last instances do not cost as much as all did. Its
        arrays then have fewer rows than ``num_envs``.
        """
        raise NotImplementedError

    def record(self, episodes: int) -> None:
        """Count only the first ``episodes`` of every instance, from the next seeded reset on.

        Nothing else is recorded. An instance that has ended them is retired: it keeps showing its
        last observation, its reward is 0, it does not end again, and its actions are ignored.
        """
        if self.split != "test":
            raise ValueError("only the test split records: make the environment with split='test'")
        self._episodes_to_record = whole_number("episodes", episodes, 1)
        self._is_recording = False

    def reset(
        self,
        *,
        seed: int | Sequence[int | None] | None = None,
        options: dict[str, Any] | None = None,
    ) -> tuple[Any, dict[str, Any]]:
        """Start all instances anew (or those in ``options["reset_mask"]``).

        Args:
            seed: one for the batch (instance i draws from the stream (seed, i)), or a list with one
                per instance (each then repeats what it does alone under its seed). Without a seed
                the streams go on.
            options: ``reset_mask``, (N,) bool: which instances to reset.
        """
        mask = self._reset_mask(options)
        if seed is not None and not mask.all():
            raise ValueError("a seed starts all instances anew: give seed or reset_mask, not both")
        if seed is not None or not self._is_reset:
            self._start(self._drawn_seed(checked_seeds(seed, self.num_envs)))
            mask = self._everyone
        elif self._roster.has_retired or not self._is_recording:
            raise ValueError("episodes are counted from a seeded reset: call reset(seed=...)")
        self._begin(mask)
        self.draw(mask)
        self._is_reset = True
        return self._look()

    def step(self, actions: Any) -> tuple[Any, Rewards, Flags, Flags, dict[str, Any]]:
        """Act in every instance; those that end start their next episode in the same step."""
        if not self._is_reset:
            raise ResetNeeded("call reset() before the first step()")
        roster = self._roster
        checked = roster.inward(
            check_actions(self.single_action_space, actions, self.num_envs, roster.retired)
        )
        if self.max_episode_steps is not None:
            self._steps += 1
        reward, terminated, truncated = self.advance(checked)
        if self.max_episode_steps is not None:
            truncated = (truncated | self.out_of_time) & ~terminated
        told = self._told_of_step()
        step = Step(
            roster.rows, roster.instance, self._episode, checked, reward, terminated, truncated
        )
        if self.split == "test":
            self.recording.step(step)
        done = terminated | truncated
        final = self._end(step, done) if done.any() else {}
        observation, infos = self._look()
        if roster.has_retired:
            return roster.outward(step, observation, final, told, infos)
        return observation, reward, terminated, truncated, {**infos, **told, **final}

    def render(self) -> tuple[Frame, ...]:
        """Pictures (height, width, 3) uint8 of all instances as they are now."""
        if self.render_mode is None:
            raise ValueError("nothing is rendered: make the environment with a render_mode")
        return self.frames()

    def _start(self, seed: int | list[int]) -> None:
        """Begin from a seed: new streams, a new recording."""
        if self._roster.is_narrow:
            raise ValueError("instances that are done were dropped: make a new environment")
        self.streams = Streams(seed, self.num_envs)
        self.recording = self.make_recorder()
        self.recording.start(self.num_envs, self._episodes_to_record)
        self._is_recording = True
        self._roster = Roster(self.num_envs)
        self._episode = np.full(self.num_envs, -1)
        self._steps = np.zeros(self.num_envs, dtype=np.int64)

    def _begin(self, mask: Flags) -> None:
        """Count a new episode in the rows where ``mask`` (M,) is True."""
        self._episode += mask
        if self.max_episode_steps is not None:
            self._steps[mask] = 0
        if self.split == "test":
            self.recording.begin(self._roster.instance[mask])

    def _look(self) -> tuple[Any, dict[str, Any]]:
        observation = self.observe()
        if self.split == "test":
            self.recording.show(observation, self.oracle)
        return observation, self._told_of_state(self._everyone)

    def _end(self, step: Step, done: Flags) -> dict[str, Any]:
        """Final observations and infos of finished instances, which are then reset."""
        final, rows = self._final(done), self._roster.rows
        counted = rows[done[rows]]
        if self.split == "test" and len(counted):
            self.recording.end(step, counted, final["final_obs"], self.oracle)
        if self.render_mode is not None:
            self.final_frames = self.frames()
        self._begin(done)
        self.draw(done)
        if self.split == "test":
            self._retire(final["final_obs"])
        return final

    def _final(self, done: Flags) -> dict[str, Any]:
        return {
            "final_obs": self.observe(),
            "_final_obs": done,
            "final_info": self._told_of_state(done),
            "_final_info": done.copy(),
        }

    def _retire(self, last_seen: Any) -> None:
        """Retire the instances that have ended all episodes that count."""
        roster = self._roster
        roster.retire(self.recording.still_counts(roster.instance), last_seen)
        mask = roster.worth_narrowing() if self._can_narrow else None
        if mask is not None:
            self.streams.narrow(mask)
            self.narrow(mask)
            self._episode, self._steps = self._episode[mask], self._steps[mask]
            roster.narrow(mask)

    @property
    def _can_narrow(self) -> bool:
        """A batch that is rendered has to show all its instances."""
        return type(self).narrow is not BatchedEnv.narrow and self.render_mode is None

    def _told_of_state(self, mask: Flags) -> dict[str, Any]:
        told = self.state_infos()
        if self.split == "train" and (oracle := self.oracle()) is not None:
            told["oracle"] = oracle
        return _masked(told, mask)

    def _told_of_step(self) -> dict[str, Any]:
        """Asked for before the instances that ended are drawn anew."""
        told = self.step_infos()
        if self.split == "train" and (feedback := self.feedback()) is not None:
            told["feedback"] = feedback
        return _masked(told, self._everyone)

    def _check_render_mode(self, render_mode: Any) -> None:
        modes = self.metadata["render_modes"]
        if render_mode is None or (isinstance(render_mode, str) and render_mode in modes):
            return
        has = f"it has {', '.join(modes)}" if modes else "it draws nothing"
        raise ValueError(f"{type(self).__name__} has no render_mode {shown(render_mode)}: {has}")

    def _reset_mask(self, options: dict[str, Any] | None) -> Flags:
        check_options(options, RESET_OPTIONS)
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

    def _drawn_seed(self, seed: int | list[int | None] | None) -> int | list[int]:
        """The seed of a reset; what is not given comes from the constructor, or from entropy."""
        seed = self._seed if seed is None else seed
        if isinstance(seed, list):
            return [secrets.randbits(63) if one is None else one for one in seed]
        return secrets.randbits(63) if seed is None else seed


def check_options(options: Any, known: Sequence[str]) -> None:
    """Refuse options of a reset that are not known."""
    if options is not None and not isinstance(options, Mapping):
        raise ValueError(f"options must be a dictionary or None, got {shown(options)}")
    for name in options or {}:
        if name not in known:
            raise ValueError(unknown_name("reset option", str(name), known))


def _masked(told: dict[str, Any], mask: Flags) -> dict[str, Any]:
    """Infos in Gymnasium's form: with every value, whose rows it is told of."""
    for name in [*told]:
        told[f"_{name}"] = mask.copy()
    return told
