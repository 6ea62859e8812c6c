"""Dense layers of equal width."""

from __future__ import annotations

from typing import ClassVar

from mlds_bench.agents.classification.network_agent import NetworkAgent
from mlds_bench.agents.classification.settings import MlpHyperparameters


class MlpAgent(NetworkAgent):
    """Dense hidden layers, trained on the labels."""

    hyperparameters: ClassVar[type] = MlpHyperparameters
