"""The three convolutional networks of homework 1-1, part 2: one, two and four convolutions.

All have the same number of parameters, as in the homework, whose networks of 1.25 million reached
0.704, 0.786 and 0.822 on CIFAR-10 after 100 epochs. Ours have 100,000 by default, so that a minute
of one processor core is enough for MNIST. In all three, pooling divides height and width by 4.
"""

from __future__ import annotations

from typing import ClassVar

from mlds_bench.agents.classification.network_agent import NetworkAgent
from mlds_bench.agents.classification.settings import (
    CnnHyperparameters,
    DeepCnnHyperparameters,
    ShallowCnnHyperparameters,
)


class ShallowCnnAgent(NetworkAgent):
    """One convolution and a dense layer, trained on the labels."""

    hyperparameters: ClassVar[type] = ShallowCnnHyperparameters


class MiddleCnnAgent(NetworkAgent):
    """Two convolutions, each followed by pooling, and a dense layer, trained on the labels."""

    hyperparameters: ClassVar[type] = CnnHyperparameters


class DeepCnnAgent(NetworkAgent):
    """Two pairs of convolutions, each followed by pooling, and a dense layer."""

    hyperparameters: ClassVar[type] = DeepCnnHyperparameters
