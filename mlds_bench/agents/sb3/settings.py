"""The hyper-parameters of Stable-Baselines3's algorithms by name, and the spaces they take."""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import gymnasium
import numpy as np
import torch
from gymnasium import spaces
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.noise import NormalActionNoise
from stable_baselines3.common.on_policy_algorithm import OnPolicyAlgorithm
from stable_baselines3.common.preprocessing import is_image_space

from mlds_bench.agents.atari.sb3_zoo import OPTIMIZERS, ZOO, schedule, with_zoo
from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from mlds_bench.common.names import unknown_name

SET_BY_THE_ADAPTER = frozenset(
    {
        "self",
        "policy",
        "env",
        "seed",
        "device",
        "verbose",
        "tensorboard_log",
        "stats_window_size",
        "_init_setup_model",
    }
)
ON_POLICY_NUM_ENVS = 16
ROLLOUT_STEPS = 2048
SMALLEST_CNN_SIDE = 36
"""Smallest side of an image that the convolutions of CnnPolicy can take (Mnih et al. 2015)."""


def settings_class(algorithm: type[BaseAlgorithm]) -> type:
    """A frozen dataclass of the algorithm's keywords, ``num_envs``, and ``zoo`` where it exists."""
    on_policy = issubclass(algorithm, OnPolicyAlgorithm)
    fields: list[tuple[str, Any, Any]] = [
        ("num_envs", int, ON_POLICY_NUM_ENVS if on_policy else 1),
        ("policy", Any, None),
    ]
    if algorithm.__name__ in ZOO:
        fields.append(("zoo", bool, False))
    for name, parameter in inspect.signature(algorithm).parameters.items():
        if name in SET_BY_THE_ADAPTER:
            continue
        follows_num_envs = name == "n_steps" and parameter.default == ROLLOUT_STEPS
        plain = parameter.annotation in (int, float, bool, str) and not follows_num_envs
        default = None if follows_num_envs else parameter.default
        fields.append((name, parameter.annotation if plain else Any, default))
    made = [(name, kind, dataclasses.field(default=default)) for name, kind, default in fields]
    return dataclasses.make_dataclass(f"{algorithm.__name__}Hyperparameters", made, frozen=True)


def completed(
    hyper: Any, algorithm: type[BaseAlgorithm], observation_space: gymnasium.Space[Any]
) -> Any:
    """Fill in the defaults that depend on the spaces or on other hyper-parameters.

    Raises:
        UnknownHyperparameter: for a policy that the algorithm does not have, or num_envs below 1.
    """
    hyper = with_zoo(hyper, algorithm.__name__)
    if hyper.num_envs < 1:
        raise UnknownHyperparameter(f"num_envs must be at least 1, got {hyper.num_envs}")
    known = sorted(algorithm.policy_aliases)
    policy = hyper.policy or _fitting_policy(observation_space)
    if policy not in known:
        raise UnknownHyperparameter(unknown_name("policy", str(policy), known))
    hyper = dataclasses.replace(hyper, policy=policy)
    if getattr(hyper, "n_steps", 0) is None:
        hyper = dataclasses.replace(hyper, n_steps=max(ROLLOUT_STEPS // hyper.num_envs, 1))
    return hyper


def constructor_keywords(hyper: Any, action_space: gymnasium.Space[Any]) -> dict[str, Any]:
    """Keywords of the algorithm's constructor, with names from a command line made into objects.

    ``action_noise`` may be a number, its standard deviation; ``policy_kwargs["activation_fn"]`` may
    be the name of one of torch's activations and ``["optimizer_class"]`` one of `OPTIMIZERS`; a
    learning rate or clip range may be ``lin_x``, which falls linearly from x to 0.
    """
    keywords = {field.name: getattr(hyper, field.name) for field in dataclasses.fields(hyper)}
    del keywords["num_envs"]
    keywords.pop("zoo", None)
    for name in ("learning_rate", "clip_range"):
        if name in keywords:
            keywords[name] = schedule(keywords[name])
    noise = keywords.get("action_noise")
    if isinstance(noise, (int, float)):
        shape = action_space.shape or ()
        keywords["action_noise"] = NormalActionNoise(np.zeros(shape), np.full(shape, float(noise)))
    policy_kwargs = keywords.get("policy_kwargs")
    if isinstance(policy_kwargs, Mapping):
        named = {key: policy_kwargs[key] for key in _NAMED if key in policy_kwargs}
        found = {k: _NAMED[k](v) if isinstance(v, str) else v for k, v in named.items()}
        keywords["policy_kwargs"] = {**policy_kwargs, **found}
    return keywords


def check_spaces(
    name: str, observation_space: gymnasium.Space[Any], action_space: gymnasium.Space[Any]
) -> None:
    """Refuse spaces that no algorithm of Stable-Baselines3 takes.

    Raises:
        Unsupported: in one line with the reason.
    """
    if isinstance(action_space, spaces.Dict):
        raise Unsupported(f"{name} has one action head, this action is a Dict of {[*action_space]}")
    if isinstance(action_space, spaces.Box) and action_space.dtype.kind != "f":
        raise Unsupported(f"{name} acts in boxes of floats, this one is {action_space.dtype}")
    parts = [observation_space]
    if isinstance(observation_space, spaces.Dict):
        parts = list(observation_space.values())
        if any(isinstance(part, spaces.Dict) for part in parts):
            raise Unsupported(f"{name} takes no Dict inside a Dict observation")
    if any(np.any(getattr(space, "start", 0)) for space in (action_space, *parts)):
        raise Unsupported(f"{name} counts from 0: a Discrete or MultiDiscrete here starts later")


@contextmanager
def refusals(name: str) -> Iterator[None]:
    """Turn the exceptions by which Stable-Baselines3 refuses something into ours, in one line."""
    try:
        yield
    except (AssertionError, ValueError, TypeError, NotImplementedError) as error:
        line = " ".join(str(error).split()) or type(error).__name__
        about_spaces = "action space" in line or isinstance(error, NotImplementedError)
        kind = Unsupported if about_spaces else UnknownHyperparameter
        raise kind(f"{name}: {line}") from error


def _fitting_policy(space: gymnasium.Space[Any]) -> str:
    if isinstance(space, spaces.Dict):
        return "MultiInputPolicy"
    large = is_image_space(space) and sorted(space.shape or (0, 0))[-2] >= SMALLEST_CNN_SIDE
    return "CnnPolicy" if large else "MlpPolicy"


def _activation(name: str) -> Any:
    known = torch.nn.modules.activation.__all__
    if name not in known:
        raise UnknownHyperparameter(unknown_name("activation_fn", name, known))
    return getattr(torch.nn, name)


def _optimizer(name: str) -> Any:
    if name not in OPTIMIZERS:
        raise UnknownHyperparameter(unknown_name("optimizer_class", name, [*OPTIMIZERS]))
    return OPTIMIZERS[name]


_NAMED = {"activation_fn": _activation, "optimizer_class": _optimizer}
