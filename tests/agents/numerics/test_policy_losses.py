"""The losses against literals, closed forms, torch.distributions and finite differences."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch.distributions import Categorical, kl_divergence

from mlds_bench.agents.numerics.policy_losses import (
    clipped_surrogate_loss,
    log_probabilities,
    mean_entropy,
    mean_kl,
    policy_gradient_loss,
    standardized,
)


def logits(seed: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(7, 4, generator=generator, dtype=torch.float64)


def test_log_probabilities_and_entropy_are_those_of_torch() -> None:
    """Against torch.distributions."""
    actions = torch.tensor([0, 1, 2, 3, 0, 1, 2])
    theirs: Any = Categorical(logits=logits(0))
    torch.testing.assert_close(log_probabilities(logits(0), actions), theirs.log_prob(actions))
    torch.testing.assert_close(mean_entropy(logits(0)), theirs.entropy().mean())


def test_even_chances_have_the_entropy_of_their_number() -> None:
    """ln 4 for four actions, whatever the common logit."""
    assert mean_entropy(torch.full((3, 4), 5.0)).item() == pytest.approx(math.log(4.0))


def test_divergence_is_that_of_torch_and_zero_at_home() -> None:
    """From the old to the new."""
    old, new = (Categorical(logits=logits(seed)) for seed in (0, 1))
    expected = kl_divergence(old, new).mean()
    torch.testing.assert_close(mean_kl(logits(0), logits(1)), expected)
    assert mean_kl(logits(0), logits(0) + 3.0).item() == pytest.approx(0.0, abs=1e-12)


@pytest.mark.parametrize(
    ("ratio", "advantage", "loss", "slope"),
    [
        (1.0, 2.0, -2.0, -2.0),
        (1.5, 2.0, -2.4, 0.0),  # gained enough
        (0.5, 2.0, -1.0, -1.0),  # lost by mistake: pulled back
        (0.5, -2.0, 1.6, 0.0),  # shunned enough
        (1.5, -2.0, 3.0, 3.0),
    ],
)
def test_the_clipped_surrogate_by_hand(
    ratio: float, advantage: float, loss: float, slope: float
) -> None:
    """Value, and derivative by the log-probability, on all sides of clip 0.2."""
    now = torch.tensor([math.log(ratio)], requires_grad=True)
    ours = clipped_surrogate_loss(now, torch.zeros(1), torch.tensor([advantage]), clip_range=0.2)
    ours.backward()  # type: ignore[no-untyped-call]
    assert ours.item() == pytest.approx(loss)
    assert now.grad is not None
    assert now.grad.item() == pytest.approx(slope)


def test_the_policy_gradient_raises_what_paid() -> None:
    """d/dlogits of -mean(w log p) is mean w (p - onehot): by hand at even chances."""
    even = torch.zeros(2, 2, requires_grad=True)
    paid = torch.tensor([1.0, -3.0], requires_grad=True)
    policy_gradient_loss(log_probabilities(even, torch.tensor([0, 1])), paid).backward()  # type: ignore[no-untyped-call]
    assert even.grad is not None
    assert even.grad.tolist() == [[-0.25, 0.25], [-0.75, 0.75]]
    assert paid.grad is None


def test_standardized_values_have_mean_0_and_deviation_1() -> None:
    """1, 2, 3 become -1, 0, 1; equal values become 0, one alone as well."""
    assert standardized(torch.tensor([1.0, 2.0, 3.0])).tolist() == pytest.approx([-1.0, 0.0, 1.0])
    assert standardized(torch.tensor([5.0, 5.0])).tolist() == [0.0, 0.0]
    assert standardized(torch.tensor([5.0])).tolist() == [0.0]
