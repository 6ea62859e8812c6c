"""A few updates of every reference agent, from a fixed seed, as a handful of numbers."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from mlds_bench.agents import atari, classification, fitting, generalization, landscape
from mlds_bench.agents.base import Agent
from mlds_bench.agents.budget import Budget, BudgetedEnv, BudgetExhausted
from mlds_bench.envs.core import BatchedEnv
from mlds_bench.envs.generalization.env import HyperparameterSearch, ModelSelection
from tests.agents.atari import makers
from tests.agents.atari.catch import Catch
from tests.agents.goldens.games import Bars, Quiz, Wave, descended

Numbers = list[float]
Case = Callable[[type[Agent]], Numbers]
SEED = 7


def signature(values: npt.ArrayLike) -> Numbers:
    """Norm of an array, and two projections of about that size: none hides a difference."""
    vector = np.asarray(values, np.float64).ravel()
    place = np.arange(len(vector))
    return [
        float(np.linalg.norm(vector)),
        float(vector @ np.cos(place)),
        float(vector @ np.sin(place**1.1)),
    ]


def weights(network: nn.Module) -> npt.NDArray[np.float64]:
    """All parameters, one after the other."""
    flat = torch.cat([value.detach().flatten() for value in network.parameters()])
    return flat.double().numpy()


def statistics(network: nn.Module) -> npt.NDArray[np.float64]:
    """All buffers, the scale of the pixels for instance, one after the other."""
    flat = [value.flatten() for value in network.buffers()]
    return torch.cat([torch.zeros(0), *flat]).double().numpy()  # there may be none


def made(cls: type[Agent], game: Callable[..., BatchedEnv], **hyper: Any) -> Agent:
    """An agent for a game."""
    env = game()
    spaces = env.single_observation_space, env.single_action_space
    return cls(observation_space=spaces[0], action_space=spaces[1], seed=SEED, **hyper)


def taught(agent: Agent, game: Callable[..., BatchedEnv], steps: int) -> None:
    """Let an agent learn in a game for that many environment steps."""
    budget = Budget(steps)
    try:
        agent.learn(BudgetedEnv(game(num_envs=agent.num_envs, seed=SEED), budget), budget)
    except BudgetExhausted:
        return


def actions(agent: Agent, game: Callable[..., BatchedEnv]) -> npt.NDArray[np.int64]:
    """What an agent does in the first moments of some games."""
    observations, _ = game(num_envs=32, split="test", seed=SEED).reset()
    chosen: npt.NDArray[np.int64] = agent.act(observations)
    return chosen


def network_case(
    cls: type[Agent],
    *,
    network: str,
    game: Callable[..., BatchedEnv],
    steps: int,
    **hyper: Any,
) -> Numbers:
    """How learning has changed the attribute ``network``, its scale of pixels, and actions."""
    agent = made(cls, game, **hyper)
    learner = getattr(agent, network)
    before = weights(learner)
    taught(agent, game, steps)
    change, scale = weights(learner) - before, statistics(learner)
    return [*signature(change), *signature(scale), *signature(actions(agent, game))]


def sb3_case(cls: type[Agent], **hyper: Any) -> Numbers:
    """How learning has changed the policy of a Stable-Baselines3 model, and its actions."""
    agent: Any = made(cls, Catch, device="cpu", **hyper)
    before = weights(agent.model.policy)
    taught(agent, Catch, 200)
    return [*signature(weights(agent.model.policy) - before), *signature(actions(agent, Catch))]


def fitted_case(cls: type[Agent]) -> Numbers:
    """A network of the function fitting room: normalized and taught, and then taught on."""
    agent: Any = made(cls, Wave, batch_size=16, updates_per_step=10)
    seen = [agent.parameters.double().numpy()]
    for _ in range(2):
        taught(agent, Wave, 4 * agent.num_envs)
        seen.append(agent.parameters.double().numpy())
    return [*signature(seen[1] - seen[0]), *signature(seen[2] - seen[1])]


def classifier_case(cls: type[Agent], **hyper: Any) -> Numbers:
    """The answers of a classifier of pictures, after a few updates and after a few more."""
    agent = made(cls, Bars, **hyper)
    answers = []
    for _ in range(2):
        taught(agent, Bars, 2 * agent.num_envs)
        answers.append(agent.act(Bars(num_envs=20, split="test", seed=SEED).reset()[0]))
    return [*signature(answers[0]), *signature(answers[1])]


def sawtooth_case(cls: type[Agent]) -> Numbers:
    """How far three layers of teeth are from the polynomial that they stand for."""
    agent = made(cls, Wave, target="polynomial", layers=3, coefficients=(0.1, -0.4, 0.3, 0.5))
    x = np.linspace(0.0, 1.0, 100)
    polynomial = np.polynomial.Polynomial([0.1, -0.4, 0.3, 0.5])
    return signature(agent.act(x[:, None])[:, 0] - polynomial(x))


def spline_case(cls: type[Agent]) -> Numbers:
    """How far four pieces are from the sine."""
    agent = made(cls, Wave, pieces=4)
    taught(agent, Wave, 2 * agent.num_envs)
    x = np.linspace(0.0, 1.0, 100)
    return signature(agent.act(x[:, None])[:, 0] - np.sin(6.0 * x))


def quiz_case(cls: type[Agent]) -> Numbers:
    """The answers to a few questions, after a look at more."""
    agent = made(cls, Quiz)
    taught(agent, Quiz, 10 * agent.num_envs)
    answers = agent.act(np.zeros((20, 1)))
    return [*signature(answers["fifth"]), *signature(answers["sine"])]


def indicator_case(cls: type[Agent]) -> Numbers:
    """What it reveals and chooses in made-up games, some of them revealed, some chosen in part."""
    agent, generator = made(cls, ModelSelection), np.random.default_rng(SEED)
    spaces: Any = agent.observation_space
    seen = {
        name: generator.normal(size=(200, *space.shape)).astype(np.float32)
        for name, space in spaces.spaces.items()
    }
    seen["revealed"] = np.ones_like(seen["revealed"])
    seen["revealed"][100:] = generator.integers(2, size=seen["revealed"][100:].shape)
    seen["placed"] = (seen["placed"] > 1.0).astype(np.float32)
    return signature(agent.act(seen))


def regression_case(cls: type[Agent]) -> Numbers:
    """The weights of the probes that it has chosen."""
    agent: Any = made(cls, ModelSelection, most_probes=3, alpha=0.1)
    taught(agent, ModelSelection, 64 * 110)
    return signature([*agent.weights.values()])


def search_case(cls: type[Agent]) -> Numbers:
    """All tries of a few episodes."""
    agent = made(cls, HyperparameterSearch)
    env = HyperparameterSearch(num_envs=3, seed=SEED)
    seen, _ = env.reset()
    tries = []
    for _ in range(16):
        tries.append(agent.act(seen))
        seen, *_ = env.step(tries[-1])
    return signature(np.stack(tries))


def optimizer_case(cls: type[Agent], **hyper: Any) -> Numbers:
    """All vectors of an optimizer, and where it moved."""
    actions = np.stack([*descended(cls, seed=SEED, **hyper)])
    return [*signature(actions[..., :-1]), *signature(actions[..., -1])]


CLASSIFIERS: dict[str, dict[str, Any]] = {
    "knn": {"k": 2},
    "interpolated": {"batch_sizes": (128, 512), "learning_rates": (1e-3, 2e-3), "alpha": 0.75},
    "domain-adversarial": {"batch_size": 32, "updates_per_step": 4, "network": "cnn-shallow"},
}
POLICY: dict[str, Any] = {"num_envs": 16, "num_steps": 16, "hidden": 32, "ent_coef": 0.5}
CONVOLUTIONAL = POLICY | {"convolutions": ((8, 4, 4),), "calibration": 1}
ON_POLICY: dict[str, dict[str, Any]] = {
    "reinforce": POLICY | {"baseline": True, "max_grad_norm": 0.1},
    "a2c": CONVOLUTIONAL | {"num_steps": 8, "max_grad_norm": 0.1},
    "acktr": CONVOLUTIONAL | {"inversion_interval": 2},
    "trpo": CONVOLUTIONAL | {"cg_max_steps": 4, "max_grad_norm": 0.1},
    "ppo": CONVOLUTIONAL | {"clip_range": 0.02},
}
OFF_POLICY = makers.SMALL | {
    "exploration_steps": 100,
    "exploration_final_eps": 0.3,
    "buffer_size": 500,
    "max_grad_norm": 0.05,
    "test_epsilon": 0.3,
}
SB3: dict[str, dict[str, Any]] = {
    "sb3:PPO": {"num_envs": 4, "n_steps": 16, "batch_size": 32, "n_epochs": 2},
    "sb3:DQN": {"num_envs": 2, "learning_starts": 20, "batch_size": 8},
}
OPTIMIZERS: dict[str, dict[str, Any]] = {
    "newton": {"max_step_norm": 0.5, "min_eigenvalue_ratio": 0.3},
    "levenberg-marquardt": {"damping": 1.0},
    "sgd-then-adam": {"switch_fraction": 0.25},
    "gradient-norm": {"switch_fraction": 0.25},
    "lbfgs": {"max_step_norm": 0.3},
    "es": {"pairs": 2},
}

SEARCHES = ("grid", "random-settings", "successive-halving", "gaussian-process")

CASES: dict[str, Case] = {
    "random": quiz_case,
    "constant": quiz_case,
    "sawtooth": sawtooth_case,
    "spline": spline_case,
    **{name: fitted_case for name in fitting.AGENTS if name not in ("sawtooth", "spline")},
    **{
        name: partial(
            classifier_case, **CLASSIFIERS.get(name, {"batch_size": 32, "updates_per_step": 4})
        )
        for name in classification.AGENTS
    },
    **{name: indicator_case for name in generalization.AGENTS if name not in SEARCHES},
    "regression-on-probes": regression_case,
    **dict.fromkeys(SEARCHES, search_case),
    **{name: partial(optimizer_case, **OPTIMIZERS.get(name, {})) for name in landscape.AGENTS},
    **{
        name: partial(network_case, network="network", game=Catch, steps=1280, **hyper)
        for name, hyper in ON_POLICY.items()
    },
    **{
        name: partial(
            network_case, network="_online", game=makers.make_env, steps=640, **OFF_POLICY
        )
        for name in atari.AGENTS
        if name not in ON_POLICY
    },
    **{name: partial(sb3_case, **hyper) for name, hyper in SB3.items()},
}
"""Name in the registry -> what gives the numbers of its class."""
