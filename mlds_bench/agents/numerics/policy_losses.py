"""What policy gradients descend: pure functions of a batch, tested against literals."""

from __future__ import annotations

import torch
from torch import Tensor


def log_probabilities(logits: Tensor, actions: Tensor) -> Tensor:
    """Log-probability (B,) of each action (B,) int64 under its logits (B, A)."""
    return logits.log_softmax(1).gather(1, actions[:, None]).squeeze(1)


def mean_entropy(logits: Tensor) -> Tensor:
    """Mean entropy in nats, scalar, of the categorical distributions of logits (B, A)."""
    logs = logits.log_softmax(1)
    return -(logs.exp() * logs).sum(1).mean()


def standardized(values: Tensor, *, epsilon: float = 1e-8) -> Tensor:
    """Values (B,) shifted and scaled to mean 0 and standard deviation 1 (of the sample).

    Values that are all the same become 0.
    """
    deviation = values.std() if len(values) > 1 else torch.zeros(())
    return (values - values.mean()) / (deviation + epsilon)


def policy_gradient_loss(log_probability: Tensor, weights: Tensor) -> Tensor:
    """Its gradient is minus the policy gradient: ``-mean(weights log p)``, both (B,).

    Williams 1992; the weights (returns or advantages) are constants.
    """
    return -(weights.detach() * log_probability).mean()


def clipped_surrogate_loss(
    log_probability: Tensor, old_log_probability: Tensor, advantages: Tensor, *, clip: float
) -> Tensor:
    """Minus the clipped surrogate objective of PPO (Schulman et al. 2017, equation 7), scalar.

    Args:
        log_probability: (B,) of the actions taken, under the policy that learns.
        old_log_probability: (B,), under the policy that acted.
        advantages: (B,).
        clip: epsilon; the ratio of the probabilities gains nothing beyond 1 -+ clip.
    """
    ratio = (log_probability - old_log_probability).exp()
    clipped = ratio.clamp(1.0 - clip, 1.0 + clip)
    return -torch.minimum(ratio * advantages, clipped * advantages).mean()


def mean_divergence(old_logits: Tensor, logits: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence in nats, scalar, from the old policies (B, A) to the new."""
    old, new = old_logits.log_softmax(1), logits.log_softmax(1)
    return (old.exp() * (old - new)).sum(1).mean()
