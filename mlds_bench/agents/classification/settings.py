"""Hyper-parameters of the networks of this room, and the networks they describe."""

from __future__ import annotations

from dataclasses import dataclass, fields, replace
from functools import partial
from typing import Any

from mlds_bench.agents.classification.layers import ACTIVATIONS, NORMALIZATIONS, SKIPS, Choices
from mlds_bench.agents.classification.networks import (
    UNITS_PER_CHANNEL,
    ImageNetwork,
    convolutional_network,
    dense_network,
    largest_size,
    linear_network,
)
from mlds_bench.agents.classification.optimizers import OPTIMIZERS
from mlds_bench.agents.classification.spaces import Shape
from mlds_bench.common.bounds import above, at_least, between, sizes, whole
from mlds_bench.common.checks import one_of, true_or_false

INSTANCES = 1024
"""About so many images are seen per step of the batch, unless ``updates_per_step`` says more."""
MOST_BYTES = 2**26
"""Of a batch of observations: a larger batch of examples is gathered over several steps."""


@dataclass(frozen=True)
class TrainingHyperparameters:
    """How a network is trained.

    Attributes:
        batch_size: examples per update. It may exceed what fits into memory, and the data set.
        learning_rate: initial value.
        optimizer: adam, sgd, momentum (0.9) or rmsprop; PyTorch's, Adam with decoupled weight decay
            (Loshchilov and Hutter 2019).
        weight_decay: of the optimizer, on all parameters.
        max_grad_norm: upper bound on the gradient's Euclidean norm; None for no bound.
        anneal_lr: the learning rate follows half a cosine to zero over the budget.
        updates_per_step: updates per step of the batch of ``batch_size * updates_per_step``
            instances; None for as many as make about `INSTANCES` instances.
        total_updates: stop after so many; None to train for the whole budget, to which the learning
            rate is annealed in either case.
        measures: measure sensitivity and sharpness when the network is saved.
    """

    batch_size: int = 64
    learning_rate: float = 1e-3
    optimizer: str = "adam"
    weight_decay: float = 0.0
    max_grad_norm: float | None = None
    anneal_lr: bool = True
    updates_per_step: int | None = None
    total_updates: int | None = None
    measures: bool = False

    def __post_init__(self) -> None:
        whole(1, batch_size=self.batch_size)
        above(0.0, learning_rate=self.learning_rate)
        one_of("optimizer", self.optimizer, [*OPTIMIZERS])
        at_least(0.0, weight_decay=self.weight_decay)
        if self.max_grad_norm is not None:
            above(0.0, max_grad_norm=self.max_grad_norm)
        true_or_false("anneal_lr", self.anneal_lr)
        true_or_false("measures", self.measures)
        _optional(updates_per_step=self.updates_per_step, total_updates=self.total_updates)

    def make_network(self, shape: Shape, classes: int) -> ImageNetwork:
        """The network, with random weights from PyTorch's generator: here one without layers."""
        return linear_network(shape, classes)

    def num_envs(self, shape: Shape) -> int:
        """Instances of the batch that a learner with these settings asks for."""
        updates = self.updates_per_step or max(INSTANCES // self.batch_size, 1)
        height, width, channels = shape
        return min(self.batch_size * updates, max(MOST_BYTES // (height * width * channels), 1))


@dataclass(frozen=True)
class LayerHyperparameters(TrainingHyperparameters):
    """How a network with hidden layers is built and trained.

    Attributes:
        normalization: none, batch, layer, instance or weight.
        activation: relu, leaky_relu, elu or selu; selu brings LeCun-normal initial weights and
            alpha-dropout.
        dropout: share of the outputs of dense layers dropped in training.
        skip: none, residual or highway, around layers with as many outputs as inputs.
    """

    normalization: str = "none"
    activation: str = "relu"
    dropout: float = 0.0
    skip: str = "none"

    def __post_init__(self) -> None:
        super().__post_init__()
        one_of("normalization", self.normalization, NORMALIZATIONS)
        one_of("activation", self.activation, [*ACTIVATIONS])
        between(0.0, 0.95, dropout=self.dropout)
        one_of("skip", self.skip, SKIPS)

    @property
    def choices(self) -> Choices:
        """What the hidden layers have in common."""
        return Choices(self.normalization, self.activation, self.dropout, self.skip)


@dataclass(frozen=True)
class MlpHyperparameters(LayerHyperparameters):
    """Hyper-parameters of a network of dense layers.

    Attributes:
        hidden_layers: their number.
        width: units of each.
        parameters: a number of parameters to come as close to as possible from below, by another
            width; None to keep ``width``.
    """

    hidden_layers: int = 2
    width: int = 256
    parameters: int | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        whole(1, hidden_layers=self.hidden_layers, width=self.width)
        _optional(parameters=self.parameters)
        if self.normalization == "instance":
            raise ValueError(
                "normalization=instance takes means over the pixels of a channel, which dense "
                "layers do not have: choose layer, or a convolutional network"
            )

    def make_network(self, shape: Shape, classes: int) -> ImageNetwork:
        """Dense layers of equal width."""
        build = partial(
            _dense, shape, classes, hidden_layers=self.hidden_layers, choices=self.choices
        )
        if self.parameters is None:
            return build(self.width)
        return build(largest_size(build, self.parameters))


@dataclass(frozen=True)
class CnnHyperparameters(LayerHyperparameters):
    """Hyper-parameters of a convolutional network.

    Attributes:
        convolutions: their number in each stage. A stage ends in max-pooling, by 4 if it is the
            only one, else by 2, and has twice the channels of the stage before.
        kernel_size: of the convolutions.
        parameters: number of parameters, to come as close to as possible from below: by the number
            of channels first, with `UNITS_PER_CHANNEL` units of the dense layer for each channel of
            the last convolution, and then by further units.
    """

    convolutions: tuple[int, ...] = (1, 1)
    kernel_size: int = 5
    parameters: int = 100_000

    def __post_init__(self) -> None:
        super().__post_init__()
        sizes(convolutions=self.convolutions)
        whole(1, kernel_size=self.kernel_size, parameters=self.parameters)

    def make_network(self, shape: Shape, classes: int) -> ImageNetwork:
        """Convolutions, one dense layer, logits."""
        share = UNITS_PER_CHANNEL * 2 ** (len(self.convolutions) - 1)

        def build(channels: int, units: int) -> ImageNetwork:
            return convolutional_network(
                shape,
                classes,
                convolutions=self.convolutions,
                channels=channels,
                units=units,
                kernel_size=self.kernel_size,
                choices=self.choices,
            )

        channels = largest_size(lambda size: build(size, share * size), self.parameters)
        units = largest_size(partial(build, channels), self.parameters, least=share * channels)
        return build(channels, units)


@dataclass(frozen=True)
class ShallowCnnHyperparameters(CnnHyperparameters):
    """One convolution of 5 x 5."""

    convolutions: tuple[int, ...] = (1,)


@dataclass(frozen=True)
class DeepCnnHyperparameters(CnnHyperparameters):
    """Four convolutions; two of 3 x 3 see as much as one of 5 x 5 (Simonyan and Zisserman 2015)."""

    convolutions: tuple[int, ...] = (2, 2)
    kernel_size: int = 3


NETWORKS: dict[str, type[LayerHyperparameters]] = {
    "mlp": MlpHyperparameters,
    "cnn-shallow": ShallowCnnHyperparameters,
    "cnn-middle": CnnHyperparameters,
    "cnn-deep": DeepCnnHyperparameters,
}
"""Networks that agents with another way of training are built on, by the names of their agents."""


def network_of(name: str, settings: Any) -> LayerHyperparameters:
    """The settings of a network of `NETWORKS`, with those that ``settings`` has, too, as there."""
    names = [field.name for field in fields(LayerHyperparameters) if hasattr(settings, field.name)]
    return replace(NETWORKS[name](), **{name: getattr(settings, name) for name in names})


def _dense(shape: Shape, classes: int, width: int, **settings: Any) -> ImageNetwork:
    return dense_network(shape, classes, width=width, **settings)


def _optional(**settings: int | None) -> None:
    """Whole numbers of at least 1, or None."""
    whole(1, **{name: value for name, value in settings.items() if value is not None})
