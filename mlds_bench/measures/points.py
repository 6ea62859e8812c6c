"""The words of all measures: arrays, and the parts of a flat point."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

Array: TypeAlias = npt.NDArray[np.float64]
Hessians: TypeAlias = Callable[[Array], Array]
"""Points (N, d) to their Hessians (N, d, d)."""


@dataclass(frozen=True)
class Block:
    """One weight matrix or bias vector within the flat point of a network.

    Attributes:
        name: as in ``layer 1 weight``.
        start: its first coordinate; it is stored row by row.
        shape: (outputs, inputs) of a weight, (outputs,) of a bias.
    """

    name: str
    start: int
    shape: tuple[int, ...]

    @property
    def stop(self) -> int:
        """One past its last coordinate."""
        return self.start + math.prod(self.shape)
