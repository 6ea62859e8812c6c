"""One optimizer step down a clipped gradient."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor


def descend(
    optimizer: torch.optim.Optimizer,
    loss: Tensor,
    parameters: Iterable[Tensor],
    *,
    max_grad_norm: float,
) -> None:
    """Take one step of an optimizer down the gradient of a loss.

    Args:
        optimizer: its gradients are zeroed first.
        loss: scalar.
        parameters: those whose joint gradient is clipped.
        max_grad_norm: upper bound on the gradient's Euclidean norm.
    """
    optimizer.zero_grad()
    loss.backward()  # type: ignore[no-untyped-call]
    torch.nn.utils.clip_grad_norm_(parameters, max_grad_norm)
    optimizer.step()
