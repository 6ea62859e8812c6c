"""The scores: literals, directions, and an optimum that nothing beats."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from mlds_bench.envs.fitting.env import FunctionFitting
from mlds_bench.envs.fitting.optimum import PARABOLA, parabola_error, parabola_error_on_grid
from mlds_bench.envs.fitting.scoring import is_uniform_grid, optimum_distance
from mlds_bench.envs.fitting.specs import Settings
from mlds_bench.envs.recorders import StepRecorder
from mlds_bench.envs.registry import ENVIRONMENTS

Array = npt.NDArray[np.float64]
score = ENVIRONMENTS["mlds/FunctionFitting-v0"].score
M = 4096
GRID: Array = (np.arange(M) + 0.37) / M


def played(predict: Any, *, episodes: int = 1, **arguments: Any) -> dict[str, float]:
    """Scores of a predictor (n, d) -> (n,) that plays the test split."""
    size = arguments.setdefault("test_points", M)
    env = FunctionFitting(**arguments, num_envs=size, split="test", seed=0)
    x, _ = env.reset()
    for _ in range(episodes):
        x = env.step(predict(x)[:, None])[0]
    return score(env.recording, **arguments)


def lines(x: Array, truth: Array, starts: npt.NDArray[np.int64]) -> Array:
    """The best line on each run of points, jumps allowed."""
    fitted = np.empty_like(truth)
    for run in np.split(np.arange(len(x)), starts):
        degree = min(1, len(run) - 1)
        fitted[run] = np.polyval(np.polyfit(x[run], truth[run], degree), x[run])
    return fitted


def test_the_scores_of_a_known_error() -> None:
    """Off by 0.1 everywhere: MSE 0.01, and 0.1 = C / n^2 gives the pieces."""
    scores = played(lambda x: x[:, 0] ** 2 + 0.1, target="square")
    assert scores["log10_mse"] == pytest.approx(-2.0)
    assert scores["sup_error"] == pytest.approx(0.1)
    assert scores["pieces"] == pytest.approx(math.sqrt(PARABOLA / 0.1))


def test_the_sup_error_is_the_largest_error() -> None:
    """One bad point among good ones is found."""

    def predict(x: Array) -> Array:
        y = Settings(target="sinc").make_target().function(x)
        y[17] -= 0.25
        return y

    scores = played(predict)
    assert scores["sup_error"] == pytest.approx(0.25)
    assert scores["log10_mse"] == pytest.approx(math.log10(0.25**2 / M))


@pytest.mark.parametrize(
    ("arguments", "names"),
    [
        ({"target": "sinc"}, {"log10_mse", "sup_error", "pieces"}),
        ({"target": "composed"}, {"log10_mse", "sup_error", "pieces"}),
        ({"target": "sgn"}, {"log10_mse", "sup_error"}),
        ({"target": "product"}, {"log10_mse", "sup_error"}),
        ({"target": "square"}, {"log10_mse", "sup_error", "pieces", "optimum_distance"}),
        (
            {"target": "polynomial", "coefficients": (0.5, 0.0, -1.0)},
            {"log10_mse", "sup_error", "pieces", "optimum_distance"},
        ),
        ({"target": "polynomial", "coefficients": (0.5, 1.0)}, {"log10_mse", "sup_error"}),
    ],
)
def test_a_perfect_fit_has_finite_scores(arguments: dict[str, Any], names: set[str]) -> None:
    """The floor of -30 instead of minus infinity; the scores that there are for this target."""
    options = {key: arguments[key] for key in ("coefficients",) if key in arguments}
    scores = played(
        Settings(target=arguments["target"], **options).make_target().function, **arguments
    )
    assert set(scores) == names
    assert scores["log10_mse"] == pytest.approx(-30.0)
    assert scores["sup_error"] == 0.0
    assert all(math.isfinite(value) for value in scores.values())


@pytest.mark.parametrize("target", ["sinc", "sgn", "square", "product"])
def test_collapsed_and_shifted_predictors_lose(target: str) -> None:
    """Perfect beats slightly shifted beats the constant, in every score that says so."""
    function = Settings(target=target).make_target().function
    perfect, shifted, constant = (
        played(predict, target=target)
        for predict in (
            function,
            lambda x: np.clip(function(np.clip(x + 0.01, 0.0, 1.0)), -2.0, 2.0),
            lambda x: np.full(len(x), float(function(x).mean())),
        )
    )
    assert perfect["log10_mse"] < shifted["log10_mse"] < constant["log10_mse"]
    assert perfect["sup_error"] < min(shifted["sup_error"], constant["sup_error"])
    if "pieces" in perfect:
        assert perfect["pieces"] > shifted["pieces"] > constant["pieces"]


def test_the_constant_on_the_sinc_scores_its_variance() -> None:
    """The best constant leaves the variance of the function."""
    truth = Settings(target="sinc").make_target().function(GRID[:, None])
    scores = played(lambda x: np.full(len(x), truth.mean()))
    assert scores["log10_mse"] == pytest.approx(math.log10(truth.var()), abs=1e-3)


@pytest.mark.parametrize("pieces", [1, 2, 16, 64, 100])
def test_the_best_lines_are_at_the_optimum(pieces: int) -> None:
    """Equal runs, each with its best line: distance 0, and as many equivalent pieces."""
    starts = np.rint(np.arange(1, pieces) * M / pieces).astype(np.int64)
    scores = played(lambda x: lines(x[:, 0], x[:, 0] ** 2, starts), target="square")
    assert scores["optimum_distance"] == pytest.approx(0.0, abs=1e-3)
    assert scores["optimum_distance"] >= -1e-9
    assert scores["pieces"] == pytest.approx(pieces, rel=0.01)


def test_the_distance_knows_the_scale_of_the_parabola() -> None:
    """On -x^2 / 2 as on x^2; and a shifted optimum is not at the optimum."""
    starts = np.arange(1, 16) * (M // 16)
    arguments: dict[str, Any] = {"target": "polynomial", "coefficients": (0.1, 0.2, -0.5)}
    function = (
        Settings(target="polynomial", coefficients=arguments["coefficients"]).make_target().function
    )
    best = played(lambda x: lines(x[:, 0], function(x), starts), **arguments)
    moved = played(lambda x: lines(x[:, 0], function(x), starts) + 1e-3, **arguments)
    assert best["optimum_distance"] == pytest.approx(0.0, abs=1e-3)
    assert moved["optimum_distance"] > 0.5


def test_a_smooth_or_noisy_predictor_is_far_from_the_optimum() -> None:
    """It takes very many lines to describe, which could do much better."""
    noise = np.random.default_rng(0).normal(scale=1e-3, size=M)
    for predicted in (GRID**2 + noise, GRID**2 + 1e-3 * np.sin(40.0 * GRID)):
        assert optimum_distance(predicted, GRID**2) > 1.5


def predictors(generator: np.random.Generator) -> list[Array]:
    """Predictors of x^2 that try to look better than their pieces allow."""
    pieces = int(generator.integers(1, 60))
    starts = np.sort(generator.choice(np.arange(2, M - 1), pieces - 1, replace=False))
    fitted = lines(GRID, GRID**2, starts)
    equal = lines(GRID, GRID**2, np.rint(np.arange(1, pieces) * M / pieces).astype(np.int64))
    knots = np.linspace(0.0, 1.0, pieces + 1)
    interpolated = np.interp(GRID, knots, knots**2)
    error = float(np.sqrt(np.mean((equal - GRID**2) ** 2)))
    toward = equal + 0.9e-3 * error * np.sign(GRID**2 - equal)
    return [
        fitted,
        equal,
        interpolated - interpolated.mean() + np.mean(GRID**2),
        toward,
        equal + generator.normal(scale=10.0 ** generator.uniform(-17, -2), size=M),
        np.where(generator.random(M) < 0.5, equal, GRID**2),
        np.float32(equal).astype(np.float64),
        np.round(GRID**2, int(generator.integers(1, 12))),
    ]


@pytest.mark.parametrize("seed", range(25))
def test_no_predictor_is_below_the_optimum(seed: int) -> None:
    """Random and adversarial predictors, with jumps, noise, rounding: RMSE >= E(n) - 1e-9."""
    for predicted in predictors(np.random.default_rng(seed)):
        distance = optimum_distance(predicted, GRID**2)
        rmse = float(np.sqrt(np.mean((predicted - GRID**2) ** 2)))
        assert distance >= -1e-9
        assert rmse * 10.0**-distance <= rmse + 1e-9


def test_the_optimum_is_that_of_the_grid() -> None:
    """The distance of the best lines is 0 to rounding only because E(n) is counted on the grid."""
    starts = np.arange(1, 512) * (M // 512)
    predicted = lines(GRID, GRID**2, starts)
    rmse = float(np.sqrt(np.mean((predicted - GRID**2) ** 2)))
    assert rmse == pytest.approx(parabola_error_on_grid(512, M), rel=1e-6)
    assert rmse < 0.97 * parabola_error(512)
    assert optimum_distance(predicted, GRID**2) == pytest.approx(0.0, abs=1e-3)


def test_the_distance_needs_the_whole_grid() -> None:
    """Half the points, or points seen twice, are no grid: the score is left out."""
    assert is_uniform_grid(GRID[::-1])
    assert not is_uniform_grid(GRID[: M // 2])
    assert not is_uniform_grid(np.concatenate([GRID, GRID]))
    assert "optimum_distance" not in played(lambda x: x[:, 0], target="square", episodes=2)


def test_an_empty_recording_is_refused() -> None:
    """Scores of nothing do not exist."""
    with pytest.raises(ValueError, match="nothing was recorded"):
        score(StepRecorder(), target="sinc")
