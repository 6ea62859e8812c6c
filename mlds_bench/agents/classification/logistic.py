"""Multinomial logistic regression: what a linear map of the pixels can say."""

from __future__ import annotations

from typing import ClassVar

from mlds_bench.agents.classification.network_agent import NetworkAgent
from mlds_bench.agents.classification.settings import TrainingHyperparameters


class LogisticAgent(NetworkAgent):
    """Logits linear in the pixels, trained on the labels: a convex problem."""

    hyperparameters: ClassVar[type] = TrainingHyperparameters
