"""The hyper-parameters that rl-baselines3-zoo publishes for Atari games, as a preset: ``-p zoo``.

Source: ``hyperparams/{a2c,dqn,ppo}.yml`` of DLR-RM/rl-baselines3-zoo, section ``atari``, and for
DQN the cards of its published models (a replay buffer of 100,000, not memory-optimized). Its
wrapper clips rewards, ends an episode when a life is lost, and shows four frames of 84x84.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike
from stable_baselines3.common.utils import LinearSchedule

ZOO: dict[str, dict[str, Any]] = {
    "A2C": {
        "num_envs": 16,
        "ent_coef": 0.01,
        "vf_coef": 0.25,
        "policy_kwargs": {
            "optimizer_class": "RMSpropTFLike",
            "optimizer_kwargs": {"eps": 1e-5},
        },
    },
    "DQN": {
        "num_envs": 1,
        "buffer_size": 100_000,
        "learning_rate": 1e-4,
        "batch_size": 32,
        "learning_starts": 100_000,
        "target_update_interval": 1000,
        "train_freq": 4,
        "gradient_steps": 1,
        "exploration_fraction": 0.1,
        "exploration_final_eps": 0.01,
        "optimize_memory_usage": False,
    },
    "PPO": {
        "num_envs": 8,
        "n_steps": 128,
        "n_epochs": 4,
        "batch_size": 256,
        "learning_rate": "lin_2.5e-4",
        "clip_range": "lin_0.1",
        "vf_coef": 0.5,
        "ent_coef": 0.01,
    },
}
"""Algorithm -> hyper-parameters; ``lin_x`` falls linearly from x to 0, in the zoo's notation."""
ZOO_VIEW: Mapping[str, Any] = {"size": 84, "stack": 4, "clip_rewards": True, "life_ends": True}
OPTIMIZERS: Mapping[str, type] = {"RMSpropTFLike": RMSpropTFLike}
"""Stable-Baselines3's own optimizers, by name."""
LINEAR = "lin_"


def with_zoo(hyper: Any, algorithm: str) -> Any:
    """Hyper-parameters with the zoo's values in place of defaults, if ``zoo`` is set.

    Values that differ from the defaults were set by the user and stay.
    """
    if not getattr(hyper, "zoo", False):
        return hyper
    defaults = type(hyper)()
    preset = ZOO[algorithm].items()
    untouched = {k: v for k, v in preset if getattr(hyper, k) == getattr(defaults, k)}
    return dataclasses.replace(hyper, **untouched)


def schedule(value: Any) -> Any:
    """A linear schedule for ``lin_x``; any other value is returned unchanged."""
    if not isinstance(value, str) or not value.startswith(LINEAR):
        return value
    try:
        start = float(value.removeprefix(LINEAR))
    except ValueError:
        return value  # the algorithm refuses it in its own words
    return LinearSchedule(start=start, end=0.0, end_fraction=1.0)
