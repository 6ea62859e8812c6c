"""Newton's family: Hessians by probes, one move on the quadratic, and behavior at saddles."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from mlds_bench.agents.landscape.first_order import GdAgent
from mlds_bench.agents.landscape.optimizer import LandscapeAgent
from mlds_bench.agents.landscape.second_order import (
    LevenbergMarquardtAgent,
    NewtonAgent,
    SaddleFreeNewtonAgent,
)
from mlds_bench.envs.landscape.env import LossLandscape
from tests.agents.landscape.makers import make_agent, run

FAMILY = [NewtonAgent, SaddleFreeNewtonAgent, LevenbergMarquardtAgent]


@pytest.mark.parametrize(("central", "probes"), [(False, 2), (True, 4)])
def test_newton_solves_the_quadratic_in_one_move(central: bool, probes: int) -> None:
    """d or 2 d probes, then the minimum; no other move."""
    result = run(NewtonAgent, 50, hyper={"central_differences": central}, problem="quadratic")
    assert result.solved.all()
    assert set(result.queries) == {probes + 1}
    assert result.moved.sum(axis=0).tolist() == [1] * 16


@pytest.mark.parametrize(("central", "tolerance"), [(False, 1e-4), (True, 1e-8)])
def test_the_probed_hessian_is_torch_s(central: bool, tolerance: float) -> None:
    """On a sigmoid network, within the error of the differences."""
    kwargs: dict[str, Any] = {"problem": "xor", "activation": "sigmoid", "hidden": 2}
    env = LossLandscape(num_envs=3, **kwargs)
    agent = make_agent(NewtonAgent, env, central_differences=central)
    observation, infos = env.reset(seed=0)
    theta = torch.from_numpy(infos["oracle"]["theta"])
    for _ in range((2 if central else 1) * 9):
        observation = env.step(agent.act(observation))[0]
    agent.act(observation)
    assert isinstance(agent, NewtonAgent)
    for i in range(3):
        exact = torch.autograd.functional.hessian(env.problem.loss, theta[i])  # type: ignore[no-untyped-call]
        assert agent._hessian[i] == pytest.approx(exact.numpy(), abs=tolerance)


def test_at_a_saddle_newton_is_attracted_and_the_others_escape() -> None:
    """-x^2 + 3 y^2: Newton stands on the saddle after one move; the others get away downhill."""
    newton = run(NewtonAgent, 30, problem="saddle")
    assert not newton.solved.any()
    assert np.abs(newton.theta[-1]).max() < 1e-8
    for cls in (GdAgent, SaddleFreeNewtonAgent, LevenbergMarquardtAgent):
        assert run(cls, 200, problem="saddle").solved.all(), cls.name


def test_saddle_free_newton_doubles_its_distance_along_the_negative_direction() -> None:
    """On -x^2 + 3 y^2 a step takes x to 2 x and y to 0."""
    result = run(SaddleFreeNewtonAgent, 3, problem="saddle")
    assert result.theta[3] == pytest.approx(result.theta[0] * [2.0, 0.0], abs=1e-9)


def test_levenberg_marquardt_never_climbs() -> None:
    """A sigmoid network: the loss at the current point goes down at every move."""
    env = LossLandscape(problem="xor", activation="sigmoid", num_envs=8)
    agent = make_agent(LevenbergMarquardtAgent, env)
    observation, infos = env.reset(seed=3)
    moves = 0
    for _ in range(120):
        before = env.problem.loss_and_gradient(torch.from_numpy(infos["oracle"]["theta"]))[0]
        actions = agent.act(observation)
        observation, _, terminated, truncated, infos = env.step(actions)
        going = ~(terminated | truncated) & (actions[:, -1] > 0.0)
        assert (observation["loss"][going, 0] < before.numpy()[going]).all()
        agent.reset(terminated | truncated)
        moves += int(going.sum())
    assert moves > 8


@pytest.mark.parametrize("cls", FAMILY)
def test_instances_do_not_depend_on_their_batch(cls: type[LandscapeAgent]) -> None:
    """Three instances together, where episodes end at different times, and each on its own."""
    kwargs: dict[str, Any] = {"problem": "saddle", "query_budget": 40}
    together = run(cls, 40, count=3, **kwargs)
    env = LossLandscape(num_envs=3, **kwargs)
    agents = [make_agent(cls, env) for _ in range(3)]
    observation, _ = env.reset(seed=0)
    for step in range(len(together.moved)):
        rows = [{key: value[i : i + 1] for key, value in observation.items()} for i in range(3)]
        actions = np.concatenate([a.act(row) for a, row in zip(agents, rows, strict=True)])
        observation, _, terminated, truncated, infos = env.step(actions)
        for i in range(3):
            agents[i].reset((terminated | truncated)[i : i + 1])
        assert infos["oracle"]["theta"] == pytest.approx(together.theta[step + 1], abs=1e-12)


@pytest.mark.parametrize("cls", FAMILY)
def test_a_budget_too_small_for_a_move_is_unsupported(cls: type[LandscapeAgent]) -> None:
    """One line with both numbers."""
    with pytest.raises(Unsupported, match=r"needs 98[34] queries .* the budget is 500"):
        make_agent(cls, LossLandscape(problem="digits"))


def test_a_plane_is_no_ground_for_a_step() -> None:
    """Zero curvature, zero gradient: finite actions that go nowhere."""
    env = LossLandscape(problem="quadratic", num_envs=1)
    flat = {"loss": np.ones((1, 1)), "gradient": np.zeros((1, 2)), "queries_left": np.ones((1, 1))}
    for cls in FAMILY:
        agent = make_agent(cls, env)
        actions = [agent.act(flat) for _ in range(6)]
        assert np.isfinite(actions).all()
        assert not actions[2][0, :2].any()


@pytest.mark.parametrize(
    ("cls", "hyper", "line"),
    [
        (
            NewtonAgent,
            {"probe_distance": 0.0},
            "probe_distance must be a finite number above 0, got 0.0",
        ),
        (
            LevenbergMarquardtAgent,
            {"damping_factor": 1.0},
            "damping_factor must be a finite number above 1",
        ),
    ],
)
def test_bad_settings_are_named(
    cls: type[LandscapeAgent], hyper: dict[str, Any], line: str
) -> None:
    """One line with the value and the bound."""
    with pytest.raises(UnknownHyperparameter, match=line):
        make_agent(cls, LossLandscape(problem="quadratic"), **hyper)
