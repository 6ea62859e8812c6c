"""The optimizers by the names that users give; all are PyTorch's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial

import torch
from torch import nn

MOMENTUM = 0.9

OPTIMIZERS: dict[str, Callable[..., torch.optim.Optimizer]] = {
    "adam": partial(torch.optim.AdamW, fused=True),
    "sgd": partial(torch.optim.SGD, fused=True),
    "momentum": partial(torch.optim.SGD, momentum=MOMENTUM, fused=True),
    "rmsprop": partial(torch.optim.RMSprop, foreach=True),
}


def make_optimizer(
    name: str, parameters: Iterable[nn.Parameter], *, weight_decay: float
) -> torch.optim.Optimizer:
    """An optimizer whose learning rate is set at every update."""
    return OPTIMIZERS[name](parameters, lr=0.0, weight_decay=weight_decay)
