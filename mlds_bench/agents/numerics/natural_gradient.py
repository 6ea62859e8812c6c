"""Natural gradients: steepest descent in the divergence of policies, by products alone.

The Fisher matrix of P parameters is P x P; what it does to a vector costs two gradients.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

import torch
from torch import Tensor

Product: TypeAlias = Callable[[Tensor], Tensor]
"""A symmetric positive definite matrix (P, P) times a vector (P,)."""


def conjugate_gradient(
    product: Product, target: Tensor, *, iterations: int, tolerance: float = 1e-10
) -> Tensor:
    """A vector x (P,) with ``product(x)`` near ``target``, from 0 (Hestenes and Stiefel 1952).

    Args:
        product: of the matrix.
        target: (P,).
        iterations: at most so many products.
        tolerance: ends when the squared residual is this small a share of the squared target.
    """
    solution = torch.zeros_like(target)
    residual, direction = target.clone(), target.clone()
    square = residual.dot(residual)
    least = tolerance * square
    for _ in range(iterations):
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

    At the parameters from which the divergence (a scalar) is measured its Hessian is the Fisher
    matrix. Reverse over reverse; the graph is kept for as long as the product is.
    """
    slopes = flat(torch.autograd.grad(divergence, parameters, create_graph=True))

    def product(vector: Tensor) -> Tensor:
        rows = torch.autograd.grad(slopes.dot(vector), parameters, retain_graph=True)
        return flat(rows) + damping * vector

    return product


def step_length(direction: Tensor, product: Product, *, divergence: float) -> float:
    """How far along ``direction`` (P,) the quadratic model reaches that divergence (nats)."""
    curvature = float(direction.dot(product(direction)))
    return math.sqrt(2.0 * divergence / curvature) if curvature > 0.0 else 0.0


def flat(tensors: Sequence[Tensor]) -> Tensor:
    """All numbers of all tensors in one vector (P,)."""
    return torch.cat([tensor.reshape(-1) for tensor in tensors])


def move(parameters: Sequence[Tensor], start: Tensor, change: Tensor) -> None:
    """Set parameters, in place, to ``start + change``, both (P,)."""
    place = 0
    with torch.no_grad():
        for parameter in parameters:
            part = slice(place, place + parameter.numel())
            parameter.copy_((start[part] + change[part]).view_as(parameter))
            place = part.stop
