"""Teacher and student of one ReLU layer under Gaussian inputs: the population loss, in closed form.

A student of n neurons w_i imitates a teacher of k orthonormal neurons v_j in R^k, x ~ N(0, I):

    F(w) = 1/2 E[(sum_i relu(w_i x) - sum_j relu(v_j x))^2]
         = 1/2 sum_ij f(w_i, w_j) - sum_ij f(w_i, v_j) + 1/2 sum_ij f(v_i, v_j),
    f(w, v) = |w||v| (sin t + (pi - t) cos t) / (2 pi),   t the angle between w and v,

the first-order arccosine kernel (Cho and Saul 2009). Its gradient by w is
(|v| sin t w/|w| + (pi - t) v) / (2 pi). Source: Safran and Shamir 2017, "Spurious local minima are
common in two-layer ReLU neural networks", section 4.1.

A batch is computed with NumPy, whose arc cosines and products of small matrices take a third of
PyTorch's time, in memory that is kept: allocating it anew in every step would cost as much again.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from torch import Tensor

from mlds_bench.envs.landscape.problems.base import Problem
from mlds_bench.envs.landscape.specs import ProblemSpec
from mlds_bench.measures.points import Array

TINY = 1e-150
"""A neuron shorter than this has no direction; its square is still a float64."""
PARALLEL = 1e-13
"""Sine of an angle that counts as zero: below it there is only rounding."""
CHUNK = 98_304
"""Angles at a time, so that what is computed from them stays in the processor's cache."""
SCALE = 0.5 / math.pi
SHORTENED = 1.0 - 2.0**-46
"""Of a direction: no rounding then takes a cosine out of [-1, 1], and no digit of f changes."""


class TeacherStudent(Problem):
    """The population loss of n student neurons under a teacher of k orthonormal neurons; d = nk.

    Args:
        spec: of the problem.
        k: neurons of the teacher, and the inputs' dimension.
        n: neurons of the student.
    """

    def __init__(self, spec: ProblemSpec, k: int, n: int) -> None:
        super().__init__(spec, n * k, spread=k**-0.5)
        self.k, self.n, self.neurons = k, n, n
        off_diagonal = k * (k - 1) / (2.0 * math.pi)
        self._teacher_energy = 0.5 * (k / 2.0 + off_diagonal)
        self._most = max(CHUNK // (n * (n + k)), 1)
        self._angles = np.empty((2, self._most * n * (n + k)))
        self._directions = np.empty((self._most, k, n))
        self._teacher_lengths = np.ones(k)

    def loss(self, theta: Tensor) -> Tensor:
        """F () of one student (n k,)."""
        student = theta.reshape(self.n, self.k)
        teacher = torch.eye(self.k, dtype=theta.dtype)
        energy = 0.5 * _kernel(student, student).sum() - _kernel(student, teacher).sum()
        return energy + self._teacher_energy

    def loss_and_gradient(self, theta: Tensor) -> tuple[Tensor, Tensor]:
        """F (N,) and its gradients (N, n k) at a batch of students."""
        students = theta.numpy().reshape(-1, self.n, self.k)
        loss, gradient = np.empty(len(students)), np.empty_like(students)
        for first in range(0, len(students), self._most):
            rows = slice(first, first + self._most)
            self._write(students[rows], loss[rows], gradient[rows])
        return torch.from_numpy(loss), torch.from_numpy(gradient.reshape(theta.shape))

    def hessians(self, theta: Array) -> Array:
        """The Hessians (N, d, d) at a batch of students (N, n k): section 4.1.1 of the source.

        With n(v, w) the unit vector of the part of v orthogonal to w, second derivatives of f are
        |v| sin t (1 - w w' + n(v, w) n(v, w)') / (2 pi |w|) by w twice (of unit w in the bracket),
        and ((pi - t) + w n(v, w)' + v n(w, v)') / (2 pi) by w and v (of unit w and v).
        """
        n, k = self.n, self.k
        student = theta.reshape(-1, n, k)
        length = np.maximum(np.sqrt(np.vecdot(student, student)), TINY)
        unit, one = student / length[..., None], np.eye(k)
        others = np.concatenate([unit, np.broadcast_to(one, (len(student), k, k))], axis=1)
        cosine = np.clip(unit @ others.mT, -1.0, 1.0)
        beside = others[:, None] - cosine[..., None] * unit[:, :, None]
        sine = np.sqrt(np.vecdot(beside, beside))
        beside /= np.where(sine > PARALLEL, sine, np.inf)[..., None]
        pull = sine / length[..., None]
        pull[..., :n] *= length[:, None]
        pull[..., n:] *= -1.0
        mixed = unit[:, :, None, :, None] * beside[:, :, :n, None, :]
        matrices: Array = mixed + mixed.swapaxes(1, 2)
        matrices += np.arccos(-cosine[..., :n, None, None]) * one
        across = one - unit[..., :, None] * unit[..., None, :]
        own = pull.sum(-1)[..., None, None] * across + (beside * pull[..., None]).mT @ beside
        matrices[:, np.arange(n), np.arange(n)] = own + math.pi * one
        matrices *= SCALE
        return matrices.swapaxes(2, 3).reshape(theta.shape[0], n * k, n * k)

    def _write(self, student: Array, loss: Array, gradient: Array) -> None:
        """Losses (M,) and gradients (M, n, k) of students (M, n, k), into the places given.

        f is homogeneous in w, so f(w, v) = w . (its gradient by w): once the gradient is known, the
        loss is half its product with the student, less half of what the teacher has in it.
        """
        m = len(student)
        angle, sine = self._angles[:, : m * self.n * (self.n + self.k)]
        among, to_teacher = self._parts(angle, m)
        sine_among, sine_to_teacher = self._parts(sine, m)
        direction = self._directions[:m]  # one per column: products of contiguous rows are faster
        length = np.sqrt(np.vecdot(student, student))
        per_length = 1.0 / np.maximum(length, TINY)
        np.multiply(student, (-SHORTENED * per_length)[..., None], out=to_teacher)
        np.negative(to_teacher.mT, out=direction)
        np.matmul(to_teacher, direction, out=among)
        np.multiply(angle, angle, out=sine)
        np.subtract(1.0, sine, out=sine)
        np.sqrt(sine, out=sine)
        np.arccos(angle, out=angle)  # of the negative cosine: pi minus the angle
        reach = (sine_to_teacher.reshape(-1, self.k) @ self._teacher_lengths).reshape(m, self.n)
        own = among.reshape(m, -1)[
            :, :: self.n + 1
        ]  # the part of a neuron's gradient along the neuron itself
        own += (np.matvec(sine_among, length) - reach) * per_length
        np.matmul(among, student, out=gradient)
        gradient -= to_teacher
        flat = student.reshape(m, -1)
        np.vecdot(gradient.reshape(m, -1), flat, out=loss)
        loss -= np.vecdot(to_teacher.reshape(m, -1), flat)
        loss -= np.vecdot(length, reach)
        loss *= 0.5 * SCALE
        loss += self._teacher_energy
        gradient *= SCALE

    def _parts(self, pairs: Array, m: int) -> tuple[Array, Array]:
        """What lies in a row for m students: (m, n, n) among them, (m, n, k) with the teacher."""
        split = m * self.n * self.n
        return pairs[:split].reshape(m, self.n, self.n), pairs[split:].reshape(m, self.n, self.k)


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
