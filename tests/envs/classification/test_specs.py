"""The settings: bounds, choices of view, errors in one line."""

from __future__ import annotations

from typing import Any

import pytest

from mlds_bench.common.data.catalogue import CATALOGUE
from mlds_bench.envs.classification.specs import CLASSES, DATASETS, Settings


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"dataset": "minst"}, "unknown dataset 'minst': did you mean 'mnist'?"),
        ({"train_size": 9}, "train_size must be a whole number of at least 10, got 9"),
        (
            {"train_size": 1298},
            "train_size must be a whole number in 10..1297, the training images of digits, "
            "got 1298",
        ),
        ({"label_noise": 1.5}, "label_noise must be a finite number in [0, 1], got 1.5"),
        ({"label_seed": -1}, f"label_seed must be a whole number in 0..{2**63 - 1}, got -1"),
        ({"shift": "turned"}, "shift must be one of none, rotated, inverted, got 'turned'"),
        ({"probabilities": 1}, "probabilities must be True or False, got 1"),
    ],
)
def test_wrong_values_get_one_clear_line(arguments: dict[str, Any], message: str) -> None:
    """The setting, its value and what is right."""
    with pytest.raises(ValueError) as error:  # noqa: PT011 - the whole line is compared
        Settings(**arguments)
    assert str(error.value) == message


def test_an_agent_may_choose_how_to_answer_and_nothing_else() -> None:
    """Not its labels, not its data."""
    assert Settings.view_options == {"probabilities"}


def test_every_set_has_ten_named_classes_and_a_place() -> None:
    """The embedded one apart, each is in the catalogue."""
    for name, one in DATASETS.items():
        assert len(set(one.classes)) == CLASSES
        assert (one.catalogued in CATALOGUE) is (name != "digits")
