"""The picture of a test: what stands in it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.axes import Axes

from mlds_bench.common.canvas import styled
from mlds_bench.envs.classification.env import Classification
from mlds_bench.envs.classification.pictures import answers, confusion, draw, watched_instances
from mlds_bench.envs.classification.specs import Settings
from tests.inside import cut_off


@pytest.fixture(autouse=True)
def look() -> Iterator[None]:
    with styled():
        yield


def played(wrong: float, **arguments: Any) -> Classification:
    """The whole deck, with this share of the answers one class too high."""
    settings = Settings(**arguments)
    size = watched_instances(settings)
    env = Classification(num_envs=size, split="test", seed=0, **arguments)
    env.reset()
    is_wrong = np.random.default_rng(0).random(size) < wrong
    said = (env.oracle()["truth"] + is_wrong) % 10
    env.step(np.eye(10, dtype=np.float32)[said] if settings.probabilities else said)
    return env


@pytest.mark.parametrize("wrong", [0.0, 0.2, 1.0])
@pytest.mark.parametrize("arguments", [{}, {"shift": "inverted", "probabilities": True}])
def test_it_is_drawn_whatever_was_answered(
    wrong: float, arguments: dict[str, Any], tmp_path: Path
) -> None:
    """With no mistake, some and nothing else; nothing is cut off."""
    env = played(wrong, **arguments)
    assert cut_off(answers(env.recording, env.settings)) == []
    (path,) = draw(env.recording, tmp_path, env.settings)
    assert path.name == "answers.png"


def test_mistakes_are_shown_with_their_images() -> None:
    """Each tile is a held-out image that was answered wrongly, under both names."""
    env = played(0.1)
    figure = answers(env.recording, env.settings)
    arrays = env.recording.arrays()
    hidden = arrays["oracle"]
    wrong = (hidden["part"] == 0) & (arrays["action"] != hidden["truth"])
    tiles = [child for child in figure.axes[1].child_axes if isinstance(child, Axes)]
    assert len(tiles) == min(int(np.count_nonzero(wrong)), 32) > 0
    first = np.flatnonzero(wrong)[0]
    said, truth = arrays["action"][first], hidden["truth"][first]
    assert tiles[0].get_title(loc="center") == f"{said}\n({truth})"


def test_confusion_counts_pairs() -> None:
    """Rows are true, columns said."""
    counts = confusion(np.array([0, 0, 1, 9]), np.array([0, 2, 1, 9]))
    assert counts[0, [0, 2]].tolist() == [1, 1]
    assert (counts[1, 1], counts[9, 9], counts.sum()) == (1, 1, 4)
