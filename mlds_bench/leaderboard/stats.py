"""Statistics over seeds: means, intervals, probability of improvement, performance profiles.

The unit of replication is the seed. A stratum is the scores of all seeds of one agent on one
variant, a float64 array (seeds,); strata may differ in length. Definitions follow Agarwal et al.,
"Deep Reinforcement Learning at the Edge of the Statistical Precipice" (NeurIPS 2021). All
functions are pure; whoever resamples passes the generator in.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt
from scipy import special

Array = npt.NDArray[np.float64]
Scores = npt.ArrayLike
Interval = tuple[float, float]
Statistic = Callable[[Array], Array]

CONFIDENCE = 0.95
REPETITIONS = 2_000
FEW_SEEDS = 10
"""Seeds per stratum below which a percentile bootstrap covers far less than it says."""


def mean(scores: Scores) -> Array:
    """Mean over the last axis.

    Args:
        scores: (..., runs), in any unit.

    Returns:
        (...), in the same unit.
    """
    return np.asarray(np.mean(_checked(scores), axis=-1))


def interquartile_mean(scores: Scores) -> Array:
    """Mean of the middle half over the last axis: floor(runs / 4) values go at either end.

    Args:
        scores: (..., runs), in any unit.

    Returns:
        (...), in the same unit.
    """
    ordered = np.sort(_checked(scores), axis=-1)
    runs = ordered.shape[-1]
    return np.asarray(ordered[..., runs // 4 : runs - runs // 4].mean(axis=-1))


def half_width(scores: Scores, *, confidence: float = CONFIDENCE) -> float | None:
    """Half-width of Student's t interval of the mean.

    Args:
        scores: (seeds,), in any unit.
        confidence: coverage of the interval.

    Returns:
        Half-width in the same unit, or None with fewer than two seeds.
    """
    values = _checked(scores)
    if values.size < 2:
        return None
    error = values.std(ddof=1) / math.sqrt(values.size)
    return float(special.stdtrit(values.size - 1, (1 + confidence) / 2) * error)


def welch_interval(x: Scores, y: Scores, *, confidence: float = CONFIDENCE) -> Interval | None:
    """Welch's interval of mean(x) - mean(y), for unequal variances.

    Args:
        x: (seeds of x,), in any unit.
        y: (seeds of y,), in the same unit.
        confidence: coverage of the interval.

    Returns:
        Lower and upper end, or None if a side has fewer than two seeds.
    """
    a, b = _checked(x), _checked(y)
    if min(a.size, b.size) < 2:
        return None
    difference = float(a.mean() - b.mean())
    squares = np.array([a.var(ddof=1) / a.size, b.var(ddof=1) / b.size])
    total = float(squares.sum())
    if total == 0:
        return difference, difference
    freedom = total**2 / float(np.sum(squares**2 / (np.array([a.size, b.size]) - 1)))
    half = float(special.stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(total)
    return difference - half, difference + half


def has_few_seeds(strata: Sequence[Scores]) -> bool:
    """Whether a stratum has fewer than `FEW_SEEDS` seeds: a bootstrap interval would not cover."""
    return any(_checked(stratum).size < FEW_SEEDS for stratum in strata)


def stratified_interval(
    x: Sequence[Scores], y: Sequence[Scores] = (), *, confidence: float = CONFIDENCE
) -> Interval | None:
    """Student's interval of the mean over all runs, or of a difference of two such means.

    The variance is that within strata; the degrees of freedom are Welch's and Satterthwaite's.

    Args:
        x: one array (seeds,) per variant.
        y: the same of another side, whose mean is subtracted; empty for none.
        confidence: coverage of the interval.

    Returns:
        Lower and upper end; None if a stratum has a single seed, which shows nothing of its
        spread.
    """
    if any(_checked(stratum).size < 2 for stratum in (*x, *y)):
        return None
    sides = [[_checked(stratum) for stratum in side] for side in (x, y) if len(side)]
    center = sum(
        sign * float(np.concatenate(side).mean())
        for sign, side in zip((1, -1), sides, strict=False)
    )
    weights = [
        [stratum.size / sum(other.size for other in side) for stratum in side] for side in sides
    ]
    terms = np.array(
        [
            weight**2 * stratum.var(ddof=1) / stratum.size
            for shares, side in zip(weights, sides, strict=True)
            for weight, stratum in zip(shares, side, strict=True)
        ]
    )
    total = float(terms.sum())
    if total == 0:
        return center, center
    sizes = np.array([stratum.size for side in sides for stratum in side])
    freedom = total**2 / float(np.sum(terms**2 / (sizes - 1)))
    half = float(special.stdtrit(freedom, (1 + confidence) / 2)) * math.sqrt(total)
    return center - half, center + half


def stratified_resamples(
    strata: Sequence[Scores],
    *,
    generator: np.random.Generator,
    repetitions: int = REPETITIONS,
) -> Array:
    """Resamples seeds with replacement within each stratum.

    Args:
        strata: one array (seeds,) per variant.
        generator: source of randomness.
        repetitions: number of resamples.

    Returns:
        (repetitions, all runs): the strata side by side, in their order.
    """
    draws = [_picks(_checked(s).size, repetitions, generator) for s in strata]
    return np.concatenate(
        [_checked(s)[draw] for s, draw in zip(strata, draws, strict=True)], axis=-1
    )


def bootstrap_interval(
    strata: Sequence[Scores],
    statistic: Statistic,
    *,
    generator: np.random.Generator,
    repetitions: int = REPETITIONS,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Stratified bootstrap interval of a statistic over all runs, by percentiles.

    Args:
        strata: one array (seeds,) per variant.
        statistic: maps (repetitions, runs) to (repetitions,), as `interquartile_mean` does.
        generator: source of randomness.
        repetitions: number of resamples.
        confidence: coverage of the interval.

    Returns:
        Lower and upper end; None if a stratum has a single seed, which shows nothing of its
        spread.
    """
    if any(_checked(stratum).size < 2 for stratum in strata):
        return None
    resamples = stratified_resamples(strata, generator=generator, repetitions=repetitions)
    return _percentiles(statistic(resamples), confidence)


def difference_interval(
    x: Sequence[Scores],
    y: Sequence[Scores],
    statistic: Statistic,
    *,
    generator: np.random.Generator,
    repetitions: int = REPETITIONS,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Stratified bootstrap interval of statistic(x) - statistic(y), by percentiles.

    Args:
        x: one array (seeds,) per variant.
        y: the same of the other side, resampled independently.
        statistic: maps (repetitions, runs) to (repetitions,).
        generator: source of randomness.
        repetitions: number of resamples.
        confidence: coverage of the interval.

    Returns:
        Lower and upper end; None if a stratum of either side has a single seed.
    """
    if any(_checked(stratum).size < 2 for stratum in (*x, *y)):
        return None
    sides = [
        statistic(stratified_resamples(side, generator=generator, repetitions=repetitions))
        for side in (x, y)
    ]
    return _percentiles(sides[0] - sides[1], confidence)


def probability_of_improvement(x: Sequence[Scores], y: Sequence[Scores]) -> float:
    """Probability that a run of x beats a run of y on a variant, averaged over variants.

    The Mann-Whitney statistic over its largest value; ties count one half.

    Args:
        x: one array (seeds,) per variant; higher is better.
        y: the same variants in the same order, seeds of their own.

    Returns:
        A probability, 0.5 where neither is better.
    """
    return float(np.mean([wins.mean() for wins in _wins(x, y)]))


def improvement_interval(
    x: Sequence[Scores],
    y: Sequence[Scores],
    *,
    generator: np.random.Generator,
    repetitions: int = REPETITIONS,
    confidence: float = CONFIDENCE,
) -> Interval | None:
    """Stratified bootstrap interval of `probability_of_improvement`, by percentiles.

    Args:
        x: one array (seeds,) per variant; higher is better.
        y: the same variants in the same order.
        generator: source of randomness.
        repetitions: number of resamples.
        confidence: coverage of the interval.

    Returns:
        Lower and upper end; None if a stratum of either side has a single seed.
    """
    tables = _wins(x, y)
    if any(min(wins.shape) < 2 for wins in tables):
        return None
    total = np.zeros(repetitions)
    for wins in tables:
        rows = _picks(wins.shape[0], repetitions, generator)
        columns = _picks(wins.shape[1], repetitions, generator)
        total += wins[rows[:, :, None], columns[:, None, :]].mean(axis=(1, 2))
    return _percentiles(total / len(tables), confidence)


def performance_profile(scores: Scores, thresholds: Scores) -> Array:
    """Share of runs that score above each threshold.

    Args:
        scores: (runs,), normalized scores of all variants and seeds.
        thresholds: (thresholds,), the values of tau.

    Returns:
        (thresholds,), shares from 0 to 1.
    """
    runs, taus = _checked(scores), np.asarray(thresholds, dtype=np.float64)
    return np.asarray((runs[None, :] > taus[:, None]).mean(axis=1))


def _checked(scores: Scores) -> Array:
    values = np.asarray(scores, dtype=np.float64)
    if values.ndim == 0 or values.shape[-1] == 0:
        raise ValueError(f"scores need one run at least, and have the shape {values.shape}")
    if not np.isfinite(values).all():
        raise ValueError("scores must be finite: leave failed runs out or give them a value")
    return values


def _picks(size: int, repetitions: int, generator: np.random.Generator) -> npt.NDArray[np.int64]:
    return generator.integers(0, size, size=(repetitions, size))


def _wins(x: Sequence[Scores], y: Sequence[Scores]) -> list[Array]:
    """One matrix (seeds of x, seeds of y) per variant: 1 where x wins, 1/2 at a tie."""
    pairs = [(_checked(a)[:, None], _checked(b)[None, :]) for a, b in zip(x, y, strict=True)]
    if not pairs:
        raise ValueError("probability of improvement needs one variant at least")
    return [(a > b) + 0.5 * (a == b) for a, b in pairs]


def _percentiles(distribution: Array, confidence: float) -> Interval:
    tail = 50 * (1 - confidence)
    low, high = np.percentile(distribution, [tail, 100 - tail])
    return float(low), float(high)
