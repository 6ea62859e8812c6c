"""What choices by chance come to, in closed form: anchors, and the lecture's count of tries."""

from __future__ import annotations

import math

import numpy as np

from mlds_bench.envs.generalization.data import Array


def hit_probability(tries: int, top: int, settings: int) -> float:
    """Probability that random tries, with replacement, meet the best ``top``: 1 - (1 - K/N)^x.

    MLDS 2018, lecture on tuning hyper-parameters: for N = 1000 and 90 %, 230 tries meet the top 10
    and 22 the top 100.
    """
    return 1.0 - (1.0 - top / settings) ** tries


def tries_needed(top: int, settings: int, probability: float) -> int:
    """Fewest random tries that meet the best ``top`` with at least this probability."""
    return math.ceil(math.log1p(-probability) / math.log1p(-top / settings))


def expected_maximum(values: Array, count: int) -> float:
    """Expected largest of ``count`` different values of (n,), drawn uniformly."""
    values = np.sort(values)
    below = np.arange(len(values))
    weights = [math.comb(int(k), count - 1) / math.comb(len(values), count) for k in below]
    return float(np.dot(weights, values))


def expected_selection_regret(
    accuracies: tuple[Array, ...], count: int, no_choice: float = 0.0
) -> float:
    """Expected regret of a random choice among ``count`` networks, mean over data sets.

    Args:
        accuracies: of the candidates of every data set.
        count: networks among which is chosen.
        no_choice: probability that an episode ends without a choice, which counts as the worst.
    """
    regrets = []
    for accuracy in accuracies:
        best, worst = expected_maximum(accuracy, count), -expected_maximum(-accuracy, count)
        chosen = (1.0 - no_choice) * float(accuracy.mean()) + no_choice * worst
        regrets.append(best - chosen)
    return float(np.mean(regrets))


def expected_search_regret(validation: Array, test: Array, tries: int) -> float:
    """Expected regret of so many random tries with replacement, the best on validation chosen.

    With validation ranks 1 (best) to N and ties in random order, the choice has rank r with
    probability ((N - r + 1) / N)^x - ((N - r) / N)^x.

    Args:
        validation: (N,) accuracies that choose.
        test: (N,) accuracies that count.
        tries: x.
    """
    total = len(test)
    shares = (np.arange(total, 0, -1) / total) ** tries
    weights = shares - np.append(shares[1:], 0.0)
    order = np.argsort(-validation, kind="stable")
    # Equal validation accuracies are told apart by who came first, which is uniform among them.
    _, group = np.unique(-validation[order], return_inverse=True)
    means = np.bincount(group, test[order]) / np.bincount(group)
    return float(test.max() - np.dot(weights, means[group]))
