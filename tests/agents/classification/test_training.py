"""The trainer: plain minibatch training, however the examples come in."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mlds_bench.agents.classification import training
from mlds_bench.agents.classification.settings import TrainingHyperparameters
from mlds_bench.agents.classification.training import (
    History,
    Trainer,
    labeled_loss,
    seeded,
)

ROWS, CLASSES = 96, 3


def problem() -> tuple[Tensor, Tensor]:
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(ROWS, 4, generator=generator)
    return inputs, torch.randint(CLASSES, (ROWS,), generator=generator)


def new_module(*, is_normalized: bool = False) -> nn.Module:
    with seeded(5, "cpu"):
        hidden = [nn.Linear(4, 8), *([nn.BatchNorm1d(8)] if is_normalized else []), nn.Tanh()]
        return nn.Sequential(*hidden, nn.Linear(8, CLASSES))


def made(module: nn.Module, **hyper: Any) -> Trainer:
    def objective(inputs: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
        logits = module(inputs)
        return logits, functional.cross_entropy(logits, labels)

    return Trainer(module, TrainingHyperparameters(**hyper), objective)


def trained(sizes: list[int], **hyper: Any) -> tuple[nn.Module, Tensor, Trainer]:
    """A module after all examples, handed over in parts of these sizes; and its logits."""
    module = new_module()
    trainer, (inputs, labels) = made(module, **hyper), problem()
    logits, start = [], 0
    for size in sizes:
        part = slice(start, start + size)
        progress = start / ROWS
        end = (start + size) / ROWS
        said = trainer.learn_from(inputs[part], labels[part], progress, end)
        logits.append(said.view(len(said), CLASSES))
        start += size
    return module, torch.cat(logits), trainer


def plain(batch_size: int, learning_rate: float) -> tuple[nn.Module, Tensor]:
    """The same by torch.optim.Adam and a loop."""
    module, (inputs, labels) = new_module(), problem()
    optimizer = torch.optim.Adam(module.parameters())
    logits = []
    for start in range(0, ROWS, batch_size):
        rate = learning_rate * 0.5 * (1.0 + math.cos(math.pi * start / ROWS))
        optimizer.param_groups[0]["lr"] = rate
        said = module(inputs[start : start + batch_size])
        loss = functional.cross_entropy(said, labels[start : start + batch_size])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        logits.append(said.detach())
    return module, torch.cat(logits)


def test_it_is_plain_minibatch_training() -> None:
    """Weights and the logits from before each update, with half a cosine of learning rates."""
    module, logits, trainer = trained([48, 48], batch_size=16, learning_rate=0.05)
    expected, said = plain(16, 0.05)
    torch.testing.assert_close(logits, said, atol=1e-4, rtol=1e-4)
    for ours, theirs in zip(module.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-4)
    assert trainer.updates == 6


@pytest.mark.parametrize("sizes", [[5, 43, 48], [96], [1] * 96], ids=str)
def test_minibatches_do_not_depend_on_how_examples_come_in(sizes: list[int]) -> None:
    """A minibatch may be part of what comes, or spread over several."""
    hyper: dict[str, Any] = {"batch_size": 32, "learning_rate": 0.05, "anneal_lr": False}
    module, _, _ = trained(sizes, **hyper)
    expected, _, _ = trained([32, 32, 32], **hyper)
    for ours, theirs in zip(module.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_large_minibatches_go_through_in_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Gradients of the parts add up to that of the whole; the memory of a part is enough."""
    expected, _, _ = trained([96], batch_size=48, learning_rate=0.05)
    seen: list[int] = []
    monkeypatch.setattr(training, "MOST_ROWS", 20)
    real = functional.cross_entropy

    def watched(logits: Tensor, labels: Tensor) -> Tensor:
        seen.append(len(labels))
        return real(logits, labels)

    monkeypatch.setattr(functional, "cross_entropy", watched)
    module, _, trainer = trained([96], batch_size=48, learning_rate=0.05)
    assert seen == [20, 20, 8] * 2
    assert trainer.updates == 2
    for ours, theirs in zip(module.parameters(), expected.parameters(), strict=True):
        torch.testing.assert_close(ours, theirs, atol=1e-4, rtol=1e-3)


def test_the_gradient_has_a_bound() -> None:
    """Plain descent moves by at most the learning rate times the bound, and else as without it."""
    hyper: dict[str, Any] = {"batch_size": ROWS, "optimizer": "sgd", "learning_rate": 0.5}
    start = torch.cat([value.detach().flatten() for value in new_module().parameters()])
    moves = []
    for bound in (None, 1e-2, 1e3):
        module, _, _ = trained([ROWS], **hyper, max_grad_norm=bound)
        moves.append(torch.cat([value.detach().flatten() for value in module.parameters()]) - start)
    assert moves[1].norm().item() == pytest.approx(0.5e-2, rel=1e-3)
    directions = [move / move.norm() for move in moves]
    torch.testing.assert_close(directions[1], directions[0], atol=1e-3, rtol=0.0)
    torch.testing.assert_close(moves[2], moves[0])


def test_it_stops_after_its_updates() -> None:
    """What comes later is neither learned from nor answered."""
    _, logits, trainer = trained([48, 48], batch_size=16, total_updates=2)
    assert (len(logits), trainer.updates, trainer.is_done) == (32, 2, True)


@pytest.mark.parametrize("batch_size", [1, 33])
def test_a_single_example_is_normalized_by_running_statistics(
    batch_size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A batch of one, and the last of 33 in parts of 32: no error, and every one is learned."""
    monkeypatch.setattr(training, "MOST_ROWS", 32)
    module = new_module(is_normalized=True)
    trainer, (inputs, labels) = made(module, batch_size=batch_size), problem()
    logits = trainer.learn_from(inputs, labels, 0.0, 1.0)
    assert len(logits) == ROWS
    assert trainer.updates == ROWS // batch_size
    assert bool(torch.isfinite(logits).all())


def test_history_means_and_last_loss() -> None:
    """Loss log 2 and accuracy by hand; without labels there is no entry."""
    history = History()
    assert math.isnan(history.final_loss)
    history.add(torch.zeros(4, 2), torch.tensor([0, 1, 1, 1]))
    history.add(torch.zeros(0, 2), torch.zeros(0, dtype=torch.int64))
    assert (history.images, history.accuracy) == ([4], [0.25])
    assert history.loss == pytest.approx([math.log(2.0)])
    history.loss += [1.0] * 37 + [3.0, 5.0]
    assert history.final_loss == pytest.approx(4.0)


def test_loss_of_the_labeled() -> None:
    """Rows without a label count neither above nor below the line; none at all cost nothing."""
    logits = torch.tensor([[0.0, 1.0], [2.0, 0.0], [5.0, -5.0]])
    labels = torch.tensor([1, 1, -1])
    expected = functional.cross_entropy(logits[:2], labels[:2])
    torch.testing.assert_close(labeled_loss(logits, labels), expected)
    assert labeled_loss(logits, torch.tensor([-1, -1, -1])).item() == 0.0


def test_seeds_do_not_leak() -> None:
    """Inside the generator is the seed's, outside it goes on as if nothing had been."""
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    with seeded(9, "cpu"):
        first = torch.rand(2)
    assert torch.equal(torch.rand(2), expected)
    with seeded(9, "cpu"):
        assert torch.equal(torch.rand(2), first)
