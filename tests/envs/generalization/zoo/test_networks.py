"""Stacks of networks against torch modules of one network."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn
from torch.func import vmap

from mlds_bench.envs.generalization.zoo.networks import Architecture

SIZES = (6, 7, 5, 10)
KINDS = [(a, n) for a in ("relu", "tanh") for n in ("none", "layer")]


def module(architecture: Architecture, theta: Tensor) -> nn.Module:
    """The same network as a torch module."""
    layers: list[nn.Module] = []
    tensors = architecture.tensors(theta)
    for weight, bias in zip(tensors[::2], tensors[1::2], strict=True):
        linear = nn.Linear(*weight.shape)
        linear.weight.data, linear.bias.data = weight.T, bias
        layers.append(linear)
        if architecture.normalization == "layer":
            layers.append(nn.LayerNorm(weight.shape[1], elementwise_affine=False))
        layers.append(nn.ReLU() if architecture.activation == "relu" else nn.Tanh())
    count = 2 if architecture.normalization == "layer" else 1
    return nn.Sequential(*layers[:-count])


@pytest.mark.parametrize(("activation", "normalization"), KINDS)
def test_logits_are_those_of_a_module(activation: str, normalization: str) -> None:
    """Every network of a stack, with every activation and normalization."""
    architecture = Architecture(SIZES, activation, normalization)
    theta = architecture.initial(3, torch.Generator().manual_seed(0))
    x = torch.rand(4, 6, generator=torch.Generator().manual_seed(1))
    stacked = vmap(architecture.logits, (0, None))(theta, x)
    for row, logits in zip(theta, stacked, strict=True):
        torch.testing.assert_close(logits, module(architecture, row)(x))


def test_parameters_are_counted() -> None:
    """Weights and biases: 6*7+7 + 7*5+5 + 5*10+10."""
    architecture = Architecture(SIZES, "relu", "none")
    assert architecture.parameters == 149
    assert architecture.initial(2, torch.Generator()).shape == (2, 149)


def test_initial_weights_have_the_variance_of_their_fan_in() -> None:
    """2 / fan-in for ReLU, 1 / fan-in for tanh, and biases are zero."""
    for activation, gain in (("relu", 2.0), ("tanh", 1.0)):
        architecture = Architecture((50, 40, 10), activation, "none")
        theta = architecture.initial(50, torch.Generator().manual_seed(0))
        first, bias, *_ = architecture.tensors(theta)
        assert first.var().item() == pytest.approx(gain / 50, rel=0.02)
        assert not bias.any()


def test_dropout_masks_act_on_the_hidden_layers() -> None:
    """A mask of zeros in the last hidden layer leaves the biases of the output."""
    architecture = Architecture(SIZES, "relu", "none")
    theta = torch.rand(architecture.parameters, generator=torch.Generator().manual_seed(0))
    keep = [torch.full((4, 7), 2.0), torch.zeros(4, 5)]
    logits = architecture.logits(theta, torch.ones(4, 6), keep)
    torch.testing.assert_close(logits, architecture.tensors(theta)[-1].expand(4, 10))
