"""Teacher and student of one ReLU layer under Gaussian inputs: the population loss, in closed form.

A student of n neurons w_i imitates a teacher of k orthonormal neurons v_j in R^k, x ~ N(0, I):

    F(w) = 1/2 E[(sum_i relu(w_i x) - sum_j relu(v_j x))^2]
         = 1/2 sum_ij f(w_i, w_j) - sum_ij f(w_i, v_j) + 1/2 sum_ij f(v_i, v_j),
    f(w, v) = |w||v| (sin t + (pi - t) cos t) / (2 pi),   t the angle between w and v,

the first-order arccosine kernel (Cho and Saul 2009). Its gradient by w is
(|v| sin t w/|w| + (pi - t) v) / (2 pi). Source: Safran and Shamir 2017, "Spurious local minima are
common in two-layer ReLU neural networks", section 4.1.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.specs import ProblemSpec

TINY = 1e-150
"""A neuron shorter than this has no direction; its square is still a float64."""
CHUNK = 32_768
"""Angles at a time, so that what is computed from them stays in the processor's cache."""


class TeacherStudent(Problem):
    """The population loss of n student neurons under a teacher of k orthonormal neurons; d = nk.

    Args:
        spec: of the problem.
        k: neurons of the teacher, and the inputs' dimension.
        n: neurons of the student.
    """

    def __init__(self, spec: ProblemSpec, k: int, n: int) -> None:
        super().__init__(spec, n * k, spread=k**-0.5)
        self.k, self.n = k, n
        off_diagonal = k * (k - 1) / (2.0 * math.pi)
        self._teacher_energy = 0.5 * (k / 2.0 + off_diagonal)

    def loss(self, theta: Tensor) -> Tensor:
        """F () of one student (n k,)."""
        student = theta.reshape(self.n, self.k)
        teacher = torch.eye(self.k, dtype=theta.dtype)
        energy = 0.5 * _kernel(student, student).sum() - _kernel(student, teacher).sum()
        return energy + self._teacher_energy

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """F (N,) and its gradients (N, n k) at a batch of students."""
        loss, gradient = theta.new_empty(len(theta)), torch.empty_like(theta)
        size = max(CHUNK // (self.n * (self.n + self.k)), 1)
        for first in range(0, len(theta), size):
            rows = slice(first, first + size)
            self._write(theta[rows], loss[rows], gradient[rows])
        return loss, gradient

    def _write(self, theta: Tensor, loss: Tensor, gradient: Tensor) -> None:
        """Losses (M,) and gradients (M, n k) of some students, into the places given.

        f is homogeneous in w, so f(w, v) = w . (its gradient by w): the loss costs two dot products
        once the gradients of the two sums are known.
        """
        n, k = self.n, self.k
        student = theta.reshape(-1, n, k)
        length = torch.linalg.vector_norm(student, dim=-1, keepdim=True).clamp_(min=TINY)
        direction = student / length
        cosine = torch.cat((direction @ direction.mT, direction), -1).clamp_(-1.0, 1.0)
        sine = torch.addcmul(cosine.new_ones(()), cosine, cosine, value=-1.0).sqrt_()
        angle = cosine.acos_().neg_().add_(math.pi)  # pi minus the angle
        pull = torch.addcmul(angle[..., n:], sine[..., n:].sum(-1, keepdim=True), direction)
        push = torch.baddbmm((sine[..., :n] @ length) * direction, angle[..., :n], student)
        scale = 1.0 / (2.0 * math.pi)
        torch.sub(push, pull, out=gradient.view(-1, n, k)).mul_(scale)
        energy = push.mul_(0.5).sub_(pull).mul_(student).sum((-2, -1))
        torch.add(energy.mul_(scale), self._teacher_energy, out=loss)


def _kernel(left: Tensor, right: Tensor) -> Tensor:
    """The kernel f of all pairs of rows (n, k) and (m, k): (n, m).

    An angle of 0 is set apart before the square root and the arc cosine, whose derivatives are
    infinite there; f is differentiable, with value and slope of w . v / 2.
    """
    product = left @ right.mT
    lengths = torch.outer(left.norm(dim=-1), right.norm(dim=-1)).clamp(min=TINY)
    cosine = product / lengths
    is_parallel = cosine.abs() >= 1.0 - 1e-14
    safe = torch.where(is_parallel, torch.zeros_like(cosine), cosine)
    angle = torch.acos(safe)
    bent = lengths * (1.0 - safe * safe).sqrt() + (math.pi - angle) * product
    return torch.where(is_parallel, torch.pi * product.clamp(min=0.0), bent) / (2.0 * math.pi)
