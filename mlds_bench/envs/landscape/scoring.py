"""Scores of an optimizer, from how its episodes ended.

- ``solved_share``: share of the episodes whose last point has a value of at most ``solved``.
- ``log10_loss``: median of log10 of the final loss above the problem's bottom, at least -30.
- ``gradient_norm``: median of the final gradient norm.
- ``minimal_ratio``: share of positive eigenvalues of the exact Hessian at the last point (above
  1e-8 of the largest in absolute value), mean over the first `hessian_cap` instances; points that
  diverged have none.
- ``spearman``: with ``objective="gradient_norm"``, the rank correlation of final loss and minimal
  ratio over the same points, with its 95% interval ``spearman_low`` to ``spearman_high``; left out
  where one of the two is constant.

Loss and gradient are computed anew at the last points theta. Diverged points count as loss and norm
1e12. All instances count alike: of each, as many episodes as every instance has ended.
"""

from __future__ import annotations

import math

import numpy as np
from scipy.stats import spearmanr

from mlds_bench.envs.core import Recorder
from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.problems.catalogue import make_problem
from mlds_bench.envs.landscape.specs import LIMIT, Objective, Settings
from mlds_bench.envs.landscape.values import gradient_norm, logarithm, query, value
from mlds_bench.measures.hessian import minimal_ratio_counts
from mlds_bench.measures.points import Array

MOST_HESSIANS = 128
HESSIAN_ENTRIES = 8_000_000
"""Most entries that all Hessians of one scoring may have: at d = 982, eight Hessians."""


def score(recording: Recorder, settings: Settings) -> dict[str, float]:
    """Scores of the recorded ends.

    Args:
        recording: of the test split.
        settings: of the environment.
    """
    surface, objective = make_problem(settings), settings.objective
    theta: Array = recording.arrays()["theta"]
    loss, gradient = query(surface, theta)
    values = value(loss, gradient, bottom=surface.bottom, objective=objective)
    is_solved = values <= settings.threshold
    excess = value(loss, gradient, bottom=surface.bottom, objective="loss")
    norm = np.minimum(gradient_norm(gradient), LIMIT)
    scores = {
        "solved_share": float(is_solved.mean()),
        "log10_loss": float(np.median(logarithm(excess))),
        "gradient_norm": float(np.median(norm)),
    }
    chosen = np.flatnonzero(excess < LIMIT)[: hessian_cap(surface.dimension)]
    return scores | _curvature_scores(surface, theta[chosen], loss[chosen], objective)


def hessian_cap(dimension: int) -> int:
    """Points whose Hessian is computed: at most 128, fewer where d is large, at least 1."""
    return max(1, min(MOST_HESSIANS, HESSIAN_ENTRIES // dimension**2))


def _curvature_scores(
    surface: Problem, theta: Array, loss: Array, objective: Objective
) -> dict[str, float]:
    if len(theta) == 0:
        return {}
    positive, zero, negative = minimal_ratio_counts(surface.loss, theta, hessians=surface.hessians)
    ratio = positive / (positive + zero + negative)
    scores = {"minimal_ratio": float(ratio.mean())}
    if objective == "gradient_norm" and np.ptp(ratio) > 0.0 and np.ptp(loss) > 0.0:
        correlation = float(spearmanr(loss, ratio).statistic)
        low, high = rank_correlation_interval(correlation, len(loss))
        scores |= {"spearman": correlation, "spearman_low": low, "spearman_high": high}
    return scores


def rank_correlation_interval(correlation: float, count: int) -> tuple[float, float]:
    """95% interval of a Spearman correlation of ``count`` pairs: all of [-1, 1] for three or less.

    Fisher's transformation with the standard error sqrt((1 + r^2 / 2) / (n - 3)) of Bonett and
    Wright 2000, "Sample size requirements for estimating Pearson, Kendall and Spearman
    correlations".
    """
    if count <= 3:
        return -1.0, 1.0
    if abs(correlation) >= 1.0:
        return correlation, correlation
    middle = math.atanh(correlation)
    half = 1.959964 * math.sqrt((1.0 + correlation**2 / 2.0) / (count - 3))
    return math.tanh(middle - half), math.tanh(middle + half)
