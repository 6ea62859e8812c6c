"""The zoo's published settings, and what becomes of them in the algorithms."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from gymnasium import spaces
from stable_baselines3.common.sb2_compat.rmsprop_tf_like import RMSpropTFLike

from mlds_bench.agents.adapter import env_options
from mlds_bench.agents.atari.sb3_zoo import schedule
from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.params import effective_params
from mlds_bench.agents.sb3.agent import make_sb3

PICTURE, BUTTONS = spaces.Box(0, 255, (4, 84, 84), np.uint8), spaces.Discrete(4)


def new(name: str, **params: Any) -> Any:
    return make_sb3(name)(observation_space=PICTURE, action_space=BUTTONS, zoo=True, **params)


def test_ppo_as_published() -> None:
    """Eight games, rollouts of 128, rates that fall to 0."""
    agent = new("PPO")
    assert agent.num_envs == 8
    model = agent.model
    assert (model.n_steps, model.n_epochs, model.batch_size) == (128, 4, 256)
    assert (model.vf_coef, model.ent_coef) == (0.5, 0.01)
    assert [model.lr_schedule(left) for left in (1.0, 0.5, 0.0)] == [2.5e-4, 1.25e-4, 0.0]
    assert [model.clip_range(left) for left in (1.0, 0.5, 0.0)] == [0.1, 0.05, 0.0]
    params = effective_params(agent, {"zoo": True})
    assert (params["learning_rate"], params["policy"]) == ("lin_2.5e-4", "CnnPolicy")


def test_a2c_as_published() -> None:
    """Sixteen games, RMSprop as TensorFlow had it."""
    agent = new("A2C")
    assert agent.num_envs == 16
    assert (agent.model.ent_coef, agent.model.vf_coef, agent.model.n_steps) == (0.01, 0.25, 5)
    optimizer = agent.model.policy.optimizer
    assert isinstance(optimizer, RMSpropTFLike)
    assert optimizer.defaults["eps"] == 1e-5


def test_dqn_as_published() -> None:
    """One game, a gradient step in four, a target a thousand steps old."""
    agent = new("DQN")
    model, hyper = agent.model, agent.hyper
    assert (agent.num_envs, hyper.buffer_size) == (1, 100_000)
    assert (model.learning_rate, model.batch_size, model.learning_starts) == (1e-4, 32, 100_000)
    assert (model.train_freq.frequency, model.gradient_steps) == (4, 1)
    assert (model.target_update_interval, model.exploration_final_eps) == (1000, 0.01)
    assert (model.exploration_fraction, model.optimize_memory_usage) == (0.1, False)


def test_what_is_set_by_name_wins() -> None:
    """The preset takes the place of defaults alone."""
    agent = new("PPO", n_steps=64, learning_rate=1e-3)
    assert (agent.model.n_steps, agent.model.lr_schedule(0.5)) == (64, 1e-3)
    assert agent.model.n_epochs == 4


def test_the_view_is_the_zoos_too() -> None:
    """Clipped rewards and single lives, with the preset only."""
    view = {"size": 84, "stack": 4, "clip_rewards": True, "life_ends": True}
    assert env_options(make_sb3("DQN"), {"zoo": True}) == view
    assert env_options(make_sb3("DQN"), {"zoo": False}) == env_options(make_sb3("DQN")) == {}


def test_an_algorithm_that_cannot_play_has_no_preset() -> None:
    """SAC has none, and says what it has."""
    with pytest.raises(UnknownHyperparameter, match="unknown hyper-parameter 'zoo'"):
        make_sb3("SAC")(observation_space=PICTURE, action_space=BUTTONS, zoo=True)


@pytest.mark.parametrize("value", [0.1, None, "high", "lin_high"])
def test_other_values_are_no_schedules(value: Any) -> None:
    """They go to the algorithm as they are."""
    assert schedule(value) is value
