"""Categorical distributions over returns on a fixed grid (Bellemare, Dabney and Munos 2017)."""

from __future__ import annotations

from torch import Tensor


def project(probabilities: Tensor, values: Tensor, support: Tensor) -> Tensor:
    """Project distributions on other values onto the grid ``support``.

    The probability of a value is split between its two neighbors on the grid, in proportion to
    closeness (equation 7 of the paper). Values beyond an end of the grid count as that end.

    Args:
        probabilities: (B, k), each row sums to 1.
        values: (B, k), whose probabilities they are.
        support: (m,), evenly spaced, increasing.

    Returns:
        Probabilities (B, m), each row sums to 1.
    """
    low, high, step = support[0], support[-1], support[1] - support[0]
    clipped = values.clamp(min=low, max=high)
    distance = (clipped[:, None, :] - support[:, None]).abs_().div_(step)
    closeness = distance.neg_().add_(1.0).clamp_(min=0.0)  # (B, m, k)
    return (closeness @ probabilities[:, :, None])[:, :, 0]
