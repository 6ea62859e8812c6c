"""The networks against plain layers, their noise against its formula."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional

from mlds_bench.agents.atari.q_networks import NoisyLinear, QNetwork
from mlds_bench.agents.base import Unsupported

SHAPE = (4, 42, 40)
LAYERS = ((16, 6, 3), (32, 3, 2), (32, 3, 1))


def pictures(count: int = 5) -> Tensor:
    generator = torch.Generator().manual_seed(0)
    return torch.randint(256, (count, *SHAPE), dtype=torch.uint8, generator=generator)


def test_values_are_those_of_plain_layers() -> None:
    """Pixels divided by 255, three convolutions, two linear layers."""
    network = QNetwork(SHAPE, 3, convolutions=LAYERS)
    layers: Any = network.view.layers, network.heads["action"]
    (one, two, three), (hidden, _, last) = layers
    features = (pictures() / 255.0).contiguous()
    for layer, stride in ((one, 3), (two, 2), (three, 1)):
        features = functional.conv2d(features, layer.weight, layer.bias, stride).relu()
    expected = last(hidden(features.flatten(1)).relu())
    torch.testing.assert_close(network(pictures()), expected[..., None])


def test_pixels_are_scaled_once_that_is_fitted() -> None:
    """All that the convolutions see goes through it."""
    network = QNetwork(SHAPE, 3, convolutions=LAYERS)
    network.scaling.fit([pictures(64)])
    expected = QNetwork.forward(_unscaled(network), network.scaling(pictures()))
    torch.testing.assert_close(network(pictures()), expected, rtol=1e-4, atol=1e-5)


def _unscaled(network: QNetwork) -> QNetwork:
    plain = deepcopy(network)
    plain.scaling = nn.Identity()  # type: ignore[assignment]
    return plain


@pytest.mark.parametrize("noisy", [False, True])
@pytest.mark.parametrize("dueling", [False, True])
@pytest.mark.parametrize("n_atoms", [1, 7])
def test_every_head_says_as_many_numbers(noisy: bool, dueling: bool, n_atoms: int) -> None:
    """(B, A, n_atoms), from pictures that need not be square."""
    said = QNetwork(SHAPE, 6, convolutions=LAYERS, n_atoms=n_atoms, dueling=dueling, noisy=noisy)(
        pictures()
    )
    assert said.shape == (5, 6, n_atoms)
    assert said.dtype == torch.float32


def test_the_mean_over_actions_is_the_value() -> None:
    """Advantages are told from the value by their mean, 0 (Wang et al. 2016, equation 9)."""
    network = QNetwork(SHAPE, 6, convolutions=LAYERS, dueling=True)
    features = network.view(network.scaling(pictures()))
    torch.testing.assert_close(
        network(pictures()).mean(dim=1), network.heads["value"](features), rtol=1e-4, atol=1e-6
    )


def test_noise_is_the_outer_product_of_two_draws() -> None:
    """Weights and biases as in the paper; silent before and after."""
    layer = NoisyLinear(3, 2)
    inputs = torch.randn(4, 3, generator=torch.Generator().manual_seed(1))
    silent = functional.linear(inputs, layer.weight, layer.bias)
    torch.testing.assert_close(layer(inputs), silent)
    layer.draw_noise(torch.Generator().manual_seed(2))
    generator = torch.Generator().manual_seed(2)
    drawn = [torch.randn(count, generator=generator) for count in (3, 2)]
    e_in, e_out = (np.sign(e.numpy()) * np.sqrt(np.abs(e.numpy())) for e in drawn)
    weight = layer.weight.detach().numpy() + 0.5 / np.sqrt(3) * np.outer(e_out, e_in)
    bias = layer.bias.detach().numpy() + 0.5 / np.sqrt(3) * e_out
    expected = inputs.numpy() @ weight.T + bias
    np.testing.assert_allclose(layer(inputs).detach().numpy(), expected, rtol=1e-5, atol=1e-6)
    layer.silence()
    torch.testing.assert_close(layer(inputs), silent)


def test_only_noisy_networks_have_noise() -> None:
    """Drawing changes what a noisy network says, and nothing in another."""
    for noisy in (True, False):
        network = QNetwork(SHAPE, 3, convolutions=LAYERS, noisy=noisy, dueling=True)
        before = network(pictures())
        network.draw_noise(torch.Generator().manual_seed(0))
        assert torch.equal(network(pictures()), before) != noisy
        network.silence()
        assert torch.equal(network(pictures()), before)
        assert not any("noise" in name for name in network.state_dict())


def test_pictures_that_are_too_small_are_unsupported() -> None:
    """One line with the size and what to do."""
    with pytest.raises(Unsupported, match=r"pictures of 16x12 are too small .* smaller kernels"):
        QNetwork((4, 16, 12), 3, convolutions=LAYERS)
