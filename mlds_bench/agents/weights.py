"""Weights of networks on disk: safetensors, checked by name and shape before they are loaded."""

from __future__ import annotations

from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn


def save_weights(network: nn.Module, path: Path) -> None:
    """Write all parameters and buffers of a network to a file."""
    state = network.state_dict()
    save_file({name: value.cpu().contiguous().clone() for name, value in state.items()}, path)


def load_weights(network: nn.Module, path: Path, *, agent: str) -> dict[str, Tensor]:
    """Load what `save_weights` wrote into a network of the same architecture.

    Args:
        network: changed in place; its dtypes stay, whatever those of the file.
        path: of the file.
        agent: name of the agent, for the error.

    Returns:
        The weights by name.

    Raises:
        ValueError: if a name or a shape differs; one line.
    """
    weights = load_file(path)
    expected = {name: value.shape for name, value in network.state_dict().items()}
    for name in sorted(expected.keys() | weights.keys()):
        saved = weights[name].shape if name in weights else None
        if saved != expected.get(name):
            raise ValueError(
                f"{path.parent} holds {name} of shape {_told(saved)}, this {agent} has "
                f"{_told(expected.get(name))}: load it with the view and the hyper-parameters it "
                "was saved with"
            )
    network.load_state_dict(weights)
    return weights


def _told(shape: torch.Size | None) -> str:
    return "none" if shape is None else str(tuple(shape))
