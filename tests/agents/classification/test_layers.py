"""Hidden layers: each choice does what its paper says."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from mlds_bench.agents.classification.layers import (
    ACTIVATIONS,
    GATE_BIAS,
    Choices,
    Highway,
    Residual,
    convolution_layer,
    dense_layer,
    output_layer,
)
from mlds_bench.agents.classification.mlp import MlpAgent
from tests.agents.classification.makers import learn, make_agent, scores

X = torch.tensor([[1.0, -2.0], [3.0, 0.5]])


def seeded_inputs(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0))


def parts_of(layer: nn.Module) -> list[type[nn.Module]]:
    return [type(part) for part in layer.modules() if not [*part.children()]]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("relu", [0.0, 2.0]),
        ("leaky_relu", [-0.01, 2.0]),
        ("elu", [math.exp(-1.0) - 1.0, 2.0]),
        ("selu", [1.0507009873554805 * 1.6732632423543772 * (math.exp(-1.0) - 1.0), 2.101402]),
    ],
)
def test_activations(name: str, expected: list[float]) -> None:
    """At -1 and 2; SELU with the constants of Klambauer et al. 2017."""
    assert ACTIVATIONS[name]()(torch.tensor([-1.0, 2.0])).tolist() == pytest.approx(expected)


def test_batch_normalization_is_over_the_batch() -> None:
    """Each unit has mean 0 and variance 1 over the examples, before the activation."""
    layer = dense_layer(2, 5, Choices(normalization="batch"))
    assert parts_of(layer) == [nn.Linear, nn.BatchNorm1d, nn.ReLU]
    assert isinstance(layer, nn.Sequential)
    values = layer[:2](seeded_inputs(64, 2))
    assert values.mean(0).tolist() == pytest.approx([0.0] * 5, abs=1e-6)
    assert values.var(0, correction=0).tolist() == pytest.approx([1.0] * 5, abs=1e-2)


@pytest.mark.parametrize(
    ("normalization", "over"), [("batch", (0, 2, 3)), ("layer", (1, 2, 3)), ("instance", (2, 3))]
)
def test_normalizations_of_pictures(normalization: str, over: tuple[int, ...]) -> None:
    """Over the batch, over an example, or over the pixels of one channel of an example."""
    layer = convolution_layer(2, 4, 3, Choices(normalization=normalization))
    assert isinstance(layer, nn.Sequential)
    values = layer[:2](seeded_inputs(3, 2, 6, 6))
    assert values.shape == (3, 4, 6, 6)
    mean, variance = values.mean(over), values.var(over, correction=0)
    torch.testing.assert_close(mean, torch.zeros_like(mean), atol=1e-5, rtol=0.0)
    torch.testing.assert_close(variance, torch.ones_like(variance), atol=1e-2, rtol=0.0)
    assert sum(value.numel() for value in layer[1].parameters()) == 8


def test_weight_normalization_separates_length_and_direction() -> None:
    """A weight is g v / |v|: scaling v changes nothing, scaling g scales the output."""
    layer: Any = dense_layer(2, 3, Choices(normalization="weight"))[0]  # type: ignore[index]
    before = layer.weight.clone()
    with torch.no_grad():
        layer.parametrizations.weight.original1.mul_(3.0)
    torch.testing.assert_close(layer.weight, before)
    with torch.no_grad():
        layer.parametrizations.weight.original0.mul_(2.0)
    torch.testing.assert_close(layer.weight, 2.0 * before)


def test_selu_brings_its_initial_weights_and_its_dropout() -> None:
    """Variance 1/inputs, no bias, alpha-dropout: mean 0 and variance 1 stay, twenty layers deep."""
    choices = Choices(activation="selu", dropout=0.1)
    layers = [dense_layer(500, 500, choices) for _ in range(20)]
    assert parts_of(layers[0]) == [nn.Linear, nn.SELU, nn.AlphaDropout]
    linear: Any = layers[0][0]  # type: ignore[index]
    assert float(linear.weight.detach().var()) * 500 == pytest.approx(1.0, abs=0.02)
    assert float(linear.bias.detach().abs().max()) == 0.0
    output = output_layer(500, 10, choices)
    assert float(output.weight.detach().std()) == pytest.approx(500**-0.5, rel=0.05)
    values = nn.Sequential(*layers)(seeded_inputs(200, 500)).detach()
    assert float(values.mean()) == pytest.approx(0.0, abs=0.15)
    assert float(values.var()) == pytest.approx(1.0, abs=0.4)


def test_dropout_drops_that_share_in_training_alone() -> None:
    """A tenth of the outputs; the others are scaled up; convolutions drop none."""
    layer = dense_layer(1, 20_000, Choices(dropout=0.1))
    assert parts_of(layer) == [nn.Linear, nn.ReLU, nn.Dropout]
    x = torch.full((1, 1), 100.0)
    dropped, whole = layer.train()(x)[0], layer.eval()(x)[0]
    assert float((dropped == 0.0).sum() - (whole == 0.0).sum()) == pytest.approx(1000.0, rel=0.15)
    kept = dropped != 0.0
    torch.testing.assert_close(dropped[kept], whole[kept] / 0.9)
    assert parts_of(convolution_layer(1, 2, 3, Choices(dropout=0.5))) == [nn.Conv2d, nn.ReLU]


def test_a_residual_layer_adds_its_input() -> None:
    """x + f(x)."""
    layer = dense_layer(2, 2, Choices(skip="residual"))
    assert isinstance(layer, Residual)
    torch.testing.assert_close(layer(X), X + layer.body(X))


def test_a_highway_layer_mixes_by_its_gate() -> None:
    """t f(x) + (1 - t) x; an unlearned gate lets about an eighth of f through."""
    layer = dense_layer(2, 2, Choices(skip="highway"))
    assert isinstance(layer, Highway)
    gate = torch.sigmoid(layer.gate(X))
    torch.testing.assert_close(layer(X), gate * layer.body(X) + (1.0 - gate) * X)
    bias: Any = layer.gate.bias
    assert bias.tolist() == [GATE_BIAS] * 2
    assert 1.0 / (1.0 + math.exp(-GATE_BIAS)) == pytest.approx(0.1192, abs=1e-4)


@pytest.mark.parametrize("skip", ["residual", "highway"])
def test_there_is_no_way_around_a_layer_that_changes_the_shape(skip: str) -> None:
    """It stays plain."""
    assert isinstance(dense_layer(2, 3, Choices(skip=skip)), nn.Sequential)
    assert isinstance(convolution_layer(2, 3, 3, Choices(skip=skip)), nn.Sequential)
    assert not isinstance(convolution_layer(3, 3, 3, Choices(skip=skip)), nn.Sequential)


DEEP: dict[str, Any] = {"hidden_layers": 30, "width": 32}
"""Thirty layers of 32 units."""


@pytest.mark.parametrize(
    ("choices", "low", "high"),
    [
        ({}, 0.0, 0.25),
        ({"skip": "residual"}, 0.6, 1.0),
        ({"skip": "highway"}, 0.7, 1.0),
        ({"activation": "selu"}, 0.7, 1.0),
    ],
    ids=str,
)
def test_thirty_plain_layers_do_not_learn_what_others_do(
    choices: dict[str, Any], low: float, high: float
) -> None:
    """A plain network stays at chance where residual, highway and SELU networks learn digits."""
    agent = make_agent(MlpAgent, **DEEP, **choices)
    learn(agent, 20_000)
    assert low <= scores(agent)["train_accuracy"] <= high
