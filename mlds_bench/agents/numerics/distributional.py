"""Distributions over returns on a fixed grid of values (Bellemare, Dabney and Munos 2017)."""

from __future__ import annotations

from torch import Tensor


def project(probabilities: Tensor, values: Tensor, support: Tensor) -> Tensor:
    """The distribution on the grid ``support`` that stands for one on other values.

    Each value's probability goes to its two neighbours on the grid, in proportion to closeness
    (equation 7 of the paper); beyond the ends it goes to the end.

    Args:
        probabilities: (B, k), each row sums to 1.
        values: (B, k), where they lie.
        support: (m,), evenly spaced, rising.

    Returns:
        (B, m), each row sums to 1.
    """
    low, high, step = support[0], support[-1], support[1] - support[0]
    clipped = values.clamp(min=low, max=high)
    distance = (clipped[:, None, :] - support[:, None]).abs_().div_(step)
    closeness = distance.neg_().add_(1.0).clamp_(min=0.0)  # (B, m, k)
    return (closeness @ probabilities[:, :, None])[:, :, 0]
