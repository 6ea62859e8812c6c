"""The data of the networks, and the checksum."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mlds_bench.envs.landscape.data import (
    DATASETS,
    checksum,
    dead_relu,
    digits,
    jellyfish,
    sinc,
    xor,
)
from mlds_bench.envs.landscape.specs import Settings

PINNED = {
    "xor": "fbd37b85",
    "jellyfish": "b715736a",
    "dead-relu": "3e8faed3",
    "sinc": "9ec4e50c",
    "digits": "dc0c34e1",
}


def test_the_small_sets_are_the_lecture_s() -> None:
    """Inputs beside targets."""
    assert np.column_stack([xor().inputs, xor().targets]).tolist() == [
        [0, 0, -1],
        [0, 1, 1],
        [1, 0, 1],
        [1, 1, -1],
    ]
    assert np.column_stack([jellyfish().inputs, jellyfish().targets]).tolist() == [
        [1, 0, 1],
        [0.2, 0.6, 1],
        [0, 1, -1],
        [0.6, 0.2, -1],
    ]
    assert np.column_stack([dead_relu().inputs, dead_relu().targets]).tolist() == [
        [5, 2],
        [4, 1],
        [3, 0],
        [1, -3],
        [-1, 3],
    ]


def test_the_sinc_is_sampled_on_a_grid() -> None:
    """Middles of equal parts; its variance is the course's plateau at a loss of 0.087."""
    data = sinc(100)
    x = data.inputs
    assert x[[0, 1, -1], 0] == pytest.approx([0.005, 0.015, 0.995])
    assert data.targets == pytest.approx(np.sin(5 * np.pi * x) / (5 * np.pi * x))
    assert float(data.targets.var()) == pytest.approx(0.087, abs=5e-4)


def test_digits_are_small_images_with_one_hot_labels() -> None:
    """4 x 4 pixels in [0, 1], means of 2 x 2; the set begins with 0, 1, 2, ..."""
    data = digits(20)
    assert data.inputs.shape == (20, 16)
    assert 0.0 <= data.inputs.min() < 0.1
    assert 0.9 < data.inputs.max() <= 1.0
    assert data.targets.argmax(axis=1).tolist() == [*range(10), *range(10)]
    assert data.targets.sum(axis=1).tolist() == [1.0] * 20


def test_the_data_are_what_the_original_pixels_average_to() -> None:
    """The first pixel of an image is the mean of its upper left four, of sixteen gray levels."""
    from sklearn.datasets import load_digits

    assert np.array_equal(digits(2000).targets.argmax(axis=1), load_digits().target)
    images = load_digits().images[:3]
    assert digits(3).inputs[:, 5] == pytest.approx(images[:, 2:4, 2:4].mean(axis=(1, 2)) / 16)


def test_the_checksums_are_those_of_the_published_problems() -> None:
    """The defaults, pinned: if one changes, so does the version of the environment."""
    assert {name: checksum(Settings(problem=name))[:8] for name in DATASETS} == PINNED


@pytest.mark.parametrize(
    ("base", "change"),
    [
        ({"problem": "xor"}, {"problem": "jellyfish"}),
        ({"problem": "xor"}, {"hidden": 2}),
        ({"problem": "xor"}, {"activation": "tanh"}),
        ({"problem": "xor"}, {"start_scale": 2.0}),
        ({"problem": "deep-linear"}, {"depth": 3}),
        ({"problem": "teacher-student"}, {"k": 7}),
        ({"problem": "teacher-student"}, {"n": 7}),
        ({"problem": "digits"}, {"points": 499}),
    ],
)
def test_what_the_problem_is_enters_the_checksum(
    base: dict[str, Any], change: dict[str, Any]
) -> None:
    """Another problem, another checksum."""
    assert (
        checksum(Settings(**base))
        == checksum(Settings(**base))
        != checksum(Settings(**{**base, **change}))
    )


def test_how_it_is_played_does_not_enter_the_checksum() -> None:
    """Budget, objective, threshold and view are no data; a default said aloud is the default."""
    played = checksum(
        Settings(query_budget=5, objective="gradient_norm", solved=1.0, gradient=False)
    )
    assert played == checksum(Settings(hidden=3)) == checksum(Settings())
