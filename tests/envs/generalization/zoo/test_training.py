"""The training of a stack against torch's own optimizer, and how it ends."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from mlds_bench.envs.generalization.zoo import training
from mlds_bench.envs.generalization.zoo.grid import FOLDS, groups
from mlds_bench.envs.generalization.zoo.images import load_dataset
from mlds_bench.envs.generalization.zoo.training import (
    Adam,
    answers,
    mean_loss,
    right_by_fold,
    train,
)
from tests.envs.generalization.zoo import small


def test_updates_are_those_of_adamw() -> None:
    """Ten steps with three learning rates and weight decays, network by network."""
    rates, decays = [1e-3, 1e-2, 3e-2], [0.0, 0.5, 0.1]
    generator = torch.Generator().manual_seed(0)
    theta = torch.randn(3, 5, generator=generator)
    alone = [row.clone().requires_grad_() for row in theta]
    optimizers = [
        torch.optim.AdamW([row], lr=rate, weight_decay=decay)
        for row, rate, decay in zip(alone, rates, decays, strict=True)
    ]
    columns = (torch.tensor(rates)[:, None], torch.tensor(decays)[:, None])
    adam = Adam(*columns, torch.zeros(3, 5), torch.zeros(3, 5))
    for step in range(10):
        factor = 1.0 - step / 20
        gradient = torch.randn(3, 5, generator=generator)
        adam.step(theta, gradient, factor)
        for row, optimizer, rate, own in zip(alone, optimizers, rates, gradient, strict=True):
            optimizer.param_groups[0]["lr"] = rate * factor
            row.grad = own.clone()
            optimizer.step()
    torch.testing.assert_close(theta, torch.stack(alone).detach())


def one_by_one(theta: Tensor, x: Tensor, y: Tensor) -> list[float]:
    trained, _ = small.stack()
    return [trained.architecture.loss(*each).item() for each in zip(theta, [x] * 3, y, strict=True)]


def test_the_loss_of_a_stack_is_that_of_each() -> None:
    """The same in a loop."""
    trained, x = small.stack()
    together = mean_loss(trained.architecture, trained.theta, x, trained.labels)
    assert together.tolist() == pytest.approx(one_by_one(trained.theta, x, trained.labels), 1e-5)


def test_a_training_ends_at_the_loss_or_at_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who has stopped early has fitted; who has not, has not; both kinds occur."""
    monkeypatch.setattr(training, "FITTED", 0.5)
    data = small.dataset()
    trained = train(small.group(width=32), data, most_epochs=36)
    x = torch.from_numpy(data.train.images)
    loss = mean_loss(trained.architecture, trained.theta, x, trained.labels)
    early = trained.epochs < 36
    assert early.any()
    assert not early.all()
    assert loss[early].max() <= 0.5001
    assert loss[early].min() > 0.1  # nobody trained on
    assert loss[~early].max() > 0.5
    assert len(torch.unique(trained.epochs)) > 3


def test_settings_act_on_their_own_networks() -> None:
    """Label noise, learning rate, weight decay and dropout each change a training."""
    trained = train(small.group(), small.dataset(), most_epochs=9)
    clean = torch.from_numpy(small.dataset().train.labels)
    wrong = (trained.labels != clean).sum(1)
    assert wrong.tolist() == [0] * 9 + [13] * 9  # a fifth of 64
    moved = (trained.theta - trained.initial).norm(dim=1).reshape(2, 3, 3)
    assert (moved[:, 0] < moved[:, 1]).all()
    assert (moved[:, 1] < moved[:, 2]).all()
    first = trained.theta - trained.initial
    assert len(torch.unique(first, dim=0)) == 18


def test_a_training_repeats() -> None:
    """Bit for bit on one machine."""
    first, second = (train(small.group(), small.dataset(), most_epochs=9) for _ in range(2))
    assert torch.equal(first.theta, second.theta)
    assert torch.equal(first.validation, second.validation)


def test_validation_counts_right_answers_by_fold() -> None:
    """Against a loop over networks and folds; one count per rung."""
    data = small.dataset()
    trained = train(small.group(), data, most_epochs=9)
    x = torch.from_numpy(data.validation.images)
    said = answers(trained.architecture, trained.theta, x)
    right = said == torch.from_numpy(data.validation.labels)
    folds = [[int(part.sum()) for part in row.chunk(FOLDS)] for row in right]
    assert right_by_fold(trained.architecture, trained.theta, data).tolist() == folds
    assert trained.validation.shape == (18, 3, FOLDS)
    assert trained.validation[:, -1].tolist() == folds


def test_a_group_of_the_zoo_learns_digits() -> None:
    """After nine epochs most digits are right, and label noise hurts."""
    group = list(groups("digits"))[6]
    data = load_dataset("digits")
    trained = train(group, data, most_epochs=9)
    said = answers(trained.architecture, trained.theta, torch.from_numpy(data.test.images))
    accuracy = (said == torch.from_numpy(data.test.labels)).float().mean(1)
    assert accuracy.max() > 0.9
    assert accuracy[:9].mean() > accuracy[9:].mean()
