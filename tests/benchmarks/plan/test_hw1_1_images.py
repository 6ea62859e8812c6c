"""Homework 1-1, part 2: what its comparison of depth holds equal."""

from __future__ import annotations

import pytest

from mlds_bench.agents.classification.networks import parameter_count
from mlds_bench.agents.classification.settings import NETWORKS
from mlds_bench.benchmarks.plan.homeworks.hw1_1_images import EVERYBODY
from mlds_bench.benchmarks.plan.variants import VARIANTS
from mlds_bench.envs.classification.specs import CLASSES, DATASETS


@pytest.mark.parametrize("dataset", DATASETS)
def test_networks_with_and_without_convolutions_are_of_equal_size(dataset: str) -> None:
    """Within one percent, with the settings that the variant gives them."""
    variant, shape = VARIANTS[f"hw1-1/{dataset}"], DATASETS[dataset].shape
    assert set(NETWORKS) <= set(EVERYBODY)
    sizes = {
        name: parameter_count(settings(**variant.params(name)).make_network(shape, CLASSES))
        for name, settings in NETWORKS.items()
    }
    assert max(sizes.values()) <= 1.01 * min(sizes.values()), sizes
