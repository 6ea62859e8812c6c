"""Scores of a fitted function, from what was recorded on the test grid.

- ``log10_mse``: log10 of the mean squared error. Errors below `RMSE_FLOOR` (a few roundings of a
  float64) are reported as the floor, so that a perfect fit scores -30, a finite number.
- ``sup_error``: the largest absolute error.
- ``pieces``: the number n of free-knot linear pieces whose smallest RMSE C / n^2 is this RMSE,
  n = sqrt(C / RMSE); exact on parabolas, asymptotic elsewhere; absent where f'' is (``sgn``,
  ``product``) or where C = 0.
- ``optimum_distance``: on parabolas, log10 of the RMSE over the smallest RMSE possible with as many
  linear pieces as the predictor has. It cannot be negative: see `optimum_distance`.
"""

from __future__ import annotations

import math

import numpy as np

from mlds_bench.envs.core import Recorder
from mlds_bench.envs.fitting.optimum import parabola_error_on_grid, pieces_constant
from mlds_bench.envs.fitting.pieces import linear_description
from mlds_bench.envs.fitting.specs import Array, Settings, Target

RMSE_FLOOR = 1e-15
DESCRIPTION = 1e-3
"""Lines describe a predictor if they pass within this share of its RMSE of its values."""


def predictions(recording: Recorder, function: Target) -> tuple[Array, Array, Array]:
    """What was asked, answered and true in a test.

    Args:
        recording: of the test split.
        function: the target.

    Returns:
        Points (n, dimension), predictions (n,) and values of the function (n,), float64.
    """
    arrays = recording.arrays()
    predicted, truth = (arrays[name].reshape(-1) for name in ("action", "oracle"))
    return arrays["observation"].reshape(-1, function.dimension), predicted, truth


def score(recording: Recorder, settings: Settings) -> dict[str, float]:
    """Scores of the recorded predictions.

    Args:
        recording: of the test split.
        settings: of the environment.
    """
    function = settings.make_target()
    x, predicted, truth = predictions(recording, function)
    error = predicted - truth
    rmse = max(float(np.sqrt(np.mean(error**2))), RMSE_FLOOR)
    scores = {"log10_mse": 2.0 * math.log10(rmse), "sup_error": float(np.abs(error).max())}
    constant = pieces_constant(function)
    if constant:
        scores["pieces"] = math.sqrt(constant / rmse)
    if function.quadratic_coefficient is not None and is_uniform_grid(x[:, 0]):
        order = np.argsort(x[:, 0])
        scores["optimum_distance"] = optimum_distance(
            predicted[order], truth[order], abs(function.quadratic_coefficient)
        )
    return scores


def optimum_distance(predicted: Array, truth: Array, quadratic_coefficient: float = 1.0) -> float:
    """log10 of (RMSE + r) over the smallest RMSE of as many linear pieces, on a uniform grid.

    The predictor is described by n runs of lines (jumps allowed) to within `DESCRIPTION` of its
    RMSE; r is the root mean square of what the description leaves. The description is itself a
    predictor of n pieces, and its RMSE is at most RMSE + r, so the ratio is at least 1 whatever the
    predictor is. One that is smooth or noisy takes very many pieces to describe, and is far away.

    Args:
        predicted: (M,) in order of x on a grid of spacing 1/M.
        truth: (M,) values of a parabola there.
        quadratic_coefficient: |c2| of the parabola c0 + c1 x + c2 x^2.
    """
    rmse = float(np.sqrt(np.mean((predicted - truth) ** 2)))
    runs = linear_description(predicted, DESCRIPTION * max(rmse, RMSE_FLOOR))
    first, value, slope = np.array(runs).T
    lengths = np.diff([*first, len(predicted)]).astype(np.int64)
    steps = np.arange(len(predicted)) - np.repeat(first, lengths)
    description = np.repeat(value, lengths) + np.repeat(slope, lengths) * steps
    rest = float(np.sqrt(np.mean((predicted - description) ** 2)))
    best = quadratic_coefficient * parabola_error_on_grid(len(runs), len(predicted))
    return math.log10(max(rmse + rest, RMSE_FLOOR) / max(best, RMSE_FLOOR))


def is_uniform_grid(x: Array) -> bool:
    """Whether x (M,) are, in any order, the points of one grid of spacing 1/M."""
    gaps = np.diff(np.sort(x))
    return bool(np.allclose(gaps * len(x), 1.0, rtol=0.0, atol=1e-6))
