"""Training of one group of the zoo, all of its networks at once."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.func import vmap

from mlds_bench.envs.generalization.zoo.grid import (
    FITTED,
    FOLDS,
    LEVELS,
    MOST_EPOCHS,
    RUNGS,
    Group,
)
from mlds_bench.envs.generalization.zoo.images import CLASSES, DataSet, corrupted
from mlds_bench.envs.generalization.zoo.networks import Architecture

BETAS = (0.9, 0.999)
EPSILON = 1e-8
CHUNK = 2**16
"""Parameters that are updated at a time."""


@dataclass(frozen=True)
class Trained:
    """A group after its training.

    Attributes:
        architecture: of all networks.
        initial: (B, P) parameters before.
        theta: (B, P) parameters after.
        labels: (B, N) int64, the training labels, corrupted ones included.
        epochs: (B,) int64, epochs until the loss was `FITTED`, or the limit.
        validation: (B, rungs, folds) int64, right answers on the validation images.
    """

    architecture: Architecture
    initial: Tensor
    theta: Tensor
    labels: Tensor
    epochs: Tensor
    validation: Tensor


@dataclass
class Adam:
    """Adam with decoupled weight decay and a learning rate for every network.

    Kingma and Ba 2015, algorithm 1; Loshchilov and Hutter 2019, algorithm 2.

    Attributes:
        learning_rate: (B, 1).
        weight_decay: (B, 1), times the learning rate per step.
        mean: (B, P).
        square: (B, P).
        steps: taken so far.
    """

    learning_rate: Tensor
    weight_decay: Tensor
    mean: Tensor
    square: Tensor
    steps: int = 0

    def step(self, theta: Tensor, gradient: Tensor, factor: float) -> None:
        """Move the parameters (B, P) in place, with ``factor`` times the learning rate.

        A few networks at a time: what they need then stays in the processor's cache.
        """
        self.steps += 1
        first, second = (1.0 - beta**self.steps for beta in BETAS)
        size = max(CHUNK // theta.shape[1], 1)
        for rows in (slice(begin, begin + size) for begin in range(0, len(theta), size)):
            own, slope = theta[rows], gradient[rows]
            mean, square = self.mean[rows], self.square[rows]
            rate = self.learning_rate[rows] * factor
            mean.lerp_(slope, 1.0 - BETAS[0])
            square.mul_(BETAS[1]).addcmul_(slope, slope, value=1.0 - BETAS[1])
            root = (square / second).sqrt_().add_(EPSILON)
            own.mul_(1.0 - rate * self.weight_decay[rows])
            own.sub_(torch.div(mean, root, out=root).mul_(rate / first))

    def keep(self, mask: Tensor) -> None:
        """Drop the networks where ``mask`` (B,) is False."""
        for name in ("learning_rate", "weight_decay", "mean", "square"):
            setattr(self, name, getattr(self, name)[mask])


def train(group: Group, data: DataSet, *, most_epochs: int = MOST_EPOCHS) -> Trained:
    """Train every network of a group until its loss is `FITTED`, or for the most epochs.

    A network that is done leaves the stack, and the others cost less.

    Args:
        group: what to train.
        data: of its data set.
        most_epochs: the limit; rungs lie at a ninth, a third and all of it.
    """
    members = group.members
    settings = group.architecture
    x = torch.from_numpy(data.train.images)
    labels = _labels(group, data)
    sizes = (x.shape[1], *[settings["width"]] * settings["depth"], CLASSES)
    architecture = Architecture(sizes, settings["activation"], settings["normalization"])
    initial = architecture.initial(len(members), _generator(group, "init"))
    order, noise = _generator(group, "order"), _generator(group, "dropout")
    rate, decay, drop = _columns(group, members)
    theta, validation, epochs = initial.clone(), [], torch.full((len(members),), most_epochs)
    active = torch.arange(len(members))
    adam = Adam(rate, decay, torch.zeros_like(theta), torch.zeros_like(theta))
    live = theta.clone()
    for epoch in range(1, most_epochs + 1):
        if len(active):
            factor = 0.5 * (1.0 + math.cos(math.pi * (epoch - 1) / most_epochs))
            batches = _batches(len(active), len(x), settings["batch_size"], order)
            for rows in batches:
                keep = _masks(architecture, drop[active], rows.shape[1], noise)
                _step(
                    architecture, adam, live, x[rows], labels[active].gather(1, rows), keep, factor
                )
            theta[active] = live
            loss = mean_loss(architecture, live, x, labels[active])
            open_ = loss.gt(FITTED) & loss.isfinite()
            epochs[active[~open_]] = epoch
            active, live = active[open_], live[open_]
            adam.keep(open_)
        if epoch in {round(rung * most_epochs / RUNGS[-1]) for rung in RUNGS}:
            validation.append(right_by_fold(architecture, theta, data))
    theta = theta.nan_to_num(0.0, 0.0, 0.0)  # of a network that diverged, so that all is finite
    return Trained(architecture, initial, theta, labels, epochs, torch.stack(validation, 1))


def mean_loss(architecture: Architecture, theta: Tensor, x: Tensor, labels: Tensor) -> Tensor:
    """Cross-entropy (B,) of a stack (B, P) on images (N, pixels) with labels (B, N)."""
    with torch.no_grad():
        return vmap(architecture.loss, (0, None, 0))(theta, x, labels)


def answers(architecture: Architecture, theta: Tensor, x: Tensor) -> Tensor:
    """Classes (B, N) that a stack (B, P) sees in images (N, pixels)."""
    with torch.no_grad():
        return vmap(architecture.logits, (0, None))(theta, x).argmax(-1)


def right_by_fold(architecture: Architecture, theta: Tensor, data: DataSet) -> Tensor:
    """Right answers (B, folds) in equal parts of the validation images."""
    part = data.validation
    said = answers(architecture, theta, torch.from_numpy(part.images))
    right = said == torch.from_numpy(part.labels)
    return right.reshape(len(theta), FOLDS, -1).sum(-1)


def _step(
    architecture: Architecture,
    adam: Adam,
    theta: Tensor,
    x: Tensor,
    y: Tensor,
    keep: list[Tensor],
    factor: float,
) -> None:
    """One update of the whole stack; x (B, batch, pixels), y (B, batch)."""
    leaf = theta.detach().requires_grad_()
    losses = vmap(architecture.loss)(leaf, x, y, keep)
    (gradient,) = torch.autograd.grad(losses.sum(), leaf)
    adam.step(theta, gradient, factor)


def _batches(networks: int, images: int, size: int, order: torch.Generator) -> Tensor:
    """Image numbers (steps, B, size) of one epoch, in an order of its own for every network."""
    rows = torch.rand(networks, images, generator=order).argsort(1)
    return rows.reshape(networks, images // size, size).transpose(0, 1)


def _masks(
    architecture: Architecture, drop: Tensor, size: int, noise: torch.Generator
) -> list[Tensor]:
    """Dropout masks (B, size, units) of every hidden layer; ``drop`` is (B, 1)."""
    share = drop[:, :, None]
    return [
        (torch.rand(len(drop), size, units, generator=noise) >= share) / (1.0 - share)
        for units in architecture.hidden
    ]


def _columns(group: Group, members: list[dict[str, Any]]) -> tuple[Tensor, Tensor, Tensor]:
    """Learning rates, weight decays and dropout shares, (B, 1) each."""
    levels = LEVELS[group.dataset]
    rate = [member["learning_rate"] for member in members]
    decay, drop = (
        [strength if member["regularization"] == name else 0.0 for member in members]
        for name, strength in {
            "weight_decay": levels.weight_decay,
            "dropout": levels.dropout,
        }.items()
    )
    rates, decays, drops = (torch.tensor(values)[:, None] for values in (rate, decay, drop))
    return rates, decays, drops


def _labels(group: Group, data: DataSet) -> Tensor:
    """Training labels (B, N) with the wrong ones of each network, other ones for each."""
    return torch.stack(
        [
            torch.from_numpy(
                corrupted(data.train.labels, member["label_noise"], group.seed(f"labels {index}"))
            )
            for index, member in enumerate(group.members)
        ]
    )


def _generator(group: Group, purpose: str) -> torch.Generator:
    return torch.Generator().manual_seed(group.seed(purpose))
