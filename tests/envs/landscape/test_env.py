"""The environment: the contract for every problem, moves and probes, rewards, ends, errors."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
import torch
from gymnasium.spaces import Box

from mlds_bench.envs.contract import CHECKS, check_env
from mlds_bench.envs.core import InvalidAction
from mlds_bench.envs.landscape.env import LossLandscape
from mlds_bench.envs.landscape.specs import LIMIT, PROBLEMS
from mlds_bench.envs.registry import ENVIRONMENTS

Array = npt.NDArray[np.float64]
KINDS: list[dict[str, Any]] = [
    *({"problem": name} for name in PROBLEMS),
    {"problem": "xor", "gradient": False, "query_budget": 5},
    {"problem": "monkey-saddle", "objective": "gradient_norm", "query_budget": 3},
]


@pytest.mark.parametrize("arguments", KINDS, ids=str)
def test_the_contract_holds(arguments: dict[str, Any]) -> None:
    """Every rule of the contract, for every problem and view."""
    assert check_env(partial(LossLandscape, **arguments)) == list(CHECKS)


def act(env: LossLandscape, v: Any, decision: float | Array = 1.0) -> Any:
    """A step with the move v (d,) or (N, d) and one decision for all, or one an instance."""
    action = np.empty((env.num_envs, env.problem.dimension + 1))
    action[:, :-1] = v
    action[:, -1] = decision
    return env.step(action)


def seen_at(env: LossLandscape, theta: Array) -> tuple[Array, Array]:
    """Loss (N, 1) and gradient (N, d), asked of the problem itself."""
    loss, gradient = env.problem.loss_and_gradient(torch.from_numpy(theta))
    return loss.numpy()[:, None], gradient.numpy()


def test_the_spaces_follow_the_dimension() -> None:
    """d + 1 numbers in; loss, gradient and queries left out; no gradient where it is hidden."""
    env = LossLandscape(problem="teacher-student", k=3, n=4, query_budget=7)
    assert isinstance(env.single_action_space, Box)
    assert env.single_action_space.high.tolist() == [1e6] * 12 + [1.0]
    shapes = {key: value.shape for key, value in env.reset()[0].items()}
    assert shapes == {"loss": (1, 1), "gradient": (1, 12), "queries_left": (1, 1)}
    blind = LossLandscape(problem="xor", gradient=False)
    assert set(blind.reset()[0]) == {"loss", "queries_left"}


def test_a_move_goes_there_and_a_probe_only_looks() -> None:
    """Each instance by its own decision; both see loss and gradient at theta + v."""
    env = LossLandscape(problem="quadratic", num_envs=4, seed=0, solved=0.0)
    observation, infos = env.reset()
    start = infos["oracle"]["theta"]
    for key, value in zip(("loss", "gradient"), seen_at(env, start), strict=True):
        np.testing.assert_array_equal(observation[key], value)
    v = np.random.default_rng(0).normal(size=(4, 2))
    decision = np.array([1.0, -1.0, 1e-9, 0.0])
    observation, reward, *_, infos = act(env, v, decision)
    for key, value in zip(("loss", "gradient"), seen_at(env, start + v), strict=True):
        np.testing.assert_array_equal(observation[key], value)
        np.testing.assert_array_equal(infos["oracle"][key], value)
    moved = decision > 0
    np.testing.assert_array_equal(
        infos["oracle"]["theta"], np.where(moved[:, None], start + v, start)
    )
    assert reward[~moved].tolist() == [0.0, 0.0]
    assert (reward[moved] != 0.0).all()


def test_a_probe_is_forgotten() -> None:
    """The next move starts from theta, and its reward compares with theta."""
    env = LossLandscape(problem="quadratic", num_envs=3, seed=0, solved=0.0)
    _, infos = env.reset()
    theta = infos["oracle"]["theta"]
    act(env, 5.0, -1.0)
    _, reward, *_, infos = act(env, -0.5 * theta)
    np.testing.assert_allclose(infos["oracle"]["theta"], 0.5 * theta)
    assert reward == pytest.approx([np.log10(4.0)] * 3)


@pytest.mark.parametrize("objective", ["loss", "gradient_norm"])
def test_the_rewards_telescope(objective: Any) -> None:
    """Their sum is log10 of the first value over the last, over moves and probes."""
    env = LossLandscape(problem="xor", num_envs=20, seed=1, objective=objective, solved=0.0)
    _, infos = env.reset()
    first, total = infos["oracle"]["theta"], np.zeros(20)
    generator = np.random.default_rng(0)
    for _ in range(30):
        v, decision = generator.normal(size=(20, 13)), generator.uniform(-1, 1, 20)
        _, reward, terminated, _, infos = act(env, 0.1 * v, decision)
        total += reward
        assert not terminated.any()
    values = []
    for theta in (first, infos["oracle"]["theta"]):
        loss, gradient = seen_at(env, theta)
        values.append(loss[:, 0] if objective == "loss" else np.linalg.norm(gradient, axis=1))
    np.testing.assert_allclose(total, np.log10(values[0] / values[1]), atol=1e-12)


def test_newton_s_step_solves_the_quadratic_at_once() -> None:
    """To the floor of the logarithm, and the episode terminates."""
    env = LossLandscape(problem="quadratic", num_envs=5, seed=0)
    observation, infos = env.reset()
    newton = -observation["gradient"] / [2.0, 6.0]
    _, reward, terminated, truncated, infos = act(env, newton)
    assert terminated.all()
    assert not truncated.any()
    np.testing.assert_allclose(reward, np.log10(observation["loss"][:, 0]) + 30.0)
    assert (infos["final_obs"]["loss"] < 1e-30).all()
    assert (infos["oracle"]["loss"] > 0.0).all()


@pytest.mark.parametrize("problem", ["saddle", "degenerate-saddle", "monkey-saddle"])
def test_leaving_a_saddle_by_one_unit_is_a_solution(problem: str) -> None:
    """Where there is no minimum: at a loss of -1 the episode is solved, above it goes on."""
    env = LossLandscape(problem=problem, num_envs=2, seed=0, start_scale=0.0)
    observation, _ = env.reset()
    assert not observation["loss"].any()
    down = {"saddle": [1.0, 0.0], "degenerate-saddle": [0.0, 1.0], "monkey-saddle": [-1.0, 0.0]}
    _, _, terminated, _, _ = act(env, 0.9 * np.array(down[problem]))
    assert not terminated.any()
    _, reward, terminated, _, _ = act(env, 0.11 * np.array(down[problem]))
    assert terminated.all()
    assert (reward > 20.0).all()


def test_a_start_without_spread_is_the_critical_point_itself() -> None:
    """start_scale=0 begins at the origin, start_scale=3 three times as far out."""
    points = []
    for scale in (0.0, 1.0, 3.0):
        env = LossLandscape(problem="saddle", num_envs=3, start_scale=scale, seed=0)
        points.append(env.reset()[1]["oracle"]["theta"])
    assert not points[0].any()
    np.testing.assert_allclose(points[2], 3.0 * points[1])


@pytest.mark.parametrize("objective", ["loss", "gradient_norm"])
def test_a_diverged_instance_ends_with_a_finite_penalty(objective: Any) -> None:
    """A move to a loss beyond 1e12 counts as 1e12; a probe of the same place costs nothing."""
    env = LossLandscape(problem="degenerate-minimum", num_envs=3, seed=0, objective=objective)
    _, infos = env.reset()
    loss, gradient = seen_at(env, infos["oracle"]["theta"])
    before = loss[:, 0] if objective == "loss" else np.linalg.norm(gradient, axis=1)
    decision = np.array([1.0, -1.0, -1.0])
    observation, reward, terminated, truncated, infos = act(env, 1e6, decision)
    assert terminated.tolist() == [True, False, False]
    assert not truncated.any()
    assert reward.tolist() == [pytest.approx(np.log10(before[0]) - 12.0), 0.0, 0.0]
    assert infos["final_obs"]["loss"][0] == LIMIT
    assert observation["loss"][1:].tolist() == [[LIMIT], [LIMIT]]


def test_overflow_is_divergence() -> None:
    """Sixty factors of a million are beyond float64: infinite loss, gradients of no number."""
    env = LossLandscape(problem="deep-linear", depth=60, num_envs=2, seed=0)
    env.reset()
    _, reward, terminated, _, infos = act(env, 1e6)
    assert terminated.all()
    assert np.isfinite(reward).all()
    assert env.observation_space.contains(infos["final_obs"])


def test_queries_run_out() -> None:
    """Probes count as moves do; at the last the episode is truncated and the count starts anew."""
    env = LossLandscape(problem="xor", num_envs=2, seed=0, query_budget=3)
    left = [env.reset()[0]["queries_left"][0, 0]]
    for decision in (-1.0, 1.0):
        observation, _, terminated, truncated, _ = act(env, 0.0, decision)
        left.append(observation["queries_left"][0, 0])
        assert not (terminated | truncated).any()
    observation, _, terminated, truncated, infos = act(env, 0.0)
    assert left == [3.0, 2.0, 1.0]
    assert truncated.all()
    assert not terminated.any()
    assert infos["final_obs"]["queries_left"].tolist() == [[0.0], [0.0]]
    assert observation["queries_left"].tolist() == [[3.0], [3.0]]


def test_a_solution_at_the_last_query_is_a_solution() -> None:
    """Terminated, not truncated."""
    env = LossLandscape(problem="quadratic", num_envs=1, seed=0, query_budget=1)
    observation, _ = env.reset()
    _, _, terminated, truncated, _ = act(env, -observation["gradient"] / [2.0, 6.0])
    assert (terminated[0], truncated[0]) == (True, False)


def test_a_critical_point_solves_the_gradient_norm() -> None:
    """With this objective a saddle is as good as a minimum; the threshold is the caller's."""
    for solved, ends in ((1e-3, True), (1e-5, False)):
        env = LossLandscape(problem="saddle", objective="gradient_norm", solved=solved, seed=0)
        _, infos = env.reset()
        _, reward, terminated, _, _ = act(env, 1e-4 - infos["oracle"]["theta"])
        assert bool(terminated[0]) is ends
        assert reward[0] > 0.0


def test_the_test_split_records_ends_alone() -> None:
    """One row an episode, however many steps it took."""
    env = LossLandscape(problem="xor", num_envs=3, split="test", seed=0, query_budget=10)
    env.reset()
    for _ in range(25):
        act(env, 0.01)
    arrays = env.recording.arrays()
    assert arrays["length"].tolist() == [10] * 6
    assert arrays["theta"].shape == (6, 13)
    assert set(arrays) == {"instance", "episode", "length", "theta"}


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"problem": "xr"}, r"unknown problem 'xr': did you mean 'xor'\?"),
        ({"k": 3}, "problem 'xor' takes no k: it takes hidden, activation"),
        ({"query_budget": -5}, r"query_budget must be a whole number in 1\.\.1000000000, got -5"),
        ({"query_budget": 1.5}, r"query_budget must be a whole number in 1\.\..*, got 1\.5"),
        ({"solved": -1.0}, r"solved must be a finite number of at least 0, got -1\.0"),
        ({"solved": float("nan")}, "solved must be a finite number of at least 0, got nan"),
        (
            {"start_scale": float("inf")},
            r"start_scale must be a finite number in \[0, 1e\+06\], got inf",
        ),
        ({"objective": "los"}, "objective must be one of loss, gradient_norm, got 'los'"),
    ],
)
def test_wrong_arguments_get_one_clear_line(arguments: dict[str, Any], message: str) -> None:
    """The error names the argument, its value and its bound."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        LossLandscape(**arguments)


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (np.full((2, 14), np.nan), r"action\[0, 0\] is nan, outside \[-1e\+06, 1e\+06\]: clip it"),
        (np.zeros((2, 13)), r"action has shape \(2, 13\), expected \(2, 14\) \(instances first\)"),
        (np.full((2, 14), 2.0), r"action\[0, 13\] is 2, outside \[-1, 1\]: clip it"),
        (np.full((2, 14), -2e6), r"action\[0, 0\] is -2e\+06, outside \[-1e\+06, 1e\+06\]"),
    ],
)
def test_wrong_actions_get_one_clear_line(action: Array, message: str) -> None:
    """Steps that are no number, of another dimension, or too long; the batch is not moved."""
    env = LossLandscape(problem="xor", num_envs=2, seed=0)
    _, infos = env.reset()
    with pytest.raises(InvalidAction, match=f"^{message}"):
        env.step(action)
    np.testing.assert_array_equal(env.oracle()["theta"], infos["oracle"]["theta"])


def test_a_path_that_comes_to_rest_is_cut() -> None:
    """At a gradient norm of the tolerance, moved to and not only probed; a solution still ends."""
    env = LossLandscape(problem="saddle", num_envs=3, seed=0, gradient_tolerance=1e-9)
    theta = env.reset()[1]["oracle"]["theta"]
    decision = np.array([1.0, -1.0, 1.0])
    to_rest = np.array([-theta[0], -theta[1], [1.5, 0.0] - theta[2]])
    _, _, terminated, truncated, _ = act(env, to_rest, decision)
    assert truncated.tolist() == [True, False, False]
    assert terminated.tolist() == [False, False, True]
    with pytest.raises(ValueError, match="gradient_tolerance must be a finite number"):
        LossLandscape(gradient_tolerance=float("nan"))


def test_every_neuron_must_come_to_rest() -> None:
    """Of a layer, as in Safran and Shamir's protocol: the whole norm may be larger by far."""
    env = LossLandscape(problem="teacher-student", k=4, num_envs=50, seed=0, gradient_tolerance=1.0)
    env.reset()
    for _ in range(3):
        gradient = env.oracle()["gradient"]
        _, _, _, truncated, _ = act(env, np.zeros((50, 16)), np.ones(50))
        worst = np.linalg.norm(gradient.reshape(50, 4, 4), axis=-1).max(1)
        assert truncated.tolist() == (worst <= 1.0).tolist()
        assert (truncated & (np.linalg.norm(gradient, axis=-1) > 1.0)).any()
        assert not truncated.all()


def test_retired_instances_change_nothing_for_the_others() -> None:
    """Scores and paths are the same with them and without; the room computes far fewer rows."""
    paths, scores, rows = [], [], []
    for episodes in (None, 1):
        env = LossLandscape(num_envs=100, split="test", query_budget=400, activation="tanh")
        if episodes:
            env.record(episodes)
        observation, _ = env.reset(seed=4)
        path, computed, playing = [], 0, np.ones(100, np.bool_)
        for _ in range(400):
            computed += len(env.instances)
            observation, reward, terminated, truncated, _ = act(env, -0.2 * observation["gradient"])
            path.append(np.where(playing, reward, 0.0))
            playing &= ~(terminated | truncated)
        assert not playing.any()
        paths.append(np.array(path))
        rows.append(computed)
        score = ENVIRONMENTS["mlds/LossLandscape-v0"].score
        scores.append(score(env.recording, query_budget=400, activation="tanh"))
    np.testing.assert_allclose(paths[1], paths[0], rtol=0.0, atol=1e-9)
    assert scores[1].keys() == scores[0].keys()
    assert scores[0]["solved_share"] > 0.2
    assert all(scores[1][name] == pytest.approx(scores[0][name], abs=1e-9) for name in scores[0])
    assert rows[0] == 40_000
    assert rows[1] < 0.8 * rows[0]
