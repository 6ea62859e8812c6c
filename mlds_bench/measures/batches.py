"""Losses of many points at once, in pieces that stay in the processor's cache.

Losses are pure functions of one point (d,) float64; `torch.func.vmap` makes them functions of a
batch, and since no point's loss depends on another point, the gradient of their sum is all their
gradients. (`torch.func.grad` would do the same, but its first call imports PyTorch's compiler: two
seconds and 80 MB.) A batch's intermediate results are what takes memory, and they are not known
beforehand, so the loss is run once at one point and what it keeps for its gradient is measured.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import torch
from torch import Tensor
from torch.autograd.graph import saved_tensors_hooks
from torch.func import vmap

from mlds_bench.measures.points import Array

Loss: TypeAlias = Callable[[Tensor], Tensor]
Points: TypeAlias = Tensor | Array

WORKING_BYTES = 2**25
"""Intermediate results of one piece of a batch. Larger pieces are slower: they leave the cache, and
blocks above 32 MiB are fetched from the operating system page by page, each time anew."""
COPIES = 4
"""Intermediate results over what a loss keeps for its gradient; measured on networks."""


def as_points(theta: Points) -> Tensor:
    """Points (d,) or (N, d) as a float64 tensor without history.

    Raises:
        ValueError: any other shape.
    """
    points = torch.as_tensor(theta).detach().to(torch.float64)
    if points.ndim not in (1, 2) or points.shape[-1] == 0:
        raise ValueError(f"points must have shape (d,) or (N, d), got {tuple(points.shape)}")
    return points


def as_batch(theta: Points) -> Tensor:
    """Points (N, d) as `as_points` makes them; one point (d,) becomes a batch of one."""
    points = as_points(theta)
    return points.reshape(-1, points.shape[-1])


def points_per_piece(loss: Loss, point: Tensor) -> int:
    """How many points, or rows of a Hessian, to compute at once; at least 1."""
    kept = 0

    def measure(tensor: Tensor) -> Tensor:
        nonlocal kept
        kept += tensor.nbytes
        return tensor

    leaf = point.clone().requires_grad_()
    with torch.enable_grad(), saved_tensors_hooks(measure, lambda tensor: tensor):
        loss(leaf)
    return max(WORKING_BYTES // (COPIES * (kept + point.nbytes)), 1)


def losses(loss: Loss, theta: Points) -> Array:
    """Losses (N,) float64 of points (N, d); a single point (d,) gives ()."""
    points, rows = as_points(theta), as_batch(theta)
    values = np.empty(len(rows))
    if len(rows):
        size = points_per_piece(loss, rows[0])
        batched = vmap(loss)
        for first in range(0, len(rows), size):
            values[first : first + size] = batched(rows[first : first + size]).numpy(force=True)
    return values.reshape(points.shape[:-1])


def losses_and_gradients(loss: Loss, theta: Points) -> tuple[Array, Array]:
    """Losses (N,) and gradients (N, d), float64, of points (N, d); (d,) gives () and (d,)."""
    points, rows = as_points(theta), as_batch(theta)
    values, slopes = np.empty(len(rows)), np.empty(rows.shape)
    if len(rows):
        size = points_per_piece(loss, rows[0])
        for first in range(0, len(rows), size):
            _, value, slope = differentiate(loss, rows[first : first + size])
            values[first : first + size] = value.numpy(force=True)
            slopes[first : first + size] = slope.numpy(force=True)
    return values.reshape(points.shape[:-1]), slopes.reshape(points.shape)


def differentiate(
    loss: Loss, points: Tensor, *, twice: bool = False
) -> tuple[Tensor, Tensor, Tensor]:
    """The points as a leaf (N, d), their losses (N,) and gradients (N, d), N >= 1.

    Args:
        loss: of one point (d,).
        points: (N, d) float64.
        twice: whether the gradients are to be differentiated by the leaf.
    """
    leaf = points.detach().requires_grad_()
    with torch.enable_grad():
        values = vmap(loss)(leaf) if len(leaf) > 1 else loss(leaf[0]).unsqueeze(0)
        if not values.requires_grad:
            return leaf, values, torch.zeros_like(points)
        (gradients,) = torch.autograd.grad(values.sum(), leaf, create_graph=twice)
    return leaf, values, gradients
