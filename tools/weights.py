"""Weights fit to be committed: ``python -m tools.weights results/standard/.../seed-0``.

Agents save float32, which for some networks is more than a repository should hold. What they load
may be coarser: here the largest tensor gives up half of its bits until the file is small enough.
"""

from __future__ import annotations

import sys
from pathlib import Path

import torch
from safetensors.torch import load, save
from torch import Tensor

MOST_BYTES = 1_000_000
COARSER = {torch.float32: torch.float16, torch.float16: torch.float8_e4m3fn}


class TooLarge(ValueError):
    """Weights that do not fit even in eight bits each; one line."""


def packed(weights: bytes, *, most: int = MOST_BYTES) -> bytes:
    """A safetensors file of at most so many bytes; as it is, if it fits.

    Raises:
        TooLarge: if no tensor can be made coarser any more.
    """
    tensors = load(weights)
    while len(weights) > most:
        able = [name for name, tensor in tensors.items() if tensor.dtype in COARSER]
        if not able:
            raise TooLarge(f"{len(weights):,} bytes, eight bits a weight; {most:,} are the most")
        largest = max(able, key=lambda name: _bytes(tensors[name]))
        tensors[largest] = tensors[largest].to(COARSER[tensors[largest].dtype])
        weights = save(tensors)
    return weights


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


if __name__ == "__main__":
    for path in (file for folder in sys.argv[1:] for file in Path(folder).glob("*.safetensors")):
        path.write_bytes(packed(path.read_bytes()))
