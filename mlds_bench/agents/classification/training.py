"""Minibatch training on a stream of examples, with the predictions before each update.

An environment hands out examples in batches of its own size. They are learned from in minibatches
of ``batch_size``, which may be part of such a batch or spread over several; gradients are then
summed over parts of at most `MOST_ROWS` examples, so that memory stays bounded.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeAlias

import torch
from torch import Tensor, nn
from torch.nn import functional

from mlds_bench.agents.classification.optimizers import make_optimizer
from mlds_bench.agents.classification.settings import TrainingHyperparameters
from mlds_bench.agents.classification.spaces import UNLABELED

MOST_ROWS = 2048
"""Examples that go through the network at once; batch normalization averages over no more."""

FINAL_SHARE = 0.05

Objective: TypeAlias = Callable[[Tensor, Tensor], tuple[Tensor, Tensor]]
"""From inputs (n, C, H, W) and labels (n,) to logits (n, K) and the mean loss, a scalar."""


@contextmanager
def seeded(seed: int, device: str) -> Iterator[None]:
    """PyTorch's own generators, of initial weights and dropout, from a seed; restored after."""
    is_accelerated = torch.device(device).type == "cuda"
    with torch.random.fork_rng([torch.device(device)] if is_accelerated else []):
        torch.manual_seed(seed)
        yield


@dataclass
class History:
    """How the loss and the accuracy of the training went, by images seen; one entry per step."""

    images: list[int] = field(default_factory=list)
    loss: list[float] = field(default_factory=list)
    accuracy: list[float] = field(default_factory=list)

    @property
    def images_seen(self) -> int:
        """Images learned from so far."""
        return self.images[-1] if self.images else 0

    @property
    def final_loss(self) -> float:
        """Mean loss over the last `FINAL_SHARE` of the steps; not a number before the first."""
        last = self.loss[-max(round(FINAL_SHARE * len(self.loss)), 1) :]
        return sum(last) / len(last) if last else math.nan

    def add(self, logits: Tensor, labels: Tensor) -> None:
        """Add logits (n, K), from before the network learned from the images, and labels (n,)."""
        if not len(labels):
            return
        self.images.append(self.images_seen + len(labels))
        self.loss.append(float(functional.cross_entropy(logits, labels)))
        self.accuracy.append(float((logits.argmax(1) == labels).float().mean()))


class Trainer:
    """Updates a network from a stream of examples.

    Args:
        module: what is trained, in training mode from now on.
        hyper: batch size, optimizer, learning rate.
        objective: the loss of a part of a minibatch.

    Attributes:
        updates: so far.
    """

    def __init__(
        self, module: nn.Module, hyper: TrainingHyperparameters, objective: Objective
    ) -> None:
        self.module, self.hyper, self.objective = module.train(), hyper, objective
        self.optimizer = make_optimizer(
            hyper.optimizer, module.parameters(), weight_decay=hyper.weight_decay
        )
        self.updates = 0
        self._gathered = 0
        self._is_normalized = any(
            isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d) for part in module.modules()
        )

    @property
    def is_done(self) -> bool:
        """Whether it has made all the updates it may make."""
        most = self.hyper.total_updates
        return most is not None and self.updates >= most

    def learn_from(self, inputs: Tensor, labels: Tensor, progress: float, end: float) -> Tensor:
        """Learn from examples in their order.

        Args:
            inputs: (n, C, H, W).
            labels: (n,) int64.
            progress: share of the budget used before these examples.
            end: and after them.

        Returns:
            Logits (m, K), each from before the network learned from its example; m is n, unless
            the last update came before. Nothing at all is (0, 0).
        """
        rows, start = len(labels), 0
        logits: list[Tensor] = []
        while start < rows and not self.is_done:
            stop = min(rows, start + MOST_ROWS, start + self.hyper.batch_size - self._gathered)
            self._choose_mode(stop - start)
            said, loss = self.objective(inputs[start:stop], labels[start:stop])
            logits.append(said.detach())
            share = (stop - start) / self.hyper.batch_size
            (loss if share == 1.0 else loss * share).backward()  # type: ignore[no-untyped-call]
            self._gathered += stop - start
            if self._gathered == self.hyper.batch_size:
                first = (stop - self.hyper.batch_size) / rows  # where the minibatch began
                self._update(max(progress + (end - progress) * first, 0.0))
            start = stop
        return torch.cat(logits) if logits else inputs.new_zeros(0, 0)

    def _choose_mode(self, rows: int) -> None:
        """A single example has no batch to be normalized over: the running statistics serve."""
        if self._is_normalized:
            self.module.train(rows > 1)

    def _update(self, progress: float) -> None:
        rate = self.hyper.learning_rate
        if self.hyper.anneal_lr:
            rate *= 0.5 * (1.0 + math.cos(math.pi * progress))
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        if self.hyper.max_grad_norm is not None:
            nn.utils.clip_grad_norm_(self.module.parameters(), self.hyper.max_grad_norm)
        self.optimizer.step()
        self.optimizer.zero_grad()
        self._gathered = 0
        self.updates += 1


def labeled_loss(logits: Tensor, labels: Tensor) -> Tensor:
    """Mean cross-entropy over the rows that have a label; 0 if none has."""
    total = functional.cross_entropy(logits, labels, ignore_index=UNLABELED, reduction="sum")
    return total / (labels != UNLABELED).sum().clamp_min(1)
