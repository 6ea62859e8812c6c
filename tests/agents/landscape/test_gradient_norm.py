"""Down the loss, then to a critical point."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mlds_bench.agents.base import UnknownHyperparameter
from mlds_bench.agents.landscape.first_order import AdamAgent
from mlds_bench.agents.landscape.gradient_norm import GradientNormAgent
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.envs.landscape.env import LossLandscape
from tests.agents.landscape.makers import make_agent, run

NETWORK: dict[str, Any] = {
    "problem": "xor",
    "activation": "sigmoid",
    "objective": "gradient_norm",
    "query_budget": 1000,
}


def test_the_first_part_is_adam() -> None:
    """Move for move until the switch."""
    kwargs: dict[str, Any] = {"problem": "quadratic", "query_budget": 100, "solved": 0.0}
    ours = run(GradientNormAgent, 50, hyper={"switch_fraction": 0.5}, **kwargs)
    adam = run(AdamAgent, 50, **kwargs)
    assert ours.theta == pytest.approx(adam.theta, rel=1e-12)
    assert ours.moved.all()


def test_the_second_part_acts_in_the_homeworks_own_study() -> None:
    """By default, in most trainings of the study of critical points: they probe, and leave Adam."""
    study = VARIANTS["hw1-2/critical-points"].env_kwargs
    ours = run(GradientNormAgent, 300, count=32, **study)
    adam = run(AdamAgent, 300, count=32, **study)
    probes = ~ours.moved
    assert (probes.sum(axis=0) > 0).mean() > 0.4
    assert probes.mean() > 0.1
    steps = min(len(ours.theta), len(adam.theta))
    differs = (ours.theta[:steps] != adam.theta[:steps]).any(axis=(0, 2))
    assert differs[probes[: steps - 1].any(axis=0)].all()


def test_the_probe_tells_the_hessian_times_the_gradient() -> None:
    """Against torch's double backward, on a sigmoid network."""
    env = LossLandscape(num_envs=3, **NETWORK)
    agent = make_agent(GradientNormAgent, env, switch_fraction=0.0)
    observation, infos = env.reset(seed=0)
    theta = torch.from_numpy(infos["oracle"]["theta"])
    observation = env.step(agent.act(observation))[0]
    agent.act(observation)
    assert isinstance(agent, GradientNormAgent)
    for i in range(3):
        hessian = torch.autograd.functional.hessian(env.problem.loss, theta[i])  # type: ignore[no-untyped-call]
        gradient = env.problem.loss_and_gradient(theta[i : i + 1])[1][0]
        expected = (hessian @ gradient).numpy()
        assert agent._descent._gradient[i] == pytest.approx(expected, abs=1e-5)


def test_it_is_attracted_by_a_saddle() -> None:
    """From the start on, on -x^2 + 3 y^2: the gradient vanishes at the saddle and nowhere else."""
    result = run(
        GradientNormAgent, 100, hyper={"switch_fraction": 0.0}, problem="saddle", query_budget=101
    )
    assert not result.solved.any()
    assert np.abs(result.theta[-1]).max() < 1e-6


def test_the_second_part_never_lets_the_gradient_grow() -> None:
    """At every move the norm of the gradient at the current point goes down."""
    env = LossLandscape(num_envs=8, **NETWORK)
    agent = make_agent(GradientNormAgent, env, switch_fraction=0.0)
    observation, infos = env.reset(seed=3)
    moves = 0
    for _ in range(60):
        theta = torch.from_numpy(infos["oracle"]["theta"])
        before = env.problem.loss_and_gradient(theta)[1].numpy()
        actions = agent.act(observation)
        observation, _, terminated, truncated, infos = env.step(actions)
        done = terminated | truncated
        going = ~done & (actions[:, -1] > 0.0)
        after = np.linalg.norm(observation["gradient"][going], axis=1)
        assert (after < np.linalg.norm(before[going], axis=1)).all()
        agent.reset(done)
        moves += int(going.sum())
    assert moves > 40


def test_networks_reach_critical_points() -> None:
    """Gradient norm 1e-3 within 1000 queries, for nearly all."""
    assert run(GradientNormAgent, 1000, count=32, **NETWORK).solved.mean() > 0.9


def test_bad_settings_are_named() -> None:
    """One line with the value and the bound."""
    with pytest.raises(
        UnknownHyperparameter, match="switch_fraction must be at least 0 and below 1"
    ):
        make_agent(GradientNormAgent, LossLandscape(problem="quadratic"), switch_fraction=1.0)
