"""Loss and accuracy on the straight line between two trained networks."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn

from mlds_bench.measures.networks import (
    Split,
    assign_parameters,
    batch_norms,
    evaluate_all,
    flat_parameters,
    recompute_statistics,
)
from mlds_bench.measures.points import Array
from mlds_bench.measures.surface import line


@dataclass(frozen=True)
class Profile:
    """What networks on a line score on one split.

    Attributes:
        loss: (K,) float64, mean cross-entropy.
        accuracy: (K,) float64, share of 1.
    """

    loss: Array
    accuracy: Array


def interpolate(
    first: nn.Module,
    last: nn.Module,
    positions: Array,
    splits: Mapping[str, Split],
    *,
    statistics: Tensor | None = None,
) -> dict[str, Profile]:
    """Loss and accuracy of the networks (1 - a) first + a last, in evaluation mode.

    The statistics of batch norm are no parameters, and beyond the ends a variance on the line would
    be negative: so they are recomputed at every point, the ends included, on fixed inputs.

    Source: MLDS 2018, homework 1-3, a in [-1, 2]; Goodfellow, Vinyals and Saxe 2015, "Qualitatively
    characterizing neural network optimization problems".

    Args:
        first: the network at a = 0.
        last: that at a = 1, of the same architecture.
        positions: (K,), values of a.
        splits: what to score on, by name.
        statistics: inputs (N, ...) that batch norm takes its statistics from; needed only where the
            network has any.

    Returns:
        A profile per split.

    Raises:
        ValueError: the networks have other parameters, or batch norm and no ``statistics``.
    """
    shapes = [[tuple(p.shape) for p in network.parameters()] for network in (first, last)]
    if shapes[0] != shapes[1]:
        raise ValueError(f"a line joins two networks of one architecture, got {shapes}")
    network = deepcopy(first)
    if statistics is None and batch_norms(network):
        raise ValueError("a network with batch norm needs statistics=: inputs to recompute them on")
    scores: dict[str, list[tuple[float, float]]] = {name: [] for name in splits}
    for point in line(flat_parameters(first), flat_parameters(last), positions):
        assign_parameters(network, torch.from_numpy(point))
        if statistics is not None:
            recompute_statistics(network, statistics)
        for name, pair in evaluate_all(network, splits).items():
            scores[name].append(pair)
    return {
        name: Profile(*np.array(pairs, np.float64).reshape(-1, 2).T)
        for name, pairs in scores.items()
    }
