"""How many linear pieces a predictor has, from its values on a uniform grid."""

from __future__ import annotations

from mlds_bench.envs.fitting.specs import Array


def linear_description(values: Array, tolerance: float) -> list[tuple[int, float, float]]:
    """Describe values (M,) on a uniform grid by runs of straight lines, within ``tolerance``.

    Each run starts at a value and goes on for as long as one line through that value passes every
    later one within the tolerance (Reumann and Witkam's strip, with the slopes still possible kept
    as an interval). Exactly linear pieces are found as they are.

    Returns:
        (first index, value there, slope in units per grid point) of each run.
    """
    data = values.tolist()
    runs, first, low, high = [], 0, -float("inf"), float("inf")
    for index in range(1, len(data)):
        steps = index - first
        rise = data[index] - data[first]
        lowest, highest = (rise - tolerance) / steps, (rise + tolerance) / steps
        if lowest > high or highest < low:
            runs.append((first, data[first], _middle(low, high)))
            first, low, high = index, -float("inf"), float("inf")
        else:
            low, high = max(low, lowest), min(high, highest)
    runs.append((first, data[first], _middle(low, high)))
    return runs


def _middle(low: float, high: float) -> float:
    return (low + high) / 2.0 if low > -float("inf") else 0.0
