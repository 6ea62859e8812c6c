"""What a point of a landscape is worth: the numbers that rewards, ends and scores are made of."""

from __future__ import annotations

import numpy as np
import torch

from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.specs import FLOOR, LIMIT, Objective
from mlds_bench.measures.points import Array


def query(problem: Problem, theta: Array) -> tuple[Array, Array]:
    """Losses (N,) and gradients (N, d) at points (N, d), finite: clipped to [-LIMIT, LIMIT].

    NaN becomes LIMIT.
    """
    loss, gradient = problem.loss_and_gradient(torch.from_numpy(theta))
    return _finite(loss.numpy()), _finite(gradient.numpy())


def value(loss: Array, gradient: Array, *, bottom: float, objective: Objective) -> Array:
    """What is to be made small, (N,): the loss above the bottom, or the norm of the gradient.

    It is LIMIT where the point has diverged; below the bottom it is negative.
    """
    above = loss - bottom if objective == "loss" else gradient_norm(gradient)
    return np.where(loss < LIMIT, np.minimum(above, LIMIT), LIMIT)


def gradient_norm(gradient: Array) -> Array:
    """Euclidean norms (N,) of gradients (N, d)."""
    norm: Array = np.sqrt(np.einsum("nd,nd->n", gradient, gradient))
    return norm


def restlessness(gradient: Array, neurons: int) -> Array:
    """The largest norm (N,) that a neuron's part has in gradients (N, d)."""
    parts = gradient.reshape(len(gradient), neurons, -1)
    norm: Array = np.sqrt(np.einsum("nik,nik->ni", parts, parts).max(1))
    return norm


def logarithm(values: Array) -> Array:
    """log10 of values, which count as at least FLOOR; (N,) -> (N,)."""
    return np.log10(np.maximum(values, FLOOR))


def _finite(array: Array) -> Array:
    """The array, clipped if need be: one pass over it shows that it is small and holds no NaN."""
    flat = array.ravel()
    with np.errstate(over="ignore"):  # infinity is not small either
        if flat @ flat <= LIMIT**2:
            return array
    return np.nan_to_num(array, nan=LIMIT, posinf=LIMIT, neginf=-LIMIT).clip(-LIMIT, LIMIT)
