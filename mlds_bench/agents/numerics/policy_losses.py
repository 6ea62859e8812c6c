"""Losses of policy gradients, as pure functions of a batch."""

from __future__ import annotations

import torch
from torch import Tensor


def log_probabilities(logits: Tensor, actions: Tensor) -> Tensor:
    """Log-probabilities (B,) of actions (B,) int64 under logits (B, A)."""
    return logits.log_softmax(1).gather(1, actions[:, None]).squeeze(1)


def mean_entropy(logits: Tensor) -> Tensor:
    """Mean entropy (nats), scalar, of the categorical distributions with logits (B, A)."""
    logs = logits.log_softmax(1)
    return -(logs.exp() * logs).sum(1).mean()


def standardized(values: Tensor, *, epsilon: float = 1e-8) -> Tensor:
    """Values (B,) shifted and scaled to mean 0 and standard deviation 1 (of the sample).

    If all values are equal, they become 0.
    """
    deviation = values.std() if len(values) > 1 else torch.zeros(())
    return (values - values.mean()) / (deviation + epsilon)


def policy_gradient_loss(log_probability: Tensor, weights: Tensor) -> Tensor:
    """``-mean(weights * log_probability)``, scalar, of inputs (B,) (Williams 1992).

    Its gradient is minus the policy gradient. The weights (returns or advantages) are detached.
    """
    return -(weights.detach() * log_probability).mean()


def clipped_surrogate_loss(
    log_probability: Tensor, old_log_probability: Tensor, advantages: Tensor, *, clip_range: float
) -> Tensor:
    """The negative clipped surrogate objective of PPO (Schulman et al. 2017, equation 7), scalar.

    Args:
        log_probability: (B,), of the actions taken, under the policy that learns.
        old_log_probability: (B,), of the same actions, under the policy before the update.
        advantages: (B,).
        clip_range: epsilon; beyond 1 -+ epsilon the ratio of the probabilities gains nothing.
    """
    ratio = (log_probability - old_log_probability).exp()
    clipped = ratio.clamp(1.0 - clip_range, 1.0 + clip_range)
    return -torch.minimum(ratio * advantages, clipped * advantages).mean()


def mean_kl(old_logits: Tensor, logits: Tensor) -> Tensor:
    """Mean Kullback-Leibler divergence KL(old || new) in nats, scalar, of logits (B, A)."""
    old, new = old_logits.log_softmax(1), logits.log_softmax(1)
    return (old.exp() * (old - new)).sum(1).mean()
