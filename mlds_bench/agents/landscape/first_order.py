"""Optimizers that follow the gradient: one move per query, and no probes.

A rule turns a gradient into a step. There are four rules, and a fifth agent that starts with one of
them and continues with another:

- ``gd``: -rate g.
- ``momentum``: the heavy ball (Polyak 1964), u <- m u + g, step -rate u.
- ``rmsprop``: (Tieleman and Hinton 2012), s <- a s + (1 - a) g^2, step -rate g / (sqrt s + eps).
- ``adam``: (Kingma and Ba 2015), with bias correction.
- ``sgd-then-adam``: momentum for a fraction of the queries, then a fresh Adam.

They take the same steps as ``torch.optim``, as the tests verify, for a whole batch at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from mlds_bench.agents.landscape.optimizer import Array, Flags, LandscapeAgent, Rows, Seen
from mlds_bench.common.bounds import above


@dataclass(frozen=True)
class GdHyperparameters:
    """Hyper-parameters of gradient descent.

    Attributes:
        learning_rate: factor of the gradient in a step.
    """

    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        above(0.0, learning_rate=self.learning_rate)


@dataclass(frozen=True)
class MomentumHyperparameters:
    """Hyper-parameters of the heavy ball.

    Attributes:
        learning_rate: factor of the velocity in a step.
        momentum: share of the velocity that is kept.
    """

    learning_rate: float = 0.03
    momentum: float = 0.9

    def __post_init__(self) -> None:
        above(0.0, learning_rate=self.learning_rate)
        check_shares(momentum=self.momentum)


@dataclass(frozen=True)
class RmspropHyperparameters:
    """Hyper-parameters of RMSprop, named as in ``torch.optim.RMSprop``.

    Attributes:
        learning_rate: factor of the gradient divided by its root mean square.
        alpha: decay rate of the running mean square.
        eps: added to its root.
    """

    learning_rate: float = 0.01
    alpha: float = 0.99
    eps: float = 1e-8

    def __post_init__(self) -> None:
        above(0.0, learning_rate=self.learning_rate, eps=self.eps)
        check_shares(alpha=self.alpha)


@dataclass(frozen=True)
class AdamHyperparameters:
    """Hyper-parameters of Adam.

    Attributes:
        learning_rate: factor of the mean gradient divided by its root mean square.
        beta1: decay rate of the running mean.
        beta2: decay rate of the running mean square.
        eps: added to its root.
    """

    learning_rate: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        above(0.0, learning_rate=self.learning_rate, eps=self.eps)
        check_shares(beta1=self.beta1, beta2=self.beta2)


@dataclass(frozen=True)
class SgdThenAdamHyperparameters:
    """Hyper-parameters of momentum followed by Adam; Adam's other settings are its defaults.

    Attributes:
        sgd_learning_rate: learning rate of the first part.
        momentum: momentum of the first part.
        adam_learning_rate: learning rate of the second part.
        switch_fraction: fraction of the query budget after which Adam takes over.
    """

    sgd_learning_rate: float = 0.03
    momentum: float = 0.9
    adam_learning_rate: float = 0.01
    switch_fraction: float = 0.5

    def __post_init__(self) -> None:
        above(
            0.0,
            sgd_learning_rate=self.sgd_learning_rate,
            adam_learning_rate=self.adam_learning_rate,
        )
        check_shares(momentum=self.momentum, switch_fraction=self.switch_fraction)


@dataclass(frozen=True)
class Rule:
    """How a gradient becomes a step.

    Attributes:
        memories: number of arrays (N, d) that it keeps, zero at first.
        step: function of gradients, memories, step counts (N, 1), hyper-parameters, and the array
            that the steps are written to.
    """

    memories: int
    step: Callable[[Array, list[Array], Array, Any, Array], None]


def _gd(gradient: Array, memory: list[Array], count: Array, hyper: Any, out: Array) -> None:  # noqa: ARG001
    np.multiply(gradient, -hyper.learning_rate, out=out)


def _momentum(gradient: Array, memory: list[Array], count: Array, hyper: Any, out: Array) -> None:  # noqa: ARG001
    velocity = memory[0]
    velocity *= hyper.momentum
    velocity += gradient
    np.multiply(velocity, -hyper.learning_rate, out=out)


def _rmsprop(gradient: Array, memory: list[Array], count: Array, hyper: Any, out: Array) -> None:  # noqa: ARG001
    root = _root_mean_square(memory[0], gradient, hyper.alpha, out)
    root += hyper.eps
    np.divide(gradient, root, out=out)
    out *= -hyper.learning_rate


def _adam(gradient: Array, memory: list[Array], count: Array, hyper: Any, out: Array) -> None:
    mean, square = memory
    mean *= hyper.beta1
    np.multiply(gradient, 1.0 - hyper.beta1, out=out)
    mean += out
    root = _root_mean_square(square, gradient, hyper.beta2, out)
    root /= np.sqrt(1.0 - hyper.beta2**count)
    root += hyper.eps
    np.divide(mean, root, out=out)
    out *= -hyper.learning_rate / (1.0 - hyper.beta1**count)


def _root_mean_square(square: Array, gradient: Array, decay: float, out: Array) -> Array:
    """Add a gradient to the running mean square; its root is returned in ``out``."""
    np.multiply(gradient, gradient, out=out)
    out *= 1.0 - decay
    square *= decay
    square += out
    return np.sqrt(square, out=out)


RULES: Mapping[str, Rule] = MappingProxyType(
    {
        "gd": Rule(0, _gd),
        "momentum": Rule(1, _momentum),
        "rmsprop": Rule(1, _rmsprop),
        "adam": Rule(2, _adam),
    }
)
"""Rules by the names of the agents."""


class Stepper:
    """A rule with its memory, for a batch.

    Args:
        rule: a key of `RULES`.
        hyper: hyper-parameters of the rule.
        count: N.
        dimension: d.
    """

    def __init__(self, rule: str, hyper: Any, count: int, dimension: int) -> None:
        self._rule, self._hyper = RULES[rule], hyper
        self._memory = [np.zeros((count, dimension)) for _ in range(self._rule.memories)]
        self._steps = np.zeros((count, 1))

    def step(self, gradient: Array, out: Array) -> None:
        """Write the steps for gradients (N, d) to ``out`` (N, d)."""
        self._steps += 1.0
        self._rule.step(gradient, self._memory, self._steps, self._hyper, out)

    def step_rows(self, rows: Rows, gradient: Array) -> Array:
        """Steps (len(rows), d) of some instances; the memory of the others does not change."""
        self._steps[rows] += 1.0
        memory, out = [one[rows] for one in self._memory], np.empty_like(gradient)
        self._rule.step(gradient, memory, self._steps[rows], self._hyper, out)
        for one, part in zip(self._memory, memory, strict=True):
            one[rows] = part
        return out

    def clear(self, rows: Flags) -> None:
        """Clear the memory where ``rows`` (N,) is True."""
        for one in (*self._memory, self._steps):
            one[rows] = 0.0


class FirstOrderAgent(LandscapeAgent):
    """Follows the rule of its name."""

    def allocate(self, count: int) -> None:
        """Allocate the memory of the rule."""
        self._stepper = Stepper(self.name, self.hyper, count, self.dimension)

    def clear(self, rows: Flags) -> None:
        """Clear the memory where ``rows`` (N,) is True."""
        self._stepper.clear(rows)

    def ask(self, seen: Seen, vectors: Array) -> bool:
        """All instances move."""
        self._stepper.step(seen.gradient, vectors)
        return True


class GdAgent(FirstOrderAgent):
    """Gradient descent."""

    name = "gd"
    hyperparameters: ClassVar[type] = GdHyperparameters


class MomentumAgent(FirstOrderAgent):
    """Gradient descent with heavy-ball momentum."""

    name = "momentum"
    hyperparameters: ClassVar[type] = MomentumHyperparameters


class RmspropAgent(FirstOrderAgent):
    """RMSprop."""

    name = "rmsprop"
    hyperparameters: ClassVar[type] = RmspropHyperparameters


class AdamAgent(FirstOrderAgent):
    """Adam."""

    name = "adam"
    hyperparameters: ClassVar[type] = AdamHyperparameters


class SgdThenAdamAgent(LandscapeAgent):
    """Momentum first, then Adam."""

    name = "sgd-then-adam"
    hyperparameters: ClassVar[type] = SgdThenAdamHyperparameters

    def prepare(self) -> None:
        """Read the spaces and derive the hyper-parameters of both parts."""
        super().prepare()
        hyper = self.hyper
        self._first = MomentumHyperparameters(hyper.sgd_learning_rate, hyper.momentum)
        self._second = AdamHyperparameters(hyper.adam_learning_rate)
        self._left_at_switch = (1.0 - hyper.switch_fraction) * self.surface.query_budget

    def allocate(self, count: int) -> None:
        """Allocate both memories."""
        self._sgd = Stepper("momentum", self._first, count, self.dimension)
        self._adam = Stepper("adam", self._second, count, self.dimension)

    def clear(self, rows: Flags) -> None:
        """Clear the memory where ``rows`` (N,) is True."""
        self._sgd.clear(rows)
        self._adam.clear(rows)

    def ask(self, seen: Seen, vectors: Array) -> bool:
        """All instances move, by the first rule or the second, depending on the queries left."""
        late = seen.queries_left <= self._left_at_switch
        for stepper, rows in ((self._sgd, ~late), (self._adam, late)):
            if rows.all():
                stepper.step(seen.gradient, vectors)
            elif rows.any():
                vectors[rows] = stepper.step_rows(np.flatnonzero(rows), seen.gradient[rows])
        return True


def check_shares(**values: float) -> None:
    """Numbers in [0, 1); raises `ValueError` in one line with the name otherwise."""
    for name, value in values.items():
        if not 0.0 <= value < 1.0:
            raise ValueError(f"{name} must be at least 0 and below 1, got {value!r}")
