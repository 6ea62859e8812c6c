"""Pictures of running games, and the video that Gymnasium makes of them."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import gymnasium
import numpy as np
import pytest
from gymnasium.wrappers import RecordVideo
from moviepy.video.io.VideoFileClip import VideoFileClip  # type: ignore[import-untyped]
from stable_baselines3.common.vec_env import VecVideoRecorder

from mlds_bench.agents.sb3 import BatchedVecEnv
from mlds_bench.envs.atari import emulator
from mlds_bench.envs.atari.env import Atari, AtariGame, Breakout, Pong
from mlds_bench.envs.atari.playback import SCREEN, read_game

draws = partial(Breakout, render_mode="rgb_array", size=16, stack=1, actions="reduced")


def test_a_batch_draws_the_screens_as_a_replay_does() -> None:
    """Of the first game: after the reset and after every decision."""
    env = Pong(num_envs=2, split="test", render_mode="rgb_array")
    env.reset(seed=3)
    frames = [env.render()[0]]
    for action in np.random.default_rng(0).integers(6, size=(40, 2)):
        env.step(action)
        frames.append(env.render()[0])
    for frame, screen in zip(frames, read_game(env.recording).screens(), strict=True):
        assert frame.dtype == np.uint8
        np.testing.assert_array_equal(frame, screen)
    assert [frame.shape for frame in env.render()] == [(*SCREEN, 3)] * 2
    first, second = env.render()
    assert not np.array_equal(first, second)


@pytest.mark.parametrize("options", [{}, {"life_ends": True}])
def test_the_shadow_plays_the_same_games(
    monkeypatch: pytest.MonkeyPatch, options: dict[str, Any]
) -> None:
    """Through lives and later games, with sticky actions and no-ops of its own generator."""
    make = partial(Atari, game="breakout", noop_max=30, sticky=0.25, size=16, stack=1)
    env = make(num_envs=3, actions="reduced", render_mode="rgb_array", **options)
    env.reset(seed=1)
    told: list[Any] = []
    shadow = env._shadow
    assert shadow is not None
    step = shadow.step

    def listen(actions: Any) -> Any:
        told.append(step(actions))
        return told[-1]

    monkeypatch.setattr(shadow, "step", listen)
    games = 0
    for action in np.random.default_rng(0).integers(3, size=(400, 3)):
        _, reward, *_ = env.step(action)
        np.testing.assert_array_equal(told[-1][0], reward)
        np.testing.assert_array_equal(shadow.lives, env._emulators.lives)
        games += int(told[-1][1].sum())
    assert games >= 3


def test_drawing_changes_nothing() -> None:
    """What is seen and paid is the same with pictures and without."""
    paths = []
    for mode in (None, "rgb_array"):
        env = Breakout(num_envs=2, render_mode=mode, size=16, stack=1)
        path = [env.reset(seed=2)[0]]
        path += [env.step(a)[0] for a in np.random.default_rng(0).integers(4, size=(60, 2))]
        paths.append(path)
    np.testing.assert_array_equal(paths[0], paths[1])


def test_frames_are_nobody_elses() -> None:
    env = draws(num_envs=1)
    env.reset(seed=0)
    first = env.render()[0]
    kept = first.copy()
    env.step(np.zeros(1, np.int64))
    env.render()[0][...] = 0
    np.testing.assert_array_equal(first, kept)
    assert env.render()[0].any()


def test_the_single_view_shows_the_last_moment_of_a_game(monkeypatch: pytest.MonkeyPatch) -> None:
    """After an end, and the new game only after the reset."""
    monkeypatch.setattr(emulator, "MOST_FRAMES", 80)
    batch, alone = draws(num_envs=1), gymnasium.make("mlds/Breakout-v0", render_mode="rgb_array")
    unwrapped: Any = alone.unwrapped
    unwrapped.reset(seed=4)
    batch.reset(seed=4)
    ended = False
    while not ended:
        before = unwrapped.render()
        _, _, _, ended, _ = unwrapped.step(2)
    last = unwrapped.render()
    assert np.abs(last.astype(int) - before).sum() < 100_000
    np.testing.assert_array_equal(last, unwrapped.batched.final_frames[0])
    unwrapped.reset()
    np.testing.assert_array_equal(unwrapped.render(), unwrapped.batched.render()[0])
    assert not np.array_equal(unwrapped.render(), last)
    alone.close()


def test_closing_ends_the_shadow_too() -> None:
    env = draws(num_envs=1)
    env.reset(seed=0)
    env.close()
    with pytest.raises(emulator.EmulatorFailure, match="are closed"):
        env.step(np.zeros(1, np.int64))
    shadow = env._shadow
    assert shadow is not None
    with pytest.raises(emulator.EmulatorFailure, match="are closed"):
        shadow.step(np.zeros(1, np.int64))


@pytest.mark.parametrize("make", [Pong, Breakout, Atari])
def test_only_pictures_are_drawn(make: type[AtariGame]) -> None:
    """A mode that there is not is refused by name, and nothing is drawn unasked."""
    with pytest.raises(ValueError, match=r"has no render_mode 'human': it has rgb_array$"):
        make(render_mode="human")
    env = make()
    assert env._shadow is None
    assert env.metadata["render_fps"] == 15
    with pytest.raises(ValueError, match="nothing is rendered: make the environment with"):
        env.render()


def test_gymnasium_records_a_video_of_pong(tmp_path: Path) -> None:
    """As its users do it; a picture per decision, at the game's own speed."""
    env = RecordVideo(
        gymnasium.make("mlds/Pong-v0", render_mode="rgb_array"),
        str(tmp_path / "videos"),
        video_length=30,
        step_trigger=lambda step: step == 0,
        disable_logger=True,
    )
    env.reset(seed=0)
    for _ in range(40):
        env.step(env.action_space.sample())
    env.close()  # type: ignore[no-untyped-call]
    (path,) = tmp_path.glob("videos/*.mp4")
    with VideoFileClip(str(path)) as clip:
        assert clip.size == [SCREEN[1], SCREEN[0]]
        assert clip.fps == 15.0
        assert clip.duration == pytest.approx(2.0, abs=0.1)
        court = clip.get_frame(1.0)[100, 80].astype(int)
    assert np.abs(court - (144, 72, 17)).max() < 12


def test_stable_baselines3_records_a_video_of_a_batch(tmp_path: Path) -> None:
    """Its VecVideoRecorder over our adapter: all instances in one picture."""
    batch = gymnasium.make_vec("mlds_bench:mlds/Pong-v0", num_envs=4, render_mode="rgb_array")
    env = VecVideoRecorder(
        BatchedVecEnv(batch), str(tmp_path), lambda step: step == 0, video_length=15
    )
    env.reset()
    for _ in range(20):
        env.step(np.zeros(4, np.int64))
    env.close()
    (path,) = tmp_path.glob("*.mp4")
    with VideoFileClip(str(path)) as clip:
        assert clip.size == [2 * SCREEN[1], 2 * SCREEN[0]]
        assert clip.fps == 15.0
        court = clip.get_frame(0.5)[[100, 310, 310], [80, 80, 240]].astype(int)
    assert np.abs(court - (144, 72, 17)).max() < 12


@pytest.mark.parametrize("name", ["FunctionFitting", "LossLandscape"])
def test_rooms_that_draw_no_screens_say_so(name: str) -> None:
    """However they are made: one line."""
    for make in (gymnasium.make, gymnasium.make_vec):
        with pytest.raises(ValueError, match=f"{name} has no render_mode 'rgb_array': it draws n"):
            make(f"mlds_bench:mlds/{name}-v0", render_mode="rgb_array")
