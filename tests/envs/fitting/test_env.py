"""The environment: the contract for every kind of target, the data it hands out, its errors."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
import pytest
from scipy import stats

from mlds_bench.envs.contract import check_env
from mlds_bench.envs.fitting.env import FunctionFitting

KINDS: list[dict[str, Any]] = [
    {"target": "sinc"},
    {"target": "sgn", "noise": 0.3},
    {"target": "product", "points": 100, "test_points": 64},
    {"target": "power", "degree": 3, "points": 7},
    {"target": "polynomial", "coefficients": (0.5, -0.25)},
]


@pytest.mark.parametrize("arguments", KINDS, ids=lambda arguments: str(arguments["target"]))
def test_the_contract_holds(arguments: dict[str, Any]) -> None:
    """Every rule of the contract, for every kind of target."""
    assert check_env(partial(FunctionFitting, **arguments))


def answer(env: FunctionFitting, value: float = 0.0) -> Any:
    """A step with the same answer everywhere."""
    return env.step(np.full((env.num_envs, 1), value))


def test_training_points_are_drawn_uniformly_from_the_grid() -> None:
    """Every point of the grid is drawn about equally often, and nothing else."""
    env = FunctionFitting(points=50, num_envs=500, seed=0)
    seen = [env.reset()[0], *(answer(env)[0] for _ in range(99))]
    rows = np.rint(np.concatenate(seen)[:, 0] * 50).astype(np.int64)
    assert np.array_equal(np.concatenate(seen)[:, 0], rows / 50)
    counts = np.bincount(rows, minlength=51)
    assert counts[0] == 0
    assert stats.chisquare(counts[1:]).pvalue > 1e-3


def test_the_reward_is_the_negative_squared_error() -> None:
    """-(y - f(x))^2 with the label that the oracle told before."""
    env = FunctionFitting(target="square", num_envs=5, seed=0)
    x, infos = env.reset()
    assert infos["oracle"] == pytest.approx(x**2)
    _, reward, terminated, truncated, _ = answer(env, 0.5)
    assert reward == pytest.approx(-((0.5 - x[:, 0] ** 2) ** 2))
    assert terminated.all()
    assert not truncated.any()


def test_the_noise_of_a_label_is_fixed_for_its_point() -> None:
    """A point met again has the same label; another seed gives it another."""
    labels = []
    for seed in (0, 0, 1):
        env = FunctionFitting(target="square", points=4, noise=0.5, num_envs=400, seed=seed)
        x, infos = env.reset()
        first = dict(zip(x[:, 0], infos["oracle"][:, 0], strict=True))
        x, _, _, _, infos = answer(env)
        assert first == dict(zip(x[:, 0], infos["oracle"][:, 0], strict=True))
        assert len(first) == 4
        labels.append(first)
    assert labels[0] == labels[1] != labels[2]


def test_the_noise_has_the_standard_deviation_asked_for() -> None:
    """Over 10,000 points, the labels' noise is normal of that width."""
    env = FunctionFitting(target="square", noise=0.5, num_envs=100_000, seed=0)
    x, infos = env.reset()
    _, first = np.unique(x[:, 0], return_index=True)
    noise = (infos["oracle"] - x**2)[first, 0]
    assert stats.kstest(noise, stats.norm(scale=0.5).cdf).pvalue > 1e-3


@pytest.mark.parametrize("target", ["sinc", "product"])
def test_as_many_instances_as_points_see_the_whole_grid_in_every_episode(target: str) -> None:
    """Each episode shows each point of the test grid once, in another instance each time."""
    env = FunctionFitting(target=target, test_points=64, num_envs=64, split="test", seed=0)
    seen = [env.reset()[0], answer(env)[0], answer(env)[0]]
    first, *later = [np.unique(x, axis=0) for x in seen]
    assert len(first) == 64
    assert all(np.array_equal(first, other) for other in later)
    assert not (seen[0] == seen[1]).all(axis=1).any()


def test_the_first_episode_runs_through_the_grid_in_order() -> None:
    """Instance i sees point (i + u) / test_points, u the same for all."""
    env = FunctionFitting(test_points=100, num_envs=100, split="test", seed=4)
    shifts = env.reset()[0][:, 0] * 100 - np.arange(100)
    assert shifts == pytest.approx(shifts[0])
    assert 0.0 < shifts[0] <= 1.0


def test_an_instance_of_the_test_is_the_same_in_any_batch() -> None:
    """Instances 0 and 1 alone see what they see among seven."""
    paths = []
    for size in (2, 7):
        env = FunctionFitting(test_points=64, num_envs=size, split="test", seed=0)
        paths.append([env.reset()[0][:2], *(answer(env)[0][:2] for _ in range(5))])
    assert np.array_equal(paths[0], paths[1])


def test_a_single_instance_roams_the_interval() -> None:
    """Few episodes of one instance already sample all parts of (0, 1]."""
    env = FunctionFitting(split="test", seed=0)
    seen = [env.reset()[0], *(answer(env)[0] for _ in range(19))]
    assert np.diff([0.0, *np.sort(np.ravel(seen)), 1.0]).max() < 0.1


def test_the_offset_of_the_test_grid_comes_from_the_seed() -> None:
    """So that knowing the grid does not help; the truth of the test has no noise."""
    grids = []
    for seed in (0, 0, 1):
        env = FunctionFitting(test_points=16, noise=1.0, num_envs=16, split="test", seed=seed)
        x, _ = env.reset()
        answer(env)
        truth = env.recording.arrays()["oracle"][:, 0]
        assert np.array_equal(truth, env.target.function(x))
        grids.append(x)
    assert np.array_equal(grids[0], grids[1])
    assert not np.isclose(grids[0], grids[2]).any()


def test_part_of_a_batch_can_be_drawn_anew() -> None:
    """A reset of some instances leaves the points of the others alone."""
    env = FunctionFitting(num_envs=4, seed=0)
    before, _ = env.reset()
    mask = np.array([True, False, True, False])
    after, infos = env.reset(options={"reset_mask": mask})
    assert np.array_equal((before != after)[:, 0], mask)
    assert np.array_equal(infos["oracle"][:, 0], env.target.function(after))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"target": "sign"}, r"unknown target 'sign': did you mean 'sgn'\?"),
        ({"points": 0}, r"points must be a whole number in 1\.\.16777216, got 0"),
        ({"test_points": -1}, r"test_points must be a whole number in 1\.\.16777216, got -1"),
        (
            {"target": "product", "test_points": 99},
            "test_points must be a square .* is the nearest",
        ),
        ({"noise": -0.1}, r"noise must be a finite number in \[0, 1e\+06\], got -0\.1"),
        ({"noise": float("nan")}, r"noise must be a finite number in \[0, 1e\+06\], got nan"),
        ({"degree": 2}, "target 'sinc' takes no degree: it belongs to 'power'"),
    ],
)
def test_wrong_arguments_get_one_clear_line(arguments: dict[str, Any], message: str) -> None:
    """The error names the argument, its value and its bound."""
    with pytest.raises(ValueError, match=f"^{message}$"):
        FunctionFitting(**arguments)
