"""The pool of emulators: ends it cannot survive are named, and leave no threads."""

from __future__ import annotations

import multiprocessing
import os
import threading
from multiprocessing.connection import Connection
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from mlds_bench.envs.atari.emulator import EmulatorFailure, Emulators
from mlds_bench.envs.atari.env import Pong
from mlds_bench.envs.atari.specs import PONG
from tests.envs.atari.makers import view_of

TASKS = Path("/proc/self/task")
ACTION = np.zeros(1, np.int64)


def tasks() -> int:
    """Threads of this process, those that Python does not know included."""
    return len(list(TASKS.iterdir())) if TASKS.is_dir() else threading.active_count()


def test_a_closed_environment_says_so() -> None:
    """Its threads have ended."""
    before = tasks()
    env = Pong(num_envs=2, threads=2)
    env.reset(seed=0)
    env.close()
    env.close()
    assert tasks() <= before
    with pytest.raises(EmulatorFailure, match=r"^the emulators of pong are closed"):
        env.step(np.zeros(2, np.int64))


def _step(env: Pong, pipe: Connection) -> None:
    try:
        env.step(ACTION)
    except EmulatorFailure as failure:
        pipe.send(str(failure))


@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_fork_leaves_the_threads_behind_and_is_told() -> None:
    """Without the check it would wait for ever."""
    env = Pong()
    env.reset(seed=0)
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    child = context.Process(target=_step, args=(env, theirs))
    child.start()
    assert ours.poll(20)
    message = ours.recv()
    child.join()
    assert message == (
        f"the emulators of pong run on threads of process {os.getpid()}, which a fork leaves "
        f"behind: make the environment in process {child.pid}"
    )


def test_a_failing_emulator_is_named() -> None:
    """What the emulator says, and what to do."""

    def fail(actions: Any) -> Any:
        raise RuntimeError("bad instruction")

    emulators = Emulators(PONG, view_of(), num_envs=1, threads=1)
    setattr(emulators, "_vector", SimpleNamespace(step=fail))  # noqa: B010 - a stand-in
    with pytest.raises(EmulatorFailure) as caught:
        emulators.step(ACTION)
    assert str(caught.value) == (
        "the emulator of pong failed (bad instruction): make the environment anew"
    )


def test_the_frames_of_a_step_are_new() -> None:
    """Nothing that was handed out is written again."""
    emulators = Emulators(PONG, view_of(), num_envs=1, threads=1)
    seen = []
    emulators.reset(np.array([True]), np.array([1]))
    for _ in range(20):
        seen.append((emulators.frames, emulators.frames.copy()))
        emulators.step(ACTION)
        emulators.reset(np.array([False]), None)
    assert all((frames == kept).all() for frames, kept in seen)
    assert len({frames.ctypes.data for frames, _ in seen}) == len(seen)
