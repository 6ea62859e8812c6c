"""The rules against torch.optim, step by step, and what they do on the room's surfaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor
from torch.optim import SGD, Adam, Optimizer, RMSprop

from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.landscape.first_order import (
    AdamAgent,
    GdAgent,
    MomentumAgent,
    RmspropAgent,
    SgdThenAdamAgent,
)
from mlds_bench.agents.landscape.optimizer import LandscapeAgent
from mlds_bench.envs.landscape.env import LossLandscape
from tests.agents.landscape.makers import make_agent, run

Maker = Callable[[Iterable[Tensor]], Optimizer]
PAIRS: dict[str, tuple[type[LandscapeAgent], dict[str, Any], Maker]] = {
    "gd": (GdAgent, {"learning_rate": 0.07}, lambda p: SGD(p, lr=0.07)),
    "momentum": (
        MomentumAgent,
        {"learning_rate": 0.02, "momentum": 0.8},
        lambda p: SGD(p, lr=0.02, momentum=0.8),
    ),
    "rmsprop": (
        RmspropAgent,
        {"learning_rate": 0.03, "alpha": 0.9, "eps": 1e-5},
        lambda p: RMSprop(p, lr=0.03, alpha=0.9, eps=1e-5),
    ),
    "adam": (
        AdamAgent,
        {"learning_rate": 0.05, "beta1": 0.8, "beta2": 0.99, "eps": 1e-6},
        lambda p: Adam(p, lr=0.05, betas=(0.8, 0.99), eps=1e-6),
    ),
}


def quadratic(theta: Tensor) -> Tensor:
    """The room's x^2 + 3 y^2."""
    return theta[0] ** 2 + 3.0 * theta[1] ** 2


def torch_path(start: Any, make: Maker, steps: int) -> Any:
    """Points (steps + 1, 2) of a torch optimizer."""
    theta = torch.tensor(start, dtype=torch.float64, requires_grad=True)
    optimizer, path = make([theta]), [theta.detach().clone()]
    for _ in range(steps):
        optimizer.zero_grad()
        quadratic(theta).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        path.append(theta.detach().clone())
    return torch.stack(path).numpy()


@pytest.mark.parametrize("name", PAIRS)
def test_every_step_is_torch_s(name: str) -> None:
    """Three instances, thirty steps, equal but for rounding."""
    cls, hyper, make = PAIRS[name]
    ours = run(cls, 30, count=3, hyper=hyper, problem="quadratic", solved=0.0).theta
    for i in range(3):
        expected = torch_path(ours[0, i], make, 30)
        assert ours[:, i] == pytest.approx(expected, rel=1e-9, abs=1e-13)


def test_the_switch_is_momentum_and_then_a_fresh_adam() -> None:
    """Ten queries of forty by one rule, the other thirty by the other from where it stood."""
    hyper = {"switch_fraction": 0.25, "sgd_learning_rate": 0.02, "adam_learning_rate": 0.05}
    ours = run(
        SgdThenAdamAgent, 39, count=2, hyper=hyper, problem="quadratic", solved=0.0, query_budget=40
    ).theta
    for i in range(2):
        first = torch_path(ours[0, i], lambda p: SGD(p, lr=0.02, momentum=0.9), 10)
        second = torch_path(first[-1], lambda p: Adam(p, lr=0.05), 29)
        assert ours[:11, i] == pytest.approx(first, rel=1e-9)
        assert ours[10:, i] == pytest.approx(second, rel=1e-9, abs=1e-13)


@pytest.mark.parametrize("cls", [GdAgent, MomentumAgent, RmspropAgent, AdamAgent, SgdThenAdamAgent])
def test_a_reset_instance_begins_anew_and_the_others_go_on(cls: type[LandscapeAgent]) -> None:
    """After reset(done) row 0 answers as a fresh agent does, row 1 as if nothing had happened."""
    env = LossLandscape(problem="quadratic", num_envs=2)
    agent, undisturbed, fresh = (make_agent(cls, env) for _ in range(3))
    observation, _ = env.reset(seed=1)
    for _ in range(3):
        first, second = agent.act(observation), undisturbed.act(observation)
        assert np.array_equal(first, second)
        observation = env.step(first)[0]
    agent.reset(np.array([True, False]))
    actions = agent.act(observation)
    assert np.array_equal(actions[0], fresh.act(observation)[0])
    assert np.array_equal(actions[1], undisturbed.act(observation)[1])


def test_instances_of_a_mixed_batch_switch_one_by_one() -> None:
    """An instance early in its episode and one late in it get what they get alone."""
    env = LossLandscape(problem="quadratic", num_envs=2)
    observation = {
        "loss": np.ones((2, 1)),
        "gradient": np.array([[1.0, -2.0], [1.0, -2.0]]),
        "queries_left": np.array([[200.0], [3.0]]),
    }
    actions = make_agent(SgdThenAdamAgent, env).act(observation)
    assert actions == pytest.approx(np.array([[-0.03, 0.06, 1.0], [-0.01, 0.01, 1.0]]), abs=1e-9)


def test_steps_are_clipped_to_the_action_space() -> None:
    """A gradient of 1e12 makes a step of 1e6, not an invalid action."""
    env = LossLandscape(problem="quadratic", num_envs=1)
    observation = {
        "loss": np.ones((1, 1)),
        "gradient": np.array([[1e12, 0.0]]),
        "queries_left": np.array([[9.0]]),
    }
    assert make_agent(GdAgent, env).act(observation).tolist() == [[-1e6, 0.0, 1.0]]


@pytest.mark.parametrize("cls", [GdAgent, MomentumAgent, AdamAgent, SgdThenAdamAgent])
def test_the_quadratic_is_solved(cls: type[LandscapeAgent]) -> None:
    """All sixteen, within the budget (Adam with longer steps)."""
    hyper = {"learning_rate": 0.3} if cls is AdamAgent else {}
    hyper = {"adam_learning_rate": 0.1} if cls is SgdThenAdamAgent else hyper
    assert run(cls, 200, hyper=hyper, problem="quadratic").solved.all()


def test_gradient_descent_follows_its_closed_form_at_the_saddle() -> None:
    """x grows by 1 + 2 r a step, y shrinks by 1 - 6 r: it escapes."""
    result = run(GdAgent, 200, problem="saddle")
    assert result.solved.all()
    steps = 5
    factors = np.array([1.2, 0.4]) ** steps
    assert result.theta[steps] == pytest.approx(result.theta[0] * factors, rel=1e-9)


@pytest.mark.parametrize(
    ("cls", "hyper", "line"),
    [
        (GdAgent, {"learning_rate": 0}, "learning_rate must be a finite number above 0, got 0.0"),
        (MomentumAgent, {"momentum": 1}, "momentum must be at least 0 and below 1, got 1.0"),
        (RmspropAgent, {"alpha": -0.1}, "alpha must be at least 0 and below 1, got -0.1"),
        (AdamAgent, {"eps": 0}, "eps must be a finite number above 0, got 0.0"),
        (
            SgdThenAdamAgent,
            {"switch_fraction": 2},
            "switch_fraction must be at least 0 and below 1, got 2.0",
        ),
        (AdamAgent, {"rate": 0.1}, "unknown hyper-parameter 'rate'"),
    ],
)
def test_bad_settings_are_named(
    cls: type[LandscapeAgent], hyper: dict[str, Any], line: str
) -> None:
    """One line with the value and the bound."""
    with pytest.raises(UnknownHyperparameter, match=line):
        make_agent(cls, LossLandscape(problem="quadratic"), **hyper)
