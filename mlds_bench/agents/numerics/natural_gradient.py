"""Natural gradients by matrix-vector products: steepest descent in the divergence of policies.

The Fisher matrix of P parameters is P x P; its product with a vector costs two gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

Product: TypeAlias = Callable[[Tensor], Tensor]
"""Multiplies a symmetric positive definite matrix (P, P) by a vector (P,)."""


def conjugate_gradient(
    product: Product, target: Tensor, *, max_steps: int, tolerance: float = 1e-10
) -> Tensor:
    """Solve ``product(x) = target`` for x (P,), from 0 (Hestenes and Stiefel 1952).

    Args:
        product: multiplies the matrix by a vector.
        target: (P,).
        max_steps: upper bound on the number of products.
        tolerance: stop when the squared residual is this share of the squared target or less.
    """
    solution = torch.zeros_like(target)
    residual, direction = target.clone(), target.clone()
    square = residual.dot(residual)
    least = tolerance * square
    for _ in range(max_steps):
        if square <= least:
            break
        image = product(direction)
        length = square / direction.dot(image)
        solution += length * direction
        residual -= length * image
        previous, square = square, residual.dot(residual)
        direction = residual + square / previous * direction
    return solution


def curvature_product(
    divergence: Tensor, parameters: Sequence[Tensor], *, damping: float
) -> Product:
    """The product with the Hessian of a divergence, plus ``damping`` times the identity.

    At the parameters from which the divergence (a scalar) is measured, its Hessian is the Fisher
    matrix. The product is computed reverse over reverse, and keeps the graph alive.
    """
    slopes = flat(torch.autograd.grad(divergence, parameters, create_graph=True))

    def product(vector: Tensor) -> Tensor:
        rows = torch.autograd.grad(slopes.dot(vector), parameters, retain_graph=True)
        return flat(rows) + damping * vector

    return product


def step_length(direction: Tensor, product: Product, *, target_kl: float) -> float:
    """Length along ``direction`` (P,) at which the quadratic model reaches ``target_kl`` (nats)."""
    curvature = float(direction.dot(product(direction)))
    return math.sqrt(2.0 * target_kl / curvature) if curvature > 0.0 else 0.0


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """All elements of all tensors in one vector (P,)."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def move(parameters: Sequence[Tensor], start: Tensor, change: Tensor) -> None:
    """Set parameters in place to ``start + change``, both (P,)."""
    place = 0
    with torch.no_grad():
        for parameter in parameters:
            part = slice(place, place + parameter.numel())
            parameter.copy_((start[part] + change[part]).view_as(parameter))
            place = part.stop
