from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import pytest
import stable_baselines3
import torch
from gymnasium import spaces

from mlds_bench.agents.atari.sb3_zoo import ZOO
from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from mlds_bench.agents.params import effective_params, known_hyperparameters
from mlds_bench.agents.sb3.agent import make_sb3
from mlds_bench.agents.sb3.settings import check_spaces, constructor_keywords, settings_class

BOX, DISCRETE = spaces.Box(-1.0, 1.0, (2,)), spaces.Discrete(3)
ALGORITHMS = ("A2C", "DDPG", "DQN", "PPO", "SAC", "TD3")


def new(name: str = "PPO", observation: Any = BOX, action: Any = None, **params: Any) -> Any:
    action = action or (DISCRETE if name in ("DQN", "PPO", "A2C") else BOX)
    return make_sb3(name)(observation_space=observation, action_space=action, **params)


@pytest.mark.parametrize("name", ALGORITHMS)
def test_every_setting_of_an_algorithm_is_a_hyperparameter(name: str) -> None:
    """Names and defaults are the constructor's own, but for what the adapter sets."""
    algorithm = getattr(stable_baselines3, name)
    own = inspect.signature(algorithm).parameters
    known = set(known_hyperparameters(make_sb3(name)) or [])
    assert {"learning_rate", "gamma", "policy_kwargs"} <= known
    assert known - set(own) == {"num_envs"} | ({"zoo"} if name in ZOO else set())
    assert not known & {"env", "seed", "device", "verbose"}
    settings = settings_class(algorithm)()
    changed = {n for n in known & set(own) if getattr(settings, n) != own[n].default}
    assert changed - {"policy"} == ({"n_steps"} if name == "PPO" else set())


@pytest.mark.parametrize(
    ("params", "n_steps"),
    [
        ({}, 128),
        ({"num_envs": 1}, 2048),
        ({"num_envs": 4096}, 1),
        ({"num_envs": 8, "n_steps": 5}, 5),
    ],
)
def test_a_rollout_has_the_published_number_of_steps(params: dict[str, Any], n_steps: int) -> None:
    """PPO's 2048 steps are shared among the instances, unless one says otherwise."""
    assert new(**params).hyper.n_steps == n_steps


def test_records_get_the_settings_that_were_used() -> None:
    """Defaults that depend on the spaces are filled in; the rest is the algorithm's."""
    params = effective_params(new("PPO", gamma=0.9), {"gamma": 0.9})
    assert (params["n_steps"], params["num_envs"], params["policy"]) == (128, 16, "MlpPolicy")
    assert (params["gamma"], params["learning_rate"]) == (0.9, 0.0003)
    assert effective_params(new("A2C"))["n_steps"] == 5


def test_odd_batches_are_no_warning() -> None:
    """A rollout that minibatches do not divide is fine; no warning reaches the user."""
    assert new(num_envs=12, n_steps=11).model.n_steps == 11


@pytest.mark.parametrize(
    ("params", "line"),
    [
        ({"learning_rat": 0.1}, "did you mean 'learning_rate'"),
        ({"n_epochs": 1.5}, "n_epochs must be int"),
        ({"learning_rate": "high"}, "sb3:PPO: The learning rate schedule must be a float"),
        ({"policy": "MlpPolcy"}, "unknown policy 'MlpPolcy': did you mean 'MlpPolicy'?"),
        ({"policy_kwargs": {"activation_fn": "Relu"}}, "did you mean 'ReLU'"),
        ({"policy_kwargs": {"optimizer_class": "RMSprop"}}, "did you mean 'RMSpropTFLike'"),
        ({"learning_rate": "lin_high"}, "sb3:PPO: The learning rate schedule must be a float"),
        ({"zoo": "yes"}, "zoo must be bool"),
        ({"policy_kwargs": {"net_arc": [8]}}, "sb3:PPO: "),
        ({"num_envs": 0}, "num_envs must be at least 1, got 0"),
        ({"batch_size": 1}, "sb3:PPO: `batch_size` must be greater than 1"),
    ],
)
def test_a_wrong_setting_gets_one_line(params: dict[str, Any], line: str) -> None:
    """Names, kinds and values, our own check or the algorithm's: one line each."""
    with pytest.raises(UnknownHyperparameter) as error:
        new(**params)
    assert line in str(error.value)
    assert "\n" not in str(error.value)


def test_a_command_line_can_name_activations_and_noise() -> None:
    """Text and numbers become the objects that the algorithm wants."""
    agent = new(policy_kwargs={"net_arch": [8], "activation_fn": "ReLU"})
    assert agent.model.policy.activation_fn is torch.nn.ReLU
    assert agent.model.policy.mlp_extractor.policy_net[0].out_features == 8
    noise = constructor_keywords(new("TD3", action_noise=0.2).hyper, BOX)["action_noise"]
    np.testing.assert_array_equal(noise._sigma, [0.2, 0.2])


@pytest.mark.parametrize(
    ("observation", "action", "line"),
    [
        (BOX, spaces.Dict(a=DISCRETE), "one action head"),
        (BOX, spaces.Box(0, 255, (2,), np.uint8), "boxes of floats, this one is uint8"),
        (BOX, spaces.Discrete(3, start=1), "counts from 0"),
        (BOX, spaces.MultiDiscrete([2, 2], start=[0, 1]), "counts from 0"),
        (spaces.Dict(a=spaces.Discrete(3, start=1)), DISCRETE, "counts from 0"),
        (spaces.Dict(a=spaces.Dict(b=BOX)), DISCRETE, "no Dict inside a Dict"),
    ],
)
def test_spaces_that_no_algorithm_takes(observation: Any, action: Any, line: str) -> None:
    """One line says what of the spaces is the matter."""
    with pytest.raises(Unsupported, match=line):
        check_spaces("sb3:PPO", observation, action)


def test_a_box_without_bounds_is_unsupported() -> None:
    """Stable-Baselines3's own refusals of spaces skip the cell too."""
    with pytest.raises(Unsupported, match="finite lower and upper bound"):
        new("PPO", action=spaces.Box(-np.inf, np.inf, (1,)))


@pytest.mark.parametrize(
    "action", [spaces.MultiDiscrete([2, 3]), spaces.MultiBinary(3), spaces.Box(-1, 1, (2, 2))]
)
def test_other_action_spaces_are_played(action: Any) -> None:
    """Several components and matrices pass through."""
    actions = new("PPO", action=action).act(np.zeros((4, 2), np.float32))
    assert actions.shape == (4, *action.shape)
    assert all(action.contains(one.astype(action.dtype)) for one in actions)
