"""Features that do not tell two domains apart (Ganin et al. 2016, JMLR 17).

Labels exist for one domain only. A second classifier on the features learns to say which domain an
image is from; its gradient reaches the features with the opposite sign (equations 15 to 18), so
they learn what serves the labels and hides the domain. How much they are pushed grows from 0 to
``domain_weight`` with the share p of the training done, lambda = 2 / (1 + exp(-10 p)) - 1
(section 5.2.2 there).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from mlds_bench.agents.classification.network_agent import NetworkAgent
from mlds_bench.agents.classification.networks import ImageNetwork
from mlds_bench.agents.classification.settings import (
    NETWORKS,
    LayerHyperparameters,
    network_of,
)
from mlds_bench.agents.classification.spaces import UNLABELED, Shape, as_actions
from mlds_bench.agents.classification.training import Trainer, labeled_loss, seeded
from mlds_bench.common.bounds import at_least, whole
from mlds_bench.common.checks import one_of
from mlds_bench.envs.streams import derive

SLOPE = 10.0
"""Gamma of the schedule of lambda."""


@dataclass(frozen=True)
class DomainAdversarialHyperparameters(LayerHyperparameters):
    """Hyper-parameters of `DomainAdversarialAgent`; the optimizer is the paper's (section 5.2.2).

    Adam, which rescales every parameter's gradient, hides the domains less well. The bound on the
    gradient is ours: where domains are easily told apart, the reversed gradient grows without end.

    Attributes:
        network: mlp, cnn-shallow, cnn-middle or cnn-deep, as these agents have it by default.
        domain_weight: largest lambda; 0 for the plain network.
        domain_units: units of the domain classifier's hidden layer.
    """

    learning_rate: float = 1e-2
    optimizer: str = "momentum"
    max_grad_norm: float | None = 5.0
    network: str = "cnn-middle"
    domain_weight: float = 1.0
    domain_units: int = 100

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("network", self.network, [*NETWORKS])
        at_least(0.0, domain_weight=self.domain_weight)
        whole(1, domain_units=self.domain_units)

    def make_network(self, shape: Shape, classes: int) -> ImageNetwork:
        """The network of that name."""
        return network_of(self.network, self).make_network(shape, classes)


class Reversal(torch.autograd.Function):
    """The identity, whose gradient is multiplied by -strength."""

    @staticmethod
    def forward(ctx: Any, inputs: Tensor, strength: float) -> Tensor:
        """The inputs."""
        ctx.strength = strength
        return inputs.view_as(inputs)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None]:
        """The gradient, reversed."""
        return gradient.mul(-ctx.strength), None


def reverse(inputs: Tensor, strength: float) -> Tensor:
    """The inputs; their gradient is multiplied by -strength on its way back."""
    outputs: Tensor = Reversal.apply(inputs, strength)  # type: ignore[no-untyped-call]
    return outputs


def reversal_strength(progress: float) -> float:
    """Lambda at a share of the training, from 0 at 0 to almost 1 at 1."""
    return 2.0 / (1.0 + math.exp(-SLOPE * progress)) - 1.0


class DomainAdversarialAgent(NetworkAgent):
    """A network that learns labels from one domain and hides from which of two an image is.

    Images that the oracle gives no label are those of the new domain.
    """

    hyperparameters: ClassVar[type] = DomainAdversarialHyperparameters
    hyper: DomainAdversarialHyperparameters

    def prepare(self) -> None:
        """Draw the initial weights, those of the domain classifier too."""
        super().prepare()
        features = self.network.head.in_features
        with seeded(derive(self.seed, "domains"), self.device):
            self.domains = nn.Sequential(
                nn.Linear(features, self.hyper.domain_units),
                nn.ReLU(),
                nn.Linear(self.hyper.domain_units, 1),
            ).to(self.device)
        self.strength = 0.0

    def make_trainer(self) -> Trainer:
        """Both classifiers and the features are updated together."""
        return Trainer(nn.ModuleList([self.network, self.domains]), self.hyper, self.objective)

    def objective(self, inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        """Logits (n, K), and the loss by the labels there are plus that by domains."""
        features = self.network.features(inputs)
        logits = self.network.head(features)
        is_new = (labels == UNLABELED).to(torch.float32)
        said = self.domains(reverse(features, self.strength))[:, 0]
        loss = functional.binary_cross_entropy_with_logits(said, is_new)
        return logits, labeled_loss(logits, labels) + loss

    def learn_step(
        self, trainer: Trainer, images: Tensor, labels: Tensor, progress: float, share: float
    ) -> Any:
        """Learn from all images, those without a label included; see `NetworkAgent`."""
        self.strength = self.hyper.domain_weight * reversal_strength(progress)
        logits = self.train_on(trainer, images, labels, progress, share)
        return as_actions(self.action_space, logits.softmax(1))
