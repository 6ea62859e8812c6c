"""Steps a second of Pong: our environment, the bare emulators, and Stable-Baselines3's own.

Random actions, drawn before the clock starts; the same machine and run, in turn; games that end and
start anew are in. The goals: at least 3 times the steps of `make_atari_env` with `SubprocVecEnv`,
and at least 0.9 of those of ale-py's vector environment alone; the rest is the share of time spent
outside the emulators.

Stable-Baselines3 takes its resizing from OpenCV, which is no dependency of ours: install the extra
``perf``. Without it they get a stand-in that drops pixels instead of averaging them, which costs
next to nothing: in their favor. The figures say which it was.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from importlib.util import find_spec
from statistics import median
from types import SimpleNamespace
from typing import Any

import ale_py
import gymnasium
import numpy as np
from ale_py.vector_env import AtariVectorEnv
from stable_baselines3.common import atari_wrappers
from stable_baselines3.common.env_util import make_atari_env
from stable_baselines3.common.vec_env import SubprocVecEnv, VecFrameStack

from mlds_bench.benchmarks.perf.report import publish
from mlds_bench.common.processors import available_cores
from mlds_bench.envs.atari.env import Pong
from mlds_bench.envs.atari.specs import PONG

ROUNDS = 3
STEPS = 8_000
OUR_SIZES = (16, 64)
THEIR_SIZES = (8, 16)
"""They keep a process an environment; the zoo's published settings use 8."""
HAS_OPENCV = find_spec("cv2") is not None
ROWS, COLUMNS = np.arange(84) * 210 // 84, np.arange(84) * 160 // 84

Made = tuple[Callable[[Any], Any], Callable[[], None]]


def make_ours(num_envs: int) -> Made:
    """Step and close of our batch."""
    env = Pong(num_envs=num_envs, seed=0)
    env.reset()
    return env.step, env.close


def make_emulators(num_envs: int) -> Made:
    """Step and close of ale-py's vector environment, under the same protocol and view."""
    env = AtariVectorEnv(
        PONG.game,
        num_envs,
        num_threads=min(num_envs, available_cores()),
        repeat_action_probability=PONG.sticky,
        noop_max=PONG.noop_max,
        use_fire_reset=PONG.fire_reset,
        reward_clipping=False,
    )
    env.reset(seed=0)
    return env.step, env.close


def make_theirs(num_envs: int) -> Made:
    """Step and close of Stable-Baselines3's Atari environments, a process each, stacked."""
    gymnasium.register_envs(ale_py)
    if not HAS_OPENCV:
        vars(atari_wrappers)["cv2"] = SimpleNamespace(
            cvtColor=lambda frame, _: frame[..., 0],
            resize=lambda frame, _size, **_method: frame[ROWS[:, None], COLUMNS],
            COLOR_RGB2GRAY=None,
            INTER_AREA=None,
        )
    processes = make_atari_env(
        "PongNoFrameskip-v4",
        n_envs=num_envs,
        seed=0,
        vec_env_cls=SubprocVecEnv,
        vec_env_kwargs={"start_method": "fork"},  # so that they have the stand-in
    )
    env = VecFrameStack(processes, n_stack=4)
    env.reset()
    return env.step, env.close


def steps_per_second(make: Callable[[int], Made], num_envs: int) -> float:
    """Over `STEPS` steps."""
    step, close = make(num_envs)
    actions = np.random.default_rng(0).integers(6, size=(STEPS // num_envs, num_envs))
    began = time.perf_counter()
    for action in actions:
        step(action)
    rate = actions.size / (time.perf_counter() - began)
    close()
    return rate


def measure() -> dict[str, Any]:
    """Each in turn, `ROUNDS` times; medians."""
    contestants = [
        *(("ours", make_ours, size) for size in OUR_SIZES),
        *(("emulators", make_emulators, size) for size in OUR_SIZES),
        *(("sb3", make_theirs, size) for size in THEIR_SIZES),
    ]
    rates: dict[str, list[float]] = {f"{name}_{size}": [] for name, _, size in contestants}
    for _ in range(ROUNDS):
        for name, make, size in contestants:
            rates[f"{name}_{size}"].append(steps_per_second(make, size))
    rate = {name: median(values) for name, values in rates.items()}
    best = {
        name: max(value for key, value in rate.items() if key.startswith(name))
        for name in ("ours", "sb3")
    }
    return {
        **{f"{name}_steps_per_second": value for name, value in rate.items()},
        "sb3_resizes_with": "OpenCV" if HAS_OPENCV else "a stand-in",
        "ours_over_sb3": best["ours"] / best["sb3"],
        **{
            f"share_outside_{n}": 1.0 - rate[f"ours_{n}"] / rate[f"emulators_{n}"]
            for n in OUR_SIZES
        },
    }


if __name__ == "__main__":
    publish(__file__, measure)
