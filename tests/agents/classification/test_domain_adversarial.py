"""The domain-adversarial network: the gradient is reversed, and that is what acts."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.nn import functional

from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.classification.domain_adversarial import (
    DomainAdversarialAgent,
    reversal_strength,
    reverse,
)
from mlds_bench.agents.classification.mlp import MlpAgent
from tests.agents.classification.makers import images, learn, make_agent, scores

SMALL: dict[str, Any] = {"network": "mlp", "batch_size": 32}
PAPER: dict[str, Any] = {"optimizer": "momentum", "learning_rate": 1e-2, "max_grad_norm": 5.0}
"""How the agent is trained by default."""


def test_the_gradient_comes_back_reversed() -> None:
    """Times -lambda; the values pass."""
    inputs = torch.tensor([1.0, -2.0], requires_grad=True)
    outputs = reverse(inputs, 0.25)
    assert outputs.tolist() == [1.0, -2.0]
    (outputs * torch.tensor([3.0, 4.0])).sum().backward()  # type: ignore[no-untyped-call]
    assert inputs.grad is not None
    assert inputs.grad.tolist() == [-0.75, -1.0]


def test_the_schedule_of_lambda() -> None:
    """0 at first, 2 / (1 + exp(-10 p)) - 1, almost 1 at the end (Ganin et al. 2016)."""
    assert reversal_strength(0.0) == 0.0
    assert reversal_strength(0.1) == pytest.approx(2.0 / (1.0 + math.exp(-1.0)) - 1.0)
    assert reversal_strength(1.0) == pytest.approx(0.99991, abs=1e-5)


def half_unlabeled(count: int) -> tuple[Any, Any]:
    observation, labels = images(count)
    observation = observation.copy()
    observation[::2] = 255 - observation[::2]
    labels = labels.copy()
    labels[::2] = -1
    return torch.from_numpy(observation), torch.from_numpy(labels)


def gradients(agent: DomainAdversarialAgent, strength: float) -> tuple[torch.Tensor, torch.Tensor]:
    """Gradients of the features and of the domain classifier, for one batch."""
    observation, labels = half_unlabeled(40)
    agent.strength = strength
    parts = [[*agent.network.features.parameters()], [*agent.domains.parameters()]]
    _, loss = agent.objective(agent.network.standardize(observation), labels)
    found = torch.autograd.grad(loss, [*parts[0], *parts[1]])
    split = len(parts[0])
    flat = [torch.cat([one.flatten() for one in some]) for some in (found[:split], found[split:])]
    return flat[0], flat[1]


def test_features_are_pushed_away_from_what_the_domain_classifier_wants() -> None:
    """By lambda; the domain classifier itself is not reversed, and labels act as ever."""
    agent = make_agent(DomainAdversarialAgent, **SMALL)
    plain, domains = gradients(agent, 0.0)
    observation, labels = half_unlabeled(40)
    inputs = agent.network.standardize(observation)
    features = agent.network.features(inputs)
    parameters = [*agent.network.features.parameters()]
    task = functional.cross_entropy(agent.network.head(features)[1::2], labels[1::2])
    expected = torch.autograd.grad(task, parameters, retain_graph=True)
    torch.testing.assert_close(plain, torch.cat([one.flatten() for one in expected]))
    told = torch.tensor([1.0, 0.0]).repeat(20)
    confusion = functional.binary_cross_entropy_with_logits(agent.domains(features)[:, 0], told)
    wanted = torch.autograd.grad(confusion, parameters)
    pushed, same = gradients(agent, 0.5)
    expected_push = -0.5 * torch.cat([one.flatten() for one in wanted])
    torch.testing.assert_close(pushed - plain, expected_push, atol=1e-6, rtol=1e-3)
    torch.testing.assert_close(same, domains)
    assert expected_push.abs().max() > 1e-4


def test_without_lambda_the_network_is_the_plain_one() -> None:
    """Where every image has a label, it learns exactly what `mlp` learns."""
    agents = [
        make_agent(DomainAdversarialAgent, domain_weight=0.0, **SMALL),
        make_agent(MlpAgent, batch_size=32, **PAPER),
        make_agent(DomainAdversarialAgent, domain_weight=1.0, **SMALL),
    ]
    for agent in agents:
        learn(agent, 2048)
    plain, mlp, pushed = (
        torch.cat([value.detach().flatten() for value in agent.network.parameters()])
        for agent in agents
    )
    assert torch.equal(plain, mlp)
    assert not torch.equal(plain, pushed)


def test_it_knows_more_of_the_new_domain_than_the_plain_network() -> None:
    """Rotated digits, of which no label was told: the same network, with and without the push."""
    accuracy = {}
    for weight in (0.0, 1.0):
        agent = make_agent(DomainAdversarialAgent, domain_weight=weight, network="cnn-shallow")
        learn(agent, 40_000, shift="rotated")
        accuracy[weight] = scores(agent, cards=1250, shift="rotated")["test_accuracy"]
    assert accuracy[1.0] > accuracy[0.0] + 0.05


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"network": "cnn"}, "network must be one of mlp, cnn-shallow, cnn-middle, cnn-deep"),
        ({"domain_weight": -1.0}, "domain_weight must be a finite number of at least 0"),
    ],
    ids=str,
)
def test_wrong_values_are_refused(wrong: dict[str, Any], told: str) -> None:
    """In one line."""
    with pytest.raises(UnknownHyperparameter, match=told):
        make_agent(DomainAdversarialAgent, **wrong)
