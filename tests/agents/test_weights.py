"""Weights on disk: read back exactly, refused where the network is another."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from mlds_bench.agents.weights import load_weights, save_weights


def network(seed: int, *, hidden: int = 4, layers: int = 1) -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return nn.Sequential(*(nn.Linear(hidden, hidden) for _ in range(layers)))


def test_weights_come_back_exactly(tmp_path: Path) -> None:
    """All parameters, whatever the network held before."""
    saved, loaded = network(0), network(1)
    save_weights(saved, tmp_path / "weights.safetensors")
    weights = load_weights(loaded, tmp_path / "weights.safetensors", agent="ppo")
    assert all(map(torch.equal, saved.parameters(), loaded.parameters()))
    assert sorted(weights) == ["0.bias", "0.weight"]


def test_coarser_weights_keep_the_dtype_of_the_network(tmp_path: Path) -> None:
    """Files may hold half precision; the network computes in its own."""
    save_weights(network(0).half(), tmp_path / "weights.safetensors")
    loaded = network(1)
    load_weights(loaded, tmp_path / "weights.safetensors", agent="ppo")
    assert {weight.dtype for weight in loaded.parameters()} == {torch.float32}


@pytest.mark.parametrize(
    ("other", "line"),
    [
        ({"hidden": 3}, r"holds 0\.bias of shape \(4,\), this ppo has \(3,\): load it with"),
        ({"layers": 2}, r"holds 1\.bias of shape none, this ppo has \(4,\): load it with"),
    ],
)
def test_another_network_s_weights_are_refused(
    other: dict[str, int], line: str, tmp_path: Path
) -> None:
    """One line with the name and both shapes, and nothing is changed."""
    save_weights(network(0), tmp_path / "weights.safetensors")
    loaded = network(1, **other)
    before = [weight.clone() for weight in loaded.parameters()]
    with pytest.raises(ValueError, match=line):
        load_weights(loaded, tmp_path / "weights.safetensors", agent="ppo")
    assert all(map(torch.equal, before, loaded.parameters()))
