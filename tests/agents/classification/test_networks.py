"""Networks: their sizes, their inputs, and their widths from a number of parameters."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from mlds_bench.agents.base import UnknownHyperparameter, Unsupported
from mlds_bench.agents.classification.layers import Choices
from mlds_bench.agents.classification.networks import (
    Standardization,
    convolutional_network,
    dense_network,
    largest_size,
    linear_network,
    parameter_count,
)

PLAIN = Choices()
SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3)]


def test_inputs_have_mean_0_and_variance_1_by_the_first_batch() -> None:
    """Per channel; a constant channel is only shifted."""
    generator = np.random.default_rng(0)
    pixels = generator.integers(0, 256, (50, 4, 5, 3), dtype=np.uint8)
    pixels[..., 1] //= 4
    pixels[..., 2] = 7
    images = torch.from_numpy(pixels)
    standardize = Standardization(3)
    standardize.fit(images)
    inputs = standardize(images)
    assert inputs.shape == (50, 3, 4, 5)
    assert inputs.mean((0, 2, 3)).tolist() == pytest.approx([0.0] * 3, abs=1e-5)
    assert inputs.std((0, 2, 3), correction=0).tolist() == pytest.approx([1, 1, 0], abs=1e-5)
    assert float(inputs[3, 1, 2, 4]) == pytest.approx(
        (pixels[3, 2, 4, 1] - pixels[..., 1].mean()) / pixels[..., 1].std(), rel=1e-4
    )


def test_sizes_by_hand() -> None:
    """784-256-256-10; 784-10; 5 x 5 and 3 x 3 convolutions with one dense layer."""
    dense = dense_network((28, 28, 1), 10, hidden_layers=2, width=256, choices=PLAIN)
    assert parameter_count(dense) == 784 * 256 + 256 + 256 * 256 + 256 + 256 * 10 + 10
    assert parameter_count(linear_network((28, 28, 1), 10)) == 7850
    pictures = convolutional_network(
        (28, 28, 1),
        10,
        convolutions=(1, 2),
        channels=4,
        units=20,
        kernel_size=3,
        choices=PLAIN,
    )
    convolutions = (9 * 4 + 4) + (9 * 4 * 8 + 8) + (9 * 8 * 8 + 8)
    assert parameter_count(pictures) == convolutions + 7 * 7 * 8 * 20 + 20 + 20 * 10 + 10


@pytest.mark.parametrize("shape", SHAPES, ids=str)
@pytest.mark.parametrize("convolutions", [(1,), (1, 1), (2, 2), (1, 1, 1)], ids=str)
def test_logits_for_every_shape(shape: tuple[int, int, int], convolutions: tuple[int, ...]) -> None:
    """(N, 10), with all parameters taking part."""
    network = convolutional_network(
        shape,
        10,
        convolutions=convolutions,
        channels=2,
        units=6,
        kernel_size=3,
        choices=Choices(skip="residual", normalization="batch"),
    )
    logits = network(torch.randint(0, 256, (5, *shape), dtype=torch.uint8))
    assert logits.shape == (5, 10)
    logits.square().sum().backward()
    assert all(value.grad is not None for value in network.parameters())


def test_pictures_that_are_too_small_are_refused() -> None:
    """In one line, with the sizes."""
    with pytest.raises(Unsupported, match="pictures of 8 x 8 are too small for 4 stages"):
        convolutional_network(
            (8, 8, 1),
            10,
            convolutions=(1, 1, 1, 1),
            channels=1,
            units=1,
            kernel_size=3,
            choices=PLAIN,
        )


@pytest.mark.parametrize("parameters", [11, 12, 21, 22, 1_000, 12_345])
def test_the_largest_size_that_fits(parameters: int) -> None:
    """Of n -> n + 1 dense layers, found without making them: one more would not fit."""
    size = largest_size(lambda n: nn.Linear(10, n), parameters)
    assert 11 * size <= parameters < 11 * (size + 1)


def test_too_few_parameters_are_refused() -> None:
    """With the fewest there can be."""
    with pytest.raises(UnknownHyperparameter, match=r"parameters=9 is too few.* at least 11"):
        largest_size(lambda n: nn.Linear(10, n), 9)
