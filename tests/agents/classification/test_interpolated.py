"""Between two solutions: the ends are two trainings, and the line is straight."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.classification.interpolated import InterpolatedAgent
from tests.agents.classification.makers import images, learn, make_agent, scores

BUDGET = 16_384


def flat(network: nn.Module) -> Tensor:
    return torch.cat([value.detach().flatten() for value in network.state_dict().values()])


def taught(alpha: float, budget: int = BUDGET, **hyper: Any) -> InterpolatedAgent:
    agent = make_agent(InterpolatedAgent, alpha=alpha, **hyper)
    learn(agent, budget)
    return agent


@pytest.mark.parametrize("alpha", [-1.0, 0.0, 0.25, 1.0, 2.0])
def test_it_acts_with_the_weights_at_alpha(alpha: float) -> None:
    """(1 - alpha) theta_1 + alpha theta_2."""
    agent = taught(alpha, 4096)
    first, second = (flat(end) for end in agent.ends)
    expected = (1.0 - alpha) * first + alpha * second
    torch.testing.assert_close(flat(agent.network), expected, atol=1e-5, rtol=1e-5)
    assert (first - second).abs().max() > 0.01


def test_both_trainings_have_half_of_the_budget_each() -> None:
    """8 steps of 1,024: 128 updates of 64, and 8 of 1,024; pixels are scaled alike."""
    agent = taught(0.5)
    assert agent.num_envs == 1024
    assert agent.updates == 8 * 16 + 8
    assert agent.history.images_seen == BUDGET
    scales = [end.standardize.state_dict() for end in agent.ends]
    assert all(torch.equal(scales[0][name], scales[1][name]) for name in scales[0])


def test_the_ends_are_solutions_with_a_barrier_between_and_a_wall_beyond() -> None:
    """Digits at 0 and at 1; the loss is higher halfway, and at -1 and 2 (homework 1-3)."""
    agent, loss = taught(0.0), {}
    for alpha in (-1.0, 0.0, 0.5, 1.0, 2.0):
        agent.hyper = replace(agent.hyper, alpha=alpha)
        agent.mix()
        said = scores(agent)
        loss[alpha] = said["test_cross_entropy"]
        assert said["test_accuracy"] > 0.88 or alpha not in (0.0, 1.0)
    assert min(loss[0.5], loss[-1.0], loss[2.0]) > 1.3 * max(loss[0.0], loss[1.0])


def test_both_ends_are_saved(tmp_path: Path) -> None:
    """The same answers after loading; and another alpha can be tried on the same solutions."""
    agent = taught(0.3, 4096)
    agent.save(tmp_path)
    asked, _ = images(30)
    same, other = (make_agent(InterpolatedAgent, alpha=alpha, seed=8) for alpha in (0.3, 0.0))
    for restored in (same, other):
        restored.load(tmp_path)
    assert np.array_equal(same.act(asked), agent.act(asked))
    torch.testing.assert_close(flat(other.network), flat(agent.ends[0]))
    assert {"training.png", "measures.json"} < {path.name for path in tmp_path.iterdir()}


@pytest.mark.parametrize(
    ("wrong", "told"),
    [
        ({"batch_sizes": [64]}, "batch_sizes and learning_rates need two numbers each"),
        ({"learning_rates": [0.1, -0.1]}, "learning_rates must be a finite number above 0"),
        ({"normalization": "batch"}, "normalization must be one of none, layer, instance, weight"),
        ({"alpha": float("nan")}, "alpha must be a finite number"),
        ({"network": "resnet"}, "network must be one of mlp"),
    ],
    ids=str,
)
def test_wrong_values_are_refused(wrong: dict[str, Any], told: str) -> None:
    """In one line."""
    with pytest.raises(UnknownHyperparameter, match=told):
        make_agent(InterpolatedAgent, **wrong)
