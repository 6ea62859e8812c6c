"""The three networks: their training against plain PyTorch, their settings, their files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from mlds_bench.agents.base import Unsupported
from mlds_bench.agents.fitting.networks import (
    DeepAgent,
    MiddleAgent,
    NetworkAgent,
    ShallowAgent,
)
from mlds_bench.agents.numerics.mlp import initial_parameters, layers, normalize_hidden_units
from mlds_bench.envs.fitting.env import FunctionFitting
from tests.agents.fitting.makers import learn, make_agent, points, scores

SMALL: dict[str, Any] = {"batch_size": 16, "updates_per_step": 5}
AGENTS = [ShallowAgent, MiddleAgent, DeepAgent]


def plain_training(agent: NetworkAgent, steps: int) -> tuple[nn.Sequential, list[torch.Tensor]]:
    """The same recipe with torch.nn, autograd, torch.optim and the environment; and its outputs."""
    generator = torch.Generator().manual_seed(agent.seed)
    parameters = initial_parameters(agent.sizes, generator)
    env = FunctionFitting(num_envs=agent.num_envs, seed=0)
    x, infos = env.reset()
    inputs = torch.tensor(x.T, dtype=torch.float32)
    normalize_hidden_units(parameters, agent.sizes, inputs, generator, threshold_spread=0.5)
    modules: list[nn.Module] = []
    for layer in layers(parameters, agent.sizes):
        linear = nn.Linear(layer.shape[1] - 1, layer.shape[0])
        linear.weight.data, linear.bias.data = layer[:, :-1].clone(), layer[:, -1].clone()
        modules += [linear, nn.ReLU()]
    network = nn.Sequential(*modules[:-1])
    optimizer, outputs = torch.optim.Adam(network.parameters(), foreach=False), []
    for step in range(steps):
        cosine = 0.5 * (1.0 + math.cos(math.pi * step / steps))
        optimizer.param_groups[0]["lr"] = agent.hyper.learning_rate * cosine
        xs, ys = (torch.tensor(a, dtype=torch.float32) for a in (x, infos["oracle"]))
        size = agent.hyper.batch_size
        for batch in (slice(k, k + size) for k in range(0, agent.num_envs, size)):
            outputs.append(network(xs[batch]))
            optimizer.zero_grad()
            nn.functional.mse_loss(outputs[-1], ys[batch]).backward()  # type: ignore[no-untyped-call]
            optimizer.step()
        x, _, _, _, infos = env.step(np.zeros((agent.num_envs, 1)))
    return network, outputs


@pytest.mark.parametrize("cls", AGENTS)
def test_training_is_that_of_plain_torch(cls: type[NetworkAgent]) -> None:
    """After 40 updates the network is the one that modules, autograd and torch.optim make."""
    agent = make_agent(cls, seed=3, **SMALL)
    network, outputs = plain_training(agent, 8)
    curve = learn(agent, 8).finish()
    x = points(100)
    expected = network(torch.tensor(x, dtype=torch.float32)).detach().numpy()
    assert agent.act(x) == pytest.approx(expected, abs=2e-4)
    assert len(outputs) == 40
    assert len(curve) == 8


def test_the_learning_curve_is_the_training_loss() -> None:
    """Actions are what the network said before each update: the rewards are minus the loss."""
    agent = make_agent(ShallowAgent, **SMALL)
    _, outputs = plain_training(agent, 3)
    said = torch.cat(outputs).detach().reshape(3, -1).double().numpy()
    env = FunctionFitting(num_envs=agent.num_envs, seed=0)
    labels = [env.reset()[1]["oracle"]]
    labels += [env.step(np.zeros((agent.num_envs, 1)))[4]["oracle"] for _ in range(2)]
    expected = [-np.mean((a - b[:, 0]) ** 2) for a, b in zip(said, labels, strict=True)]
    assert [p.reward for p in learn(agent, 3).finish()] == pytest.approx(expected, rel=1e-4)


@pytest.mark.parametrize(
    ("cls", "count"), [(ShallowAgent, 571), (MiddleAgent, 572), (DeepAgent, 571)]
)
def test_the_networks_have_the_course_s_sizes(cls: type[NetworkAgent], count: int) -> None:
    """571, 572 and 571 parameters, in batches of 100 minibatches of 128."""
    agent = make_agent(cls)
    assert len(agent.parameters) == count
    assert agent.num_envs == 12_800


def test_two_inputs_widen_the_first_layer() -> None:
    """On x1 x2 the shallow network has 190 weights more, and learns as well."""
    agent = make_agent(ShallowAgent, "product", **SMALL)
    assert len(agent.parameters) == 761
    before = scores(agent, target="product")["log10_mse"]
    learn(agent, 60, target="product")
    assert scores(agent, target="product")["log10_mse"] < before - 1.0


def test_the_deep_network_learns_the_sinc() -> None:
    """A hundredth of the quick budget is enough to leave the constant far behind."""
    agent = make_agent(DeepAgent)
    learn(agent, 4)
    assert scores(agent)["log10_mse"] < -1.6


def test_the_same_seed_gives_the_same_network() -> None:
    """Bit for bit; another seed gives another."""
    trained = []
    for seed in (0, 0, 1):
        agent = make_agent(MiddleAgent, seed=seed, **SMALL)
        learn(agent, 3)
        trained.append(agent.parameters)
    assert torch.equal(trained[0], trained[1])
    assert not torch.equal(trained[0], trained[2])


def test_the_budget_is_used_up_and_not_passed() -> None:
    """Whole steps only; the agent ends by itself."""
    agent = make_agent(ShallowAgent, **SMALL)
    env = learn(agent, 7)
    assert env.env_steps == 7 * 80
    assert env.stopped_by is None


def test_saved_networks_act_the_same(tmp_path: Path) -> None:
    """Exactly, for any batch; learning again goes on from there."""
    agent, other = (make_agent(DeepAgent, seed=seed, **SMALL) for seed in (0, 1))
    learn(agent, 3)
    agent.save(tmp_path)
    other.load(tmp_path)
    for count in (1, 1000):
        assert np.array_equal(agent.act(points(count)), other.act(points(count)))
    learn(other, 0)
    assert np.array_equal(agent.act(points(5)), other.act(points(5)))


def test_another_network_s_file_is_refused(tmp_path: Path) -> None:
    """One line with both sizes."""
    make_agent(ShallowAgent).save(tmp_path)
    with pytest.raises(ValueError, match=r"holds 571 parameters, this network .* has 572: load it"):
        make_agent(MiddleAgent).load(tmp_path)


def test_actions_stay_in_the_action_space() -> None:
    """However wild the network."""
    agent = make_agent(ShallowAgent)
    agent.parameters *= 1e6
    actions = agent.act(points(50))
    assert actions.shape == (50, 1)
    assert actions.dtype == np.float64
    assert np.abs(actions).max() == 2.0


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"learning_rate": 0.0}, "learning_rate must be a finite number above 0, got 0.0"),
        ({"learning_rate": math.nan}, "learning_rate must be a finite number above 0, got nan"),
        ({"threshold_spread": -1.0}, "threshold_spread must be a finite number of at least 0, .*"),
        ({"batch_size": 0}, "batch_size must be a whole number of at least 1, got 0"),
        ({"updates_per_step": -1}, "updates_per_step must be a whole number of at least 1, .*"),
        ({"hidden": (3, 0)}, r"hidden must be .* whole number of at least 1, .* got \(3, 0\)"),
        (
            {"hidden": ()},
            r"hidden must be at least one whole number .* example \[64,64\], got \(\)",
        ),
        ({"hidden": "abc"}, "hidden must be at least one whole number .* got 'abc'"),
        ({"hidden": 5}, "hidden must be at least one whole number .* got 5"),
        ({"hiden": (3,)}, r"unknown hyper-parameter 'hiden': did you mean 'hidden'\?"),
    ],
)
def test_wrong_settings_get_one_clear_line(settings: dict[str, Any], message: str) -> None:
    """The error names the setting, its value and its bound."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        make_agent(DeepAgent, **settings)


def test_other_rooms_are_unsupported() -> None:
    """Discrete actions are no numbers to fit."""
    from gymnasium.spaces import Box, Discrete

    with pytest.raises(Unsupported, match="DeepAgent fits a number to a vector"):
        DeepAgent(observation_space=Box(0.0, 1.0, (1,)), action_space=Discrete(2))
