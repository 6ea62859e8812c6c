"""Adam on one flat parameter vector.

The arithmetic is PyTorch's own fused kernel, the one behind ``torch.optim.Adam(fused=True)``,
called without the optimizer object around it, whose bookkeeping costs more than the update of a
small network. The tests hold it to ``torch.optim.Adam`` step by step.
"""

from __future__ import annotations

import torch
from torch import Tensor

NEGLIGIBLE = 1e-30
"""A mean gradient this small moves no parameter: far below eps, far above denormal numbers."""


class Adam:
    """Adam (Kingma and Ba 2015) with bias correction.

    Args:
        parameters: (P,), changed in place by `update`.
        beta1: decay rate of the running mean of the gradient.
        beta2: decay rate of the running mean of its square.
        eps: added to the root of the latter.
    """

    def __init__(
        self, parameters: Tensor, *, beta1: float = 0.9, beta2: float = 0.999, eps: float = 1e-8
    ) -> None:
        self._beta1, self._beta2, self._eps = beta1, beta2, eps
        self._parameters = [parameters]
        self._mean = [torch.zeros_like(parameters)]
        self._square = [torch.zeros_like(parameters)]
        self._step = torch.zeros((), device=parameters.device)

    def update(self, gradient: Tensor, learning_rate: float) -> None:
        """Take one step of Adam for ``gradient`` (P,)."""
        self._step += 1
        torch._fused_adam_(
            self._parameters,
            [gradient],
            self._mean,
            self._square,
            [],
            [self._step],
            lr=learning_rate,
            beta1=self._beta1,
            beta2=self._beta2,
            weight_decay=0.0,
            eps=self._eps,
            amsgrad=False,
            maximize=False,
        )

    def forget_negligible(self) -> None:
        """Set averages that are too small to matter to zero; call it from time to time.

        Those of an inactive ReLU unit decay into denormal numbers, on which processors are many
        times slower: a network with dead units would lose a tenth of its speed.
        """
        for average in (*self._mean, *self._square):
            average.copy_(torch.nn.functional.hardshrink(average, NEGLIGIBLE))
