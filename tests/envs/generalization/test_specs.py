"""Settings and probes as data."""

from __future__ import annotations

import pytest
from gymnasium import spaces

from mlds_bench.common.settings import make_settings
from mlds_bench.envs.generalization.selection import observation_space
from mlds_bench.envs.generalization.specs import (
    PROBES,
    HyperparameterSearchSettings,
    ModelSelectionSettings,
)


def test_probes_stand_in_the_order_of_the_observation() -> None:
    """Actions count them as Gymnasium sorts the keys."""
    shown = [name for name in observation_space().spaces if name in PROBES]
    assert shown == list(PROBES) == sorted(PROBES)
    assert isinstance(observation_space(), spaces.Dict)


def test_what_costs_work_costs_more() -> None:
    """Settings are read, norms computed, Jacobians and walks in parameter space take longest."""
    cost = {name: probe.cost for name, probe in PROBES.items()}
    assert cost["batch_size"] < cost["weight_norm"] < cost["sensitivity"] < cost["sharpness"]
    assert min(cost.values()) > 0.0


@pytest.mark.parametrize(
    ("settings", "wrong"),
    [
        (ModelSelectionSettings, {"places": 9}),
        (ModelSelectionSettings, {"decisions": 0}),
        (ModelSelectionSettings, {"cost_factor": -1.0}),
        (HyperparameterSearchSettings, {"trainings": 101}),
        (HyperparameterSearchSettings, {"folds": 17}),
    ],
)
def test_values_out_of_bounds_are_refused(settings: type, wrong: dict[str, float]) -> None:
    """In one line that names the setting."""
    (name,) = wrong
    with pytest.raises(ValueError, match=name):
        make_settings(settings, wrong)
