"""Optimizers that follow the gradient: one move a query, and no probes.

A rule turns a gradient into a step. There are four, and a fifth agent that begins with one and
goes on with another:

- ``gd``: -rate g.
- ``momentum``: the heavy ball (Polyak 1964), u <- m u + g, step -rate u.
- ``rmsprop``: (Tieleman and Hinton 2012), s <- a s + (1 - a) g^2, step -rate g / (sqrt s + eps).
- ``adam``: (Kingma and Ba 2015), with bias correction.
- ``sgd-then-adam``: momentum for a share of the queries, Adam for the rest, begun afresh.

They are those of ``torch.optim``, step by step (the tests hold them to it), for a whole batch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

import numpy as np

from mlds_bench.agents.landscape.optimizer import Array, Flags, LandscapeAgent, Rows, Seen


@dataclass(frozen=True)
class GdHyperparameters:
    """Settings of gradient descent.

    Attributes:
        learning_rate: length of a step in gradients.
    """

    learning_rate: float = 0.1

    def __post_init__(self) -> None:
        check_positive(learning_rate=self.learning_rate)


@dataclass(frozen=True)
class MomentumHyperparameters:
    """Settings of the heavy ball.

    Attributes:
        learning_rate: length of a step in velocities.
        momentum: share of the velocity that stays.
    """

    learning_rate: float = 0.03
    momentum: float = 0.9

    def __post_init__(self) -> None:
        check_positive(learning_rate=self.learning_rate)
        check_shares(momentum=self.momentum)


@dataclass(frozen=True)
class RmspropHyperparameters:
    """Settings of RMSprop.

    Attributes:
        learning_rate: length of a step in root mean squares.
        decay: share of the mean square that stays.
        epsilon: added to its root.
    """

    learning_rate: float = 0.01
    decay: float = 0.99
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        check_positive(learning_rate=self.learning_rate, epsilon=self.epsilon)
        check_shares(decay=self.decay)


@dataclass(frozen=True)
class AdamHyperparameters:
    """Settings of Adam.

    Attributes:
        learning_rate: length of a step in root mean squares.
        beta1: share of the mean that stays.
        beta2: share of the mean square that stays.
        epsilon: added to its root.
    """

    learning_rate: float = 0.01
    beta1: float = 0.9
    beta2: float = 0.999
    epsilon: float = 1e-8

    def __post_init__(self) -> None:
        check_positive(learning_rate=self.learning_rate, epsilon=self.epsilon)
        check_shares(beta1=self.beta1, beta2=self.beta2)


@dataclass(frozen=True)
class SgdThenAdamHyperparameters:
    """Settings of the switch; Adam's others are the usual ones.

    Attributes:
        sgd_learning_rate: of the first part.
        momentum: of the first part.
        adam_learning_rate: of the second.
        switch: share of the queries after which Adam goes on.
    """

    sgd_learning_rate: float = 0.03
    momentum: float = 0.9
    adam_learning_rate: float = 0.01
    switch: float = 0.5

    def __post_init__(self) -> None:
        check_positive(
            sgd_learning_rate=self.sgd_learning_rate, adam_learning_rate=self.adam_learning_rate
        )
        check_shares(momentum=self.momentum, switch=self.switch)


@dataclass(frozen=True)
class Rule:
    """How a gradient becomes a step.

    Attributes:
        memories: arrays (N, d) that it keeps, zero at first.
        step: (gradients, memories, steps so far (N, 1), settings, steps to write).
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
    root = _root_mean_square(memory[0], gradient, hyper.decay, out)
    root += hyper.epsilon
    np.divide(gradient, root, out=out)
    out *= -hyper.learning_rate


def _adam(gradient: Array, memory: list[Array], count: Array, hyper: Any, out: Array) -> None:
    mean, square = memory
    mean *= hyper.beta1
    np.multiply(gradient, 1.0 - hyper.beta1, out=out)
    mean += out
    root = _root_mean_square(square, gradient, hyper.beta2, out)
    root /= np.sqrt(1.0 - hyper.beta2**count)
    root += hyper.epsilon
    np.divide(mean, root, out=out)
    out *= -hyper.learning_rate / (1.0 - hyper.beta1**count)


def _root_mean_square(square: Array, gradient: Array, decay: float, out: Array) -> Array:
    """Take a gradient into the running mean square; its root stands in ``out``."""
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
"""By the names of the agents."""


class Stepper:
    """A rule with its memory, for a batch.

    Args:
        rule: a key of `RULES`.
        hyper: its settings.
        count: N.
        dimension: d.
    """

    def __init__(self, rule: str, hyper: Any, count: int, dimension: int) -> None:
        self._rule, self._hyper = RULES[rule], hyper
        self._memory = [np.zeros((count, dimension)) for _ in range(self._rule.memories)]
        self._steps = np.zeros((count, 1))

    def step(self, gradient: Array, out: Array) -> None:
        """Write the steps (N, d) along gradients (N, d)."""
        self._steps += 1.0
        self._rule.step(gradient, self._memory, self._steps, self._hyper, out)

    def step_rows(self, rows: Rows, gradient: Array) -> Array:
        """Steps (len(rows), d) of some instances; the others stay as they are."""
        self._steps[rows] += 1.0
        memory, out = [one[rows] for one in self._memory], np.empty_like(gradient)
        self._rule.step(gradient, memory, self._steps[rows], self._hyper, out)
        for one, part in zip(self._memory, memory, strict=True):
            one[rows] = part
        return out

    def clear(self, rows: Flags) -> None:
        """Forget where ``rows`` (N,) is True."""
        for one in (*self._memory, self._steps):
            one[rows] = 0.0

    def keep(self, rows: Flags) -> None:
        """Forget the instances where ``rows`` (N,) is False: the others are the batch."""
        self._memory = [one[rows] for one in self._memory]
        self._steps = self._steps[rows]


class FirstOrderAgent(LandscapeAgent):
    """Moves by the rule of its name."""

    def allocate(self, count: int) -> None:
        """Make the rule's memory."""
        self._stepper = Stepper(self.name, self.hyper, count, self.dimension)

    def clear(self, rows: Flags) -> None:
        """Forget where ``rows`` is True."""
        self._stepper.clear(rows)

    def keep(self, mask: Flags) -> None:
        """Go on with the instances where ``mask`` (N,) is True."""
        self._stepper.keep(mask)
        self._count = int(mask.sum())

    def ask(self, seen: Seen, vectors: Array) -> bool:
        """Everyone moves."""
        self._stepper.step(seen.gradient, vectors)
        return True


class GdAgent(FirstOrderAgent):
    """Gradient descent."""

    name = "gd"
    hyperparameters: ClassVar[type] = GdHyperparameters


class MomentumAgent(FirstOrderAgent):
    """Gradient descent with a heavy ball."""

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
        """Settings of both parts."""
        super().prepare()
        hyper = self.hyper
        self._first = MomentumHyperparameters(hyper.sgd_learning_rate, hyper.momentum)
        self._second = AdamHyperparameters(hyper.adam_learning_rate)
        self._left_at_switch = (1.0 - hyper.switch) * self.surface.query_budget

    def allocate(self, count: int) -> None:
        """Make both memories."""
        self._sgd = Stepper("momentum", self._first, count, self.dimension)
        self._adam = Stepper("adam", self._second, count, self.dimension)

    def clear(self, rows: Flags) -> None:
        """Forget where ``rows`` is True."""
        self._sgd.clear(rows)
        self._adam.clear(rows)

    def ask(self, seen: Seen, vectors: Array) -> bool:
        """Everyone moves, by the rule of its hour."""
        late = seen.queries_left <= self._left_at_switch
        for stepper, rows in ((self._sgd, ~late), (self._adam, late)):
            if rows.all():
                stepper.step(seen.gradient, vectors)
            elif rows.any():
                vectors[rows] = stepper.step_rows(np.flatnonzero(rows), seen.gradient[rows])
        return True


def check_positive(**values: float) -> None:
    """Refuse what is not a finite number above 0; one line with its name."""
    for name, value in values.items():
        if not 0.0 < value < np.inf:
            raise ValueError(f"{name} must be a finite number above 0, got {value!r}")


def check_shares(**values: float) -> None:
    """Refuse what is not in [0, 1); one line with its name."""
    for name, value in values.items():
        if not 0.0 <= value < 1.0:
            raise ValueError(f"{name} must be at least 0 and below 1, got {value!r}")
