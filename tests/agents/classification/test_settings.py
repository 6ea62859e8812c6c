"""Hyper-parameters: refused by name and bound, and the sizes of networks they lead to."""

from __future__ import annotations

from typing import Any

import pytest

from mlds_bench.agents.base import UnknownHyperparameter, make_hyperparameters
from mlds_bench.agents.classification.networks import parameter_count
from mlds_bench.agents.classification.settings import (
    MOST_BYTES,
    NETWORKS,
    MlpHyperparameters,
    TrainingHyperparameters,
    network_of,
)

SHAPES = [(8, 8, 1), (28, 28, 1), (32, 32, 3)]
CNNS = [name for name in NETWORKS if name.startswith("cnn")]


@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_networks_of_other_depths_have_equal_sizes(shape: tuple[int, int, int]) -> None:
    """1, 2 and 4 convolutions: at most 100,000 parameters, within 1 %."""
    counts = [parameter_count(NETWORKS[name]().make_network(shape, 10)) for name in CNNS]
    assert len(counts) == 3
    assert min(counts) >= 99_000
    assert max(counts) <= 100_000


@pytest.mark.parametrize("normalization", ["none", "batch", "layer", "weight"])
@pytest.mark.parametrize("parameters", [7_860, 50_000, 392_510])
def test_a_size_is_met_by_every_network(normalization: str, parameters: int) -> None:
    """Parameters of normalizations count; a unit more would be too many."""
    for name in ("mlp", *CNNS):
        hyper: Any = make_hyperparameters(
            NETWORKS[name], {"parameters": parameters, "normalization": normalization}
        )
        count = parameter_count(hyper.make_network((28, 28, 1), 10))
        assert 0.84 * parameters < count <= parameters, name


def test_a_dense_network_without_a_size_keeps_its_width() -> None:
    """784-256-256-10."""
    assert parameter_count(MlpHyperparameters().make_network((28, 28, 1), 10)) == 269_322


@pytest.mark.parametrize(
    ("hyper", "expected"),
    [
        ({}, 1024),
        ({"batch_size": 1000}, 1000),
        ({"batch_size": 80_000}, 80_000),
        ({"batch_size": 16, "updates_per_step": 3}, 48),
        ({"batch_size": 10**6}, MOST_BYTES // 784),
    ],
    ids=str,
)
def test_instances_asked_for(hyper: dict[str, Any], expected: int) -> None:
    """About a thousand, at least a batch, and never more than memory allows."""
    assert TrainingHyperparameters(**hyper).num_envs((28, 28, 1)) == expected


@pytest.mark.parametrize(
    ("name", "wrong", "told"),
    [
        ("mlp", {"optimizer": "adagrad"}, "optimizer must be one of adam, sgd, momentum, rmsprop"),
        ("mlp", {"activation": "tanh"}, "activation must be one of relu"),
        ("mlp", {"normalization": "group"}, "normalization must be one of none, batch"),
        ("mlp", {"normalization": "instance"}, "choose layer, or a convolutional network"),
        ("mlp", {"skip": "dense"}, "skip must be one of none, residual, highway"),
        ("mlp", {"dropout": 1.0}, "dropout must be from 0 to 0.95, got 1.0"),
        ("mlp", {"learning_rate": 0.0}, "learning_rate must be a finite number above 0"),
        ("mlp", {"max_grad_norm": 0.0}, "max_grad_norm must be a finite number above 0"),
        ("mlp", {"total_updates": 0}, "total_updates must be a whole number of at least 1"),
        ("mlp", {"updates_per_step": 1.5}, "updates_per_step must be a whole number"),
        ("mlp", {"weight_decay": -1.0}, "weight_decay must be a finite number of at least 0"),
        ("cnn-deep", {"convolutions": ()}, "convolutions must be at least one whole number"),
        ("cnn-deep", {"kernel_size": 0}, "kernel_size must be a whole number of at least 1"),
    ],
    ids=str,
)
def test_wrong_values_are_refused(name: str, wrong: dict[str, Any], told: str) -> None:
    """In one line with the name and the bound."""
    with pytest.raises(UnknownHyperparameter, match=told):
        make_hyperparameters(NETWORKS[name], wrong)


def test_a_network_for_another_training_keeps_the_common_settings() -> None:
    """Those that the other training has; the rest are the network's own."""
    settings = MlpHyperparameters(activation="elu", batch_size=5, hidden_layers=7)
    network: Any = network_of("cnn-deep", settings)
    assert (network.activation, network.batch_size) == ("elu", 5)
    assert network.convolutions == (2, 2)
