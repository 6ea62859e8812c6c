"""The probes and their costs, and the settings of both environments, as data.

Costs are in units of test accuracy: a choice that is one point better is worth 0.01.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from mlds_bench.common.settings import BaseSettings, number, whole

CANDIDATES = 8
"""Networks among which one is chosen."""
FITS = 0.99
"""Training accuracy from which a network is a candidate."""
MOST_DECISIONS = 10_000
MOST_TRAININGS = 100
NINTHS = (1, 3, 9)
"""Ninths of a training that a try may take."""
BOUND = 10.0
"""Standardized probes are clipped to [-BOUND, BOUND]."""


@dataclass(frozen=True)
class Probe:
    """Something that can be known of a trained network without unseen data.

    Attributes:
        cost: of one reveal, in test accuracy.
        logarithmic: whether log10 of the value is shown.
        meaning: one line, with its unit.
    """

    cost: float
    logarithmic: bool
    meaning: str


PROBES: Mapping[str, Probe] = MappingProxyType(
    {
        "batch_size": Probe(2e-4, True, "images per update"),
        "depth": Probe(2e-4, False, "hidden layers"),
        "distance": Probe(4e-4, True, "Euclidean distance of the parameters from their start"),
        "epochs": Probe(2e-4, True, "passes over the training images until the training stopped"),
        "flatness": Probe(1e-3, False, "length of random filter-normalized steps to +0.5 nat"),
        "learning_rate": Probe(2e-4, True, "of Adam, at the start"),
        "margin": Probe(8e-4, False, "10% quantile of the distance to the boundary, in pixels"),
        "parameter_count": Probe(2e-4, True, "weights and biases"),
        "sensitivity": Probe(8e-4, True, "mean norm of the Jacobian of the probabilities, 1/pixel"),
        "sharpness": Probe(1e-3, True, "largest curvature eps^2 / (2 (1 + loss)), eps 1e-4"),
        "spectral_product": Probe(4e-4, True, "product of the layers' spectral norms"),
        "train_loss": Probe(2e-4, True, "cross-entropy on the training labels, nat"),
        "weight_norm": Probe(4e-4, True, "Euclidean norm of all parameters"),
    }
)
"""Name -> probe, in the order of the actions: that of the observation's keys."""


@dataclass(frozen=True, kw_only=True)
class ModelSelectionSettings(BaseSettings):
    """Keyword arguments of `ModelSelection`.

    Attributes:
        places: networks that are chosen in an episode, the best first; the first one is the choice,
            the others only rank.
        decisions: reveals and choices in an episode at most.
        cost_factor: multiplies the costs of all probes.
    """

    places: int = whole(1, 1, CANDIDATES)
    decisions: int = whole(120, 1, MOST_DECISIONS)
    cost_factor: float = number(1.0, 0.0, 1000.0)


@dataclass(frozen=True, kw_only=True)
class HyperparameterSearchSettings(BaseSettings):
    """Keyword arguments of `HyperparameterSearch`.

    Attributes:
        trainings: budget of an episode, in full trainings; a try may take a ninth or a third.
        folds: parts of the validation images, of 16, that an episode validates on.
    """

    trainings: int = whole(16, 1, MOST_TRAININGS)
    folds: int = whole(8, 1, 16)
